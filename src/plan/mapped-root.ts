// The root of a container in a user namespace of its own: made by the keeper, which may, and handed to the child as a mount.
// Every layer is mounted once more with the container's ids (mount_setattr(2), MOUNT_ATTR_IDMAP), so files have the owners
// there that they have in the image. What the container writes has its real ids in the writable layer.

import type { OciIdMapping } from '../spec/oci/runtime.ts';
import type { OverlayRoot } from './input.ts';
import { idMapText } from './namespaces.ts';
import { k, type Op, op, rootSlot as root } from './ops.ts';
import { overlayPath } from './overlay-path.ts';

interface Maps {
  readonly uids: readonly OciIdMapping[];
  readonly gids: readonly OciIdMapping[];
}

/** The id outside of root inside. */
function rootOf(mappings: readonly OciIdMapping[]): number {
  const first = mappings.find(({ containerID, size }) => containerID === 0 && size > 0) ?? mappings[0];
  return first?.hostID ?? 0;
}

/** In the keeper, before clone: `root` is a mount that nobody has put anywhere yet. */
export function mappedOverlayOps(overlay: OverlayRoot, { uids, gids }: Maps): Op[] {
  const place = overlay.mountpoint;
  const merged = `${place}/root`;
  const data = [
    `lowerdir=${overlay.layers.map((_, index) => index).join(':')}`,
    `upperdir=${overlayPath(overlay.upper)}`,
    `workdir=${overlayPath(overlay.work)}`,
    ...(overlay.volatile ? ['volatile'] : []),
  ].join(',');
  return [
    op('unshare', { flags: k.CLONE_NEWNS }, 'what the keeper mounts nobody else sees'),
    op(
      'mountAttr',
      { mount: undefined, path: '/', set: 0, clear: 0, propagation: k.MS_PRIVATE, recursive: 1 },
      'nor does it spread',
    ),
    open(overlay.upper, 'upper', 'the writable layer'),
    op('chown', { slot: 'upper', uid: rootOf(uids), gid: rootOf(gids) }, "/ is the container's root's"),
    op('close', { slot: 'upper' }, 'used up'),
    op('userns', { uids: idMapText(uids), gids: idMapText(gids), out: 'ids' }, "the container's ids"),
    op(
      'fsmount',
      {
        fstype: 'tmpfs',
        source: undefined,
        options: ['source=tmpfs', 'mode=700', 'size=64k'],
        attrs: 0,
        out: 'places',
      },
      'places for the layers',
    ),
    ...put('places', place, 'where they are looked for'),
    ...overlay.layers.flatMap((layer, index) => layerOps(overlay, layer, `${place}/${index}`)),
    op('close', { slot: 'ids' }, 'used up'),
    op('mkdir', { path: merged, mode: 0o755 }, 'where they are joined'),
    op('chdir', { path: place }, 'layer names are relative to it'),
    op(
      'mountClassic',
      { source: 'overlay', target: merged, fstype: 'overlay', flags: 0, data },
      `the image's ${overlay.layers.length} layer(s), with the container's ids, below a writable one`,
    ),
    op('chdir', { path: '/' }, 'it is left alone'),
    op(
      'openTree',
      { dir: undefined, path: merged, flags: k.OPEN_TREE_CLONE, out: root },
      'as a mount that the child can put at its own place',
    ),
  ];
}

function layerOps(overlay: OverlayRoot, layer: string, target: string): Op[] {
  const path = layer.startsWith('/') ? layer : `${overlay.layersDir}/${layer}`;
  return [
    op('openTree', { dir: undefined, path, flags: k.OPEN_TREE_CLONE, out: 'layer' }, `a copy of the mount of ${layer}`),
    op(
      'idmap',
      { mount: 'layer', userns: 'ids', recursive: 0 },
      'its files have the owners that they have in the image',
    ),
    op('mkdir', { path: target, mode: 0o755 }, 'its place'),
    ...put('layer', target, `layer ${layer}`),
  ];
}

function put(mount: string, path: string, why: string): Op[] {
  return [
    open(path, 'place', why),
    op('moveMount', { from: mount, to: 'place' }, why),
    op('close', { slot: 'place' }, 'used up'),
    op('close', { slot: mount }, 'used up'),
  ];
}

function open(path: string, out: string, why: string): Op {
  return op('open', { dir: undefined, path, flags: k.O_PATH, mode: 0, resolve: 0, out }, why);
}
