// How much a volume holds. Containers may change it meanwhile: each directory is opened from the one above, symlinks are
// never followed, so that the walk cannot be led out of the volume.

import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** A hostile tree is deeper than there are descriptors. */
const deepest = 200;

/** Bytes of its files, hard links once; what vanishes meanwhile is not counted. */
export async function contentSize(directory: string): Promise<number> {
  const seen = new Set<string>();
  async function below(handle: FileHandle, depth: number): Promise<number> {
    const here = `/proc/self/fd/${handle.fd}`;
    let sum = 0;
    for (const name of await readdir(here)) {
      const stats = await lstat(`${here}/${name}`).catch(() => undefined);
      if (!stats) continue;
      if (!stats.isDirectory()) {
        const key = `${stats.dev}:${stats.ino}`;
        if (stats.nlink > 1 && seen.has(key)) continue;
        if (stats.nlink > 1) seen.add(key);
        sum += stats.size;
      } else if (depth < deepest) {
        const child = await open(`${here}/${name}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(() => undefined);
        if (!child) continue;
        try {
          sum += await below(child, depth + 1);
        } finally {
          await child.close();
        }
      }
    }
    return sum;
  }
  const handle = await open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(() => undefined);
  if (!handle) return 0;
  try {
    return await below(handle, 0);
  } finally {
    await handle.close();
  }
}
