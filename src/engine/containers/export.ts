// export: the root file system as one tar, as the container's processes would find it if nothing were mounted there.

import { pack } from '../files/pack.ts';
import { readXattrs } from '../files/special.ts';
import { openBareRoot } from './archive-root.ts';
import type { ContainerPool, Live } from './deps.ts';
import { tell } from './tell.ts';

export async function* exportContainer(
  pool: ContainerPool,
  live: Live,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  await using root = await openBareRoot(pool, live);
  const xattrs = await readXattrs(pool.deps.executor(), root.tree.fd, '.');
  yield* pack(root.tree.fd, '.', { as: '', xattrs, signal });
  tell(pool, live.record, 'export');
}
