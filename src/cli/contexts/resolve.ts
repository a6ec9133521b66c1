// Which engine a command means: --context, then -H or DOCKER_HOST, then DOCKER_CONTEXT, then the user's current context,
// then the engine of this machine.

import { type Connection, parseAddress, type Tls } from '../../api/client/address.ts';
import { errnoOf, fail } from '../../base/errors.ts';
import type { FlagValues } from '../command.ts';
import { configDirectory } from '../config.ts';
import type { Io } from '../io.ts';
import { configDocument, defaultContext, readContext } from './store.ts';

type Place = Pick<Io, 'env' | 'readFile'>;

/** The name of the context. `flags`: those before the command. */
export async function contextName(place: Place, flags?: FlagValues): Promise<string> {
  const { env } = place;
  const context = flags?.string('context') ?? '';
  const hosts = flags?.list('host') ?? [];
  if (context !== '') {
    if (hosts.length > 0) fail('invalid', 'cli.plain', 'conflicting options: cannot specify both --host and --context');
    return context;
  }
  if (hosts.length > 0 || env['DOCKER_HOST']) return defaultContext;
  if (env['DOCKER_CONTEXT']) return env['DOCKER_CONTEXT'];
  const current = (await configDocument(place))['currentContext'];
  return typeof current === 'string' && current !== '' ? current : defaultContext;
}

/** undefined: the engine of this machine, by its own door. */
export async function resolveEngine(place: Place, flags: FlagValues): Promise<Connection | undefined> {
  try {
    const name = await contextName(place, flags);
    const insecure = flags.bool('insecure');
    if (name !== defaultContext) return { ...(await contextConnection(place, name)), insecure };
    const hosts = flags.list('host');
    if (hosts.length > 1) fail('invalid', 'cli.plain', 'specify only one -H');
    const host = hosts[0] || place.env['DOCKER_HOST'] || '';
    if (host === '') return undefined;
    const address = parseAddress(host.includes('://') ? host : `tcp://${host}`);
    const tls = address.kind === 'tcp' ? await tlsFromFlags(place, flags) : undefined;
    return { address, insecure, ...(tls ? { tls } : {}) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.message.startsWith('conflicting options')) throw error;
    const what = `Failed to initialize: unable to resolve docker endpoint: ${error.message}`;
    return fail('invalid', 'cli.context', what, { cause: error });
  }
}

async function contextConnection(place: Place, name: string): Promise<Connection> {
  const { document, tls } = await readContext(place, name);
  const { Host: host = '', SkipTLSVerify: skip = false } = document.Endpoints.docker ?? {};
  const address = parseAddress(host);
  if (address.kind !== 'tcp' || (tls.size === 0 && !skip)) return { address };
  return { address, tls: { ...Object.fromEntries(tls), verify: !skip } };
}

/** --tls, --tlsverify and DOCKER_TLS_VERIFY; files that nobody named may be missing. */
async function tlsFromFlags(place: Place, flags: FlagValues): Promise<Tls | undefined> {
  const { env } = place;
  const verify = flags.has('tlsverify') ? flags.bool('tlsverify') : Boolean(env['DOCKER_TLS_VERIFY']);
  if (!verify && !flags.bool('tls') && !env['DOCKER_TLS']) return undefined;
  const directory = env['DOCKER_CERT_PATH'] || configDirectory(env);
  const material: { ca?: Uint8Array; cert?: Uint8Array; key?: Uint8Array } = {};
  for (const kind of ['ca', 'cert', 'key'] as const) {
    const flag = `tls${kind === 'ca' ? 'cacert' : kind}`;
    const path = flags.has(flag) ? flags.string(flag) : `${directory}/${kind}.pem`;
    try {
      material[kind] = await place.readFile(path);
    } catch (error) {
      const missing = errnoOf(error) === 'ENOENT';
      if (!missing || flags.has(flag))
        fail('invalid', 'cli.tls', `open ${path}: ${missing ? 'no such file or directory' : error}`);
    }
  }
  return { ...material, verify };
}
