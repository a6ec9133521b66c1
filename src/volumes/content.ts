// The plan that copies what an image has at a path into a new directory. Pure. It runs in a mount namespace of its own,
// where the image's layers are joined as the container will see them; the path is resolved inside that root.

import { k, type Op, op, rootSlot as root } from '../plan/ops.ts';

export interface ContentSource {
  /** Directory that the layer names are relative to. */
  readonly layersDir: string;
  /** Top layer first; two at least. */
  readonly layers: readonly string[];
  /** An empty directory. */
  readonly mountpoint: string;
  /** In the image. */
  readonly path: string;
}

/** Fails at the op with the why `lookedFor` where the image has no directory there. */
export const lookedFor = 'what the image has there, resolved inside it';

/** `target`: made here where it is not there (`fresh`), or filled as it is. */
export function copyContentOps(source: ContentSource, target: string, fresh: boolean): Op[] {
  const lower = source.layers.map((layer) => layer.replace(/[\\:,]/g, '\\$&')).join(':');
  return [
    op('unshare', { flags: k.CLONE_NEWNS }, 'what is mounted here, nobody else sees'),
    op(
      'mountAttr',
      { mount: undefined, path: '/', set: 0, clear: 0, propagation: k.MS_PRIVATE, recursive: 1 },
      'nor does it spread',
    ),
    op('chdir', { path: source.layersDir }, 'layer names are relative to it'),
    op(
      'mountClassic',
      { source: 'overlay', target: source.mountpoint, fstype: 'overlay', flags: 1, data: `lowerdir=${lower}` },
      "the image's layers, read-only",
    ),
    op(
      'open',
      { dir: undefined, path: source.mountpoint, flags: k.O_PATH, mode: 0, resolve: 0, out: root },
      "the image's root",
    ),
    op(
      'open',
      {
        dir: root,
        path: source.path.replace(/^\/+/, '') || '.',
        flags: k.O_RDONLY | k.O_DIRECTORY,
        mode: 0,
        resolve: k.RESOLVE_IN_ROOT,
        out: 'from',
      },
      lookedFor,
    ),
    ...(fresh ? [op('mkdir', { path: target, mode: 0o700 }, 'where the content grows')] : []),
    op(
      'open',
      {
        dir: undefined,
        path: target,
        flags: k.O_RDONLY | k.O_DIRECTORY | k.O_NOFOLLOW,
        mode: 0,
        resolve: 0,
        out: 'to',
      },
      'where it goes',
    ),
    op('copyTree', { from: 'from', to: 'to' }, "the image's content"),
  ];
}
