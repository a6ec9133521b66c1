// The host's side of bind mounts: made, or found missing, when a container is created.

import { mkdir, stat } from 'node:fs/promises';
import { errnoOf, fail } from '../../base/errors.ts';
import type { HostConfig } from '../../spec/docker/container.ts';
import { parseBind } from './mounts.ts';

/** -v makes a missing directory on the host, --mount refuses (Docker's rule). */
export async function makeSources(host: HostConfig): Promise<void> {
  for (const bind of host.Binds ?? []) {
    const { type, source } = parseBind(bind) ?? { type: '', source: '' };
    if (type !== 'bind') continue;
    await stat(source).catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await mkdir(source, { recursive: true });
    });
  }
  for (const mount of host.Mounts ?? []) {
    if (mount.Type !== 'bind') continue;
    await stat(mount.Source ?? '').catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
      if (mount.BindOptions?.CreateMountpoint) await mkdir(mount.Source ?? '', { recursive: true });
      else
        fail(
          'invalid',
          'mount.source',
          `invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`,
        );
    });
  }
}
