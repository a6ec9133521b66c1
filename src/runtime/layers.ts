// Mounts layers for overlays: each once, in the executor's own mount namespace, shared by every container that uses it.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../base/errors.ts';
import { k, type Op, op } from '../plan/ops.ts';
import { explainFailure } from '../plan/print.ts';
import { errnoName } from '../sys/errno.ts';
import type { Executor } from '../sys/executor.ts';

/** As LayerSource in src/store: where a layer's files are. */
export type LayerFiles =
  | { readonly kind: 'erofs'; readonly file: string }
  | { readonly kind: 'dir'; readonly path: string };

const ENOTBLK = 15;

export interface LayerMounts {
  /** Names for an overlay's lowerdir, relative to `directory`, in the order given. */
  mounted(layers: readonly { readonly diffId: string; readonly source: LayerFiles }[]): Promise<readonly string[]>;
  readonly directory: string;
  /** Takes a layer's mount away, before its file goes. */
  unmount(diffId: string): Promise<void>;
}

/** `directory`: below the run root, made here. `erofs`: how this kernel mounts a layer's file. */
export function layerMounts(executor: Executor, directory: string, erofs: 'file' | 'loop' | 'none'): LayerMounts {
  const known = new Map<string, Promise<string>>();
  const nameOf = (diffId: string): string => diffId.slice(diffId.indexOf(':') + 1).slice(0, 24);

  async function mountOne(diffId: string, source: LayerFiles): Promise<string> {
    const name = nameOf(diffId);
    if (source.kind === 'dir') return path.relative(directory, source.path);
    await mkdir(path.join(directory, name), { recursive: true });
    const target = path.join(directory, name);
    // Some file systems (tmpfs, an overlay) hold files that erofs cannot be mounted from directly, also on a new kernel.
    const ways = erofs === 'file' ? [erofsOps(source.file, target, true)] : [];
    for (const setup of [...ways, erofsOps(source.file, target, false)]) {
      const plan = { setup, child: [], cleanup: [] };
      const result = await executor.run(plan, 'here');
      if (result.ok) break;
      if (result.failure.errno === ENOTBLK && setup === ways[0]) continue;
      const why = explainFailure(plan, result.failure, errnoName);
      fail('system', 'layer.mount', `cannot mount layer ${diffId} (${source.file}): ${why}`);
    }
    return name;
  }

  return {
    directory,
    async mounted(layers) {
      return Promise.all(
        layers.map(({ diffId, source }) => {
          let mounting = known.get(diffId);
          if (!mounting) {
            mounting = mountOne(diffId, source);
            known.set(diffId, mounting);
            mounting.catch(() => known.delete(diffId));
          }
          return mounting;
        }),
      );
    },
    async unmount(diffId) {
      if (!known.delete(diffId)) return;
      const target = path.join(directory, nameOf(diffId));
      await executor.run(
        {
          setup: [op('umount', { path: target, flags: k.MNT_DETACH }, 'the layer is removed', k.EINVAL)],
          child: [],
          cleanup: [],
        },
        'here',
      );
    },
  };
}

function erofsOps(file: string, target: string, direct: boolean): Op[] {
  return [
    op('open', { dir: undefined, path: file, flags: k.O_RDONLY, mode: 0, resolve: 0, out: 'file' }, "the layer's file"),
    ...(direct
      ? []
      : [
          op(
            'loop',
            { file: 'file', out: 'device' },
            'this file cannot be mounted without one (before 6.12: none can)',
          ),
        ]),
    op(
      'fsmount',
      {
        fstype: 'erofs',
        source: direct ? 'file' : 'device',
        options: ['ro'],
        attrs: k.MOUNT_ATTR_RDONLY,
        out: 'mount',
      },
      'the layer',
    ),
    op('open', { dir: undefined, path: target, flags: k.O_PATH, mode: 0, resolve: 0, out: 'target' }, 'its place'),
    op('moveMount', { from: 'mount', to: 'target' }, "mounted in the executor's namespace, for all containers"),
  ];
}
