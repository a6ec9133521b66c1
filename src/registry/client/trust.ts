// Which certificates a registry may show: Node's own authorities, the machine's (as Docker), and those that an
// administrator placed for one registry in /etc/docker/certs.d/<host[:port]>/*.crt (client pairs: *.cert + *.key).

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import type { Env } from './proxy.ts';

const bundle = '/etc/ssl/certs/ca-certificates.crt';

/** Loads the trust of one registry. Missing files are no error: the defaults remain. */
export async function loadTrust(host: string, directories: readonly string[], env: Env): Promise<tls.SecureContext> {
  const authorities: (string | Buffer)[] = [...tls.rootCertificates];
  const system = await readFile(env['SSL_CERT_FILE'] ?? bundle).catch(() => undefined);
  if (system !== undefined) authorities.push(system);
  let pair: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  for (const directory of directories) {
    const own = join(directory, host);
    const names = await readdir(own).catch((): string[] => []);
    for (const name of names.sort()) {
      if (name.endsWith('.crt')) authorities.push(await readFile(join(own, name)));
      if (!name.endsWith('.cert')) continue;
      pair = { cert: await readFile(join(own, name)), key: await readFile(join(own, name.replace(/cert$/, 'key'))) };
    }
  }
  return tls.createSecureContext({ ca: authorities, ...pair });
}
