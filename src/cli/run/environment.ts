// -e, --env-file, --label and --label-file: Docker's rules for `KEY=value`, bare keys and files of them.

import { errnoOf, fail } from '../../base/errors.ts';
import type { FlagValues } from '../command.ts';
import type { ClientConfig } from '../config.ts';
import type { Io } from '../io.ts';

export function checkEnv(value: string): string | undefined {
  return value === '' || value.startsWith('=') ? `invalid environment variable: ${value}` : undefined;
}

export function checkLabel(value: string): string | undefined {
  return value === '' || value.startsWith('=') ? `invalid label '${value}': empty name` : undefined;
}

/** Files first, so that -e overrides them; a bare `KEY` takes the caller's value, and stays bare where there is none. */
export async function environment(flags: FlagValues, io: Io): Promise<readonly string[]> {
  const fromFiles: string[] = [];
  for (const file of flags.list('env-file')) {
    for (const line of keyLines(await readText(io, file), `invalid env file (${file})`)) {
      if (line.includes('=')) fromFiles.push(line);
      else if (io.env[line] !== undefined) fromFiles.push(`${line}=${io.env[line]}`);
    }
  }
  const given = flags.list('env').map((entry) => {
    const value = entry.includes('=') ? undefined : io.env[entry];
    return value === undefined ? entry : `${entry}=${value}`;
  });
  return [...fromFiles, ...given];
}

export async function labels(flags: FlagValues, io: Io): Promise<Readonly<Record<string, string>>> {
  const entries: string[] = [];
  for (const file of flags.list('label-file')) {
    const lines = keyLines(await readText(io, file), `invalid label file (${file})`);
    entries.push(...lines.filter((line) => line.includes('='))); // Docker's client passes over bare keys in files
  }
  return keyValues([...entries, ...flags.list('label')]);
}

/** `a=b` to a map; a bare key has the empty value; the last one wins. */
export function keyValues(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

/** One `KEY=value` or `KEY` per line; blank lines and lines beginning with `#` are skipped; no quotes, no expansion. */
function keyLines(text: string, where: string): readonly string[] {
  const lines: string[] = [];
  for (const row of text.replace(/^\uFEFF/, '').split('\n')) {
    const line = row.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const name = line.split('=', 1)[0] ?? '';
    if (name === '') fail('invalid', 'cli.env_file', `${where}: no variable name on line '${line}'`);
    if (/\s/.test(name)) fail('invalid', 'cli.env_file', `${where}: variable '${name}' contains whitespaces`);
    lines.push(line);
  }
  return lines;
}

/** A text file of the user's; what Go says when it cannot be opened. */
export async function readText(io: Io, path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await io.readFile(path));
  } catch (error) {
    if (error instanceof TypeError) return fail('invalid', 'cli.file', `${path} is not UTF-8 text`, { cause: error });
    return fail('invalid', 'cli.file', `open ${path}: ${fileProblem(error)}`, { cause: error });
  }
}

export function fileProblem(error: unknown): string {
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    ENOTDIR: 'not a directory',
  };
  const errno = errnoOf(error);
  return (errno === undefined ? undefined : words[errno]) ?? (error instanceof Error ? error.message : String(error));
}

/** What config.json's `proxies` add for the engine that is asked, where the user says nothing of the same name. */
export function withProxies(given: readonly string[], { proxies }: ClientConfig, env: Io['env']): readonly string[] {
  const proxy = proxies[env['DOCKER_HOST'] ?? ''] ?? proxies['default'];
  if (proxy === undefined) return given;
  const names = new Set(given.map((entry) => entry.split('=', 1)[0]));
  const pairs: readonly (readonly [string, string])[] = [
    ['HTTP_PROXY', proxy.httpProxy],
    ['HTTPS_PROXY', proxy.httpsProxy],
    ['FTP_PROXY', proxy.ftpProxy],
    ['NO_PROXY', proxy.noProxy],
    ['ALL_PROXY', proxy.allProxy],
  ];
  const added = pairs
    .filter(([, value]) => value !== '')
    .flatMap(([name, value]) => [`${name}=${value}`, `${name.toLowerCase()}=${value}`])
    .filter((entry) => !names.has(entry.split('=', 1)[0]));
  return [...given, ...added];
}
