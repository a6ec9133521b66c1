// commit: the writable layer as one more layer of an image, with the container's configuration. Mounts are not part of it.

import { existsSync } from 'node:fs';
import { sha256Of } from '../../base/digest.ts';
import { fail } from '../../base/errors.ts';
import type { TarOutput } from '../../base/tar-write.ts';
import type { ContainerConfig } from '../../spec/docker/container.ts';
import {
  type Descriptor,
  type HistoryEntry,
  type ImageConfig,
  type ImageRunConfig,
  type Manifest,
  mediaTypes,
} from '../../spec/oci/image.ts';
import { canonicalName, familiarName, parseReference, withDefaultTag } from '../../spec/oci/reference.ts';
import { pack } from '../files/pack.ts';
import { readXattrs } from '../files/special.ts';
import { namesIn, openTree } from '../files/tree.ts';
import type { CommitOptions } from '../image-verbs.ts';
import { announce } from '../images/announce.ts';
import { childDescriptor } from '../images/catalog.ts';
import { applyChanges } from '../images/changes.ts';
import { keepAndUnpack } from '../images/import.ts';
import { mergeRunConfig, runConfigOf } from './commit-config.ts';
import type { ContainerPool, Live } from './deps.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { type IdMaps, now, pathsOf } from './record.ts';
import { tell } from './tell.ts';

/** Returns the image's id. */
export async function commitContainer(pool: ContainerPool, live: Live, options: CommitOptions): Promise<string> {
  const { record } = live;
  // What can be wrong in the request is found before anything stands still.
  const name = options.reference === undefined ? undefined : commitName(options.reference);
  const own = runConfigOf(record.config);
  const asked = options.config === undefined ? own : runConfigOf({ ...emptyConfig, ...options.config });
  const config = mergeRunConfig(applyChanges(asked, options.changes), own);
  const pause = options.pause && record.state.status === 'running' && live.link !== undefined;
  if (pause) await pauseContainer(pool, live, true);
  try {
    return await makeImage(pool, live, { options, name, config });
  } finally {
    if (pause && live.record.state.status === 'paused') await unpauseContainer(pool, live);
  }
}

const emptyConfig: ContainerConfig = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: [],
  Cmd: null,
  Image: '',
  WorkingDir: '',
  Entrypoint: null,
  Labels: {},
};

function commitName(text: string): string {
  const ref = parseReference(text);
  if (ref.digest !== undefined) fail('invalid', 'commit.reference', 'cannot commit to digest reference');
  return canonicalName(withDefaultTag(ref));
}

interface Making {
  readonly options: CommitOptions;
  readonly name: string | undefined;
  readonly config: ImageRunConfig;
}

async function makeImage(pool: ContainerPool, live: Live, { options, name, config }: Making): Promise<string> {
  const { deps } = pool;
  const { store } = deps;
  const { record } = live;
  const base = await store.images.manifest(await descriptorOf(pool, live));
  const baseConfig = await store.images.config(base);
  await using lease = store.lease();
  for (const digest of [base.config.digest, ...base.layers.map((layer) => layer.digest), ...record.image.layers])
    lease.hold(digest);
  const created = now();
  const layer = await writableLayer(pool, live, (digest) => lease.hold(digest));
  const history: HistoryEntry = {
    created,
    created_by: (record.config.Cmd ?? []).join(' '),
    ...(options.author === '' ? {} : { author: options.author }),
    ...(options.message === '' ? {} : { comment: options.message }),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  const { os, architecture, variant } = baseConfig;
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const document: ImageConfig = {
    created,
    ...(options.author === '' ? {} : { author: options.author }),
    ...platform,
    config,
    rootfs: { type: 'layers', diff_ids: [...baseConfig.rootfs.diff_ids, ...(layer ? [layer.diffId] : [])] },
    history: [...(baseConfig.history ?? []), history],
  };
  const put = async (mediaType: string, value: ImageConfig | Manifest): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(value));
    lease.hold(sha256Of(bytes));
    return { mediaType, ...(await store.content.put(bytes)) };
  };
  const { digest: id, ...configBlob } = await put(base.config.mediaType, document);
  const manifest = await put(base.mediaType, {
    schemaVersion: 2,
    mediaType: base.mediaType,
    config: { ...configBlob, digest: id },
    layers: [...base.layers, ...(layer ? [{ ...layer.blob, mediaType: layerType(base) }] : [])],
  });
  const row = childDescriptor({ ...manifest, platform }, id, record.image.id);
  await store.images.tag({ name, manifest: row, repoDigest: undefined, taggedAt: created });
  const shown = name === undefined ? '' : familiarName(parseReference(name));
  announce(deps, 'create', id, { labels: config.Labels });
  if (shown !== '') announce(deps, 'tag', id, { name: shown, labels: config.Labels });
  tell(pool, record, 'commit', { comment: options.message, imageID: id, imageRef: shown });
  return id;
}

/** The container's image may have lost its names meanwhile; its documents are held for it. */
async function descriptorOf({ deps }: ContainerPool, { record }: Live): Promise<Descriptor> {
  const { manifest } = record.image;
  const row = deps.store.images.list().find((image) => image.manifest.digest === manifest);
  if (row) return row.manifest;
  const bytes = await deps.store.content.read(manifest, 4 << 20);
  const { mediaType } = JSON.parse(Buffer.from(bytes).toString()) as { mediaType?: string };
  return { mediaType: mediaType ?? mediaTypes.ociManifest, digest: manifest, size: bytes.byteLength };
}

/** In the words of the manifest that it becomes a part of. */
function layerType({ mediaType }: Manifest): string {
  return mediaType === mediaTypes.dockerManifest ? mediaTypes.dockerLayer : mediaTypes.ociLayer;
}

/** Undefined where nothing was written. */
async function writableLayer(pool: ContainerPool, { record }: Live, hold: (digest: string) => void) {
  const { deps } = pool;
  const { upper } = pathsOf(deps.paths, record.id);
  if (!existsSync(upper)) return undefined;
  using tree = openTree(upper);
  if (namesIn(tree.fd).length === 0) return undefined;
  const { signal } = new AbortController();
  const xattrs = await readXattrs(deps.executor(), tree.fd, '.', true);
  const tar = pack(tree.fd, '.', {
    as: '',
    xattrs,
    rewrite: (entry) => layerEntries(inside(entry, record.idMaps)),
    signal,
  });
  const { layer, blob } = await keepAndUnpack(deps, tar, signal);
  hold(layer.diffId);
  hold(blob.digest);
  await deps.store.content.adopt(blob.path, blob);
  return { diffId: layer.diffId, blob: { digest: blob.digest, size: blob.size } };
}

const opaqueMark = 'trusted.overlay.opaque';
/** The other one is that of a user namespace. */
export const opaqueMarks: readonly string[] = [opaqueMark, 'user.overlay.opaque'];

/** What overlayfs knows by devices and attributes, layers know by names (image-spec layer.md, "Whiteouts"). */
function layerEntries(entry: TarOutput): readonly TarOutput[] {
  if (entry.kind === 'char' && entry.major === 0 && entry.minor === 0) {
    const slash = entry.path.lastIndexOf('/') + 1;
    return [marker(entry, `${entry.path.slice(0, slash)}.wh.${entry.path.slice(slash)}`)];
  }
  if (!entry.xattrs) return [entry];
  const isMark = (name: string): boolean => name === opaqueMark || name.startsWith('user.overlay.');
  const opaque = opaqueMarks.some((mark) => entry.xattrs?.has(mark));
  const kept = { ...entry, xattrs: new Map([...entry.xattrs].filter(([name]) => !isMark(name))) };
  return opaque && entry.kind === 'directory' ? [kept, marker(entry, `${entry.path}.wh..wh..opq`)] : [kept];
}

/** As the container knows the owner. */
function inside(entry: TarOutput, maps: IdMaps | undefined): TarOutput {
  if (maps === undefined) return entry;
  const id = (outside: number, [map]: IdMaps['uids']): number =>
    map && outside >= map.hostID && outside < map.hostID + map.size ? outside - map.hostID + map.containerID : outside;
  return { ...entry, uid: id(entry.uid, maps.uids), gid: id(entry.gid, maps.gids) };
}

function marker({ mtime }: TarOutput, path: string): TarOutput {
  return { kind: 'file', path, link: '', size: 0, mode: 0, uid: 0, gid: 0, mtime };
}
