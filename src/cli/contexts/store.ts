// Contexts: named addresses of engines, in the same files that Docker's client has (~/.docker/contexts), so that both
// share them. `default` is none of them: it is what -H and DOCKER_HOST say, or this machine's engine.

import { createHash } from 'node:crypto';
import { errnoOf, fail } from '../../base/errors.ts';
import { configDirectory } from '../config.ts';
import type { Io } from '../io.ts';

export const tlsFiles = ['ca', 'cert', 'key'] as const;
export type TlsFile = (typeof tlsFiles)[number];

/** meta.json */
export interface ContextDocument {
  readonly Name: string;
  readonly Metadata: Readonly<Record<string, unknown>>;
  readonly Endpoints: {
    readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean };
    readonly [other: string]: unknown;
  };
}

export interface Context {
  readonly document: ContextDocument;
  /** PEM by file. */
  readonly tls: ReadonlyMap<TlsFile, Uint8Array>;
}

export const defaultContext = 'default';
export const defaultDescription = 'Current DOCKER_HOST based configuration';

const pattern = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/;

/** Fails in Docker's words. */
export function checkContextName(name: string): void {
  if (name === '') fail('invalid', 'cli.plain', 'context name cannot be empty');
  if (name === defaultContext) fail('invalid', 'cli.plain', '"default" is a reserved context name');
  if (!pattern.test(name))
    fail(
      'invalid',
      'cli.plain',
      `context name "${name}" is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"`,
    );
}

export function contextPaths(env: Io['env'], name: string): { readonly meta: string; readonly tls: string } {
  const id = createHash('sha256').update(name).digest('hex');
  const directory = `${configDirectory(env)}/contexts`;
  return { meta: `${directory}/meta/${id}`, tls: `${directory}/tls/${id}` };
}

/** Fails with code `cli.context` where there is none of that name. */
export async function readContext(io: Pick<Io, 'env' | 'readFile'>, name: string): Promise<Context> {
  const { meta, tls } = contextPaths(io.env, name);
  const file = `${meta}/meta.json`;
  let document: ContextDocument;
  try {
    document = documentOf(new TextDecoder().decode(await io.readFile(file)));
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : (errnoOf(error) ?? String(error));
    return fail('not_found', 'cli.context', `context "${name}": context not found: open ${file}: ${why}`);
  }
  const found = new Map<TlsFile, Uint8Array>();
  for (const kind of tlsFiles) {
    const bytes = await io.readFile(`${tls}/docker/${kind}.pem`).catch(() => undefined);
    if (bytes !== undefined) found.set(kind, bytes);
  }
  return { document, tls: found };
}

export function documentOf(text: string): ContextDocument {
  const value: unknown = JSON.parse(text);
  const member = (key: string): object => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
    return typeof found === 'object' && found !== null ? found : {};
  };
  const name: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'Name') : undefined;
  return {
    Name: typeof name === 'string' ? name : '',
    Metadata: { ...member('Metadata') },
    Endpoints: { ...member('Endpoints') },
  };
}

/** By name. What cannot be read is passed over. */
export async function listContexts(io: Io): Promise<readonly Context[]> {
  const directory = `${configDirectory(io.env)}/contexts/meta`;
  const found: Context[] = [];
  for (const id of await io.listDirectory(directory)) {
    const bytes = await io.readFile(`${directory}/${id}/meta.json`).catch(() => undefined);
    if (bytes === undefined) continue;
    const { Name } = documentOf(new TextDecoder().decode(bytes));
    found.push(await readContext(io, Name));
  }
  return found.sort((a, b) => (a.document.Name < b.document.Name ? -1 : 1));
}

export async function writeContext(io: Io, { document, tls }: Context): Promise<void> {
  const paths = contextPaths(io.env, document.Name);
  await io.removeTree(paths.tls);
  for (const [kind, pem] of tls) await put(io, `${paths.tls}/docker/${kind}.pem`, pem, 0o600);
  await put(io, `${paths.meta}/meta.json`, Buffer.from(JSON.stringify(document)), 0o644);
}

export async function deleteContext(io: Io, name: string): Promise<void> {
  const { meta, tls } = contextPaths(io.env, name);
  await io.removeTree(meta);
  await io.removeTree(tls);
}

async function put(io: Io, path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await io.replaceFile(path, once(bytes), { mode, makeDirectory: true });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** `currentContext` of config.json; '' is the default. Everything else in the file stays as it is. */
export async function setCurrentContext(io: Io, name: string): Promise<void> {
  const path = `${configDirectory(io.env)}/config.json`;
  const { currentContext: _, ...rest } = await configDocument(io);
  const document = name === '' ? rest : { ...rest, currentContext: name };
  await put(io, path, Buffer.from(JSON.stringify(document, null, '\t')), 0o600);
}

export async function configDocument(io: Pick<Io, 'env' | 'readFile'>): Promise<Record<string, unknown>> {
  const path = `${configDirectory(io.env)}/config.json`;
  const bytes = await io.readFile(path).catch(() => undefined);
  if (bytes === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
