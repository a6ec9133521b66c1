// create: the request and the image become a record on disk; nothing runs.

import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { fail, translateWriteError } from '../../base/errors.ts';
import { containerCapabilities } from '../../plan/capabilities.ts';
import { parseSignal } from '../../plan/signals.ts';
import type { ContainerCreate, HostConfig } from '../../spec/docker/container.ts';
import { formatPlatform, parsePlatform } from '../../spec/oci/platform.ts';
import { requireLimits } from '../../sys/limit-files.ts';
import { resolveImage } from '../images/resolve.ts';
import { imageUses, withImages } from '../volumes/images.ts';
import { checkVolumes, dropVolumes, prepareVolumes } from '../volumes/use.ts';
import { blockIoOf } from './block-io.ts';
import { type ContainerPool, inTurn, type Live, newLive } from './deps.ts';
import { findContainer, findNamed } from './find.ts';
import { canonicalLinks } from './links.ts';
import { mergeConfig } from './merge.ts';
import { composeMounts } from './mounts.ts';
import { generateName } from './names.ts';
import { type ContainerRecord, makeDirectories, never, now, saveRecord } from './record.ts';
import { removeFiles } from './remove.ts';
import { resourcesOf } from './resources.ts';
import { requireModules } from './security.ts';
import { haltSignal, runsServices } from './services.ts';
import { makeSources } from './sources.ts';
import { tell } from './tell.ts';
import { idMapsFor } from './userns.ts';
import { validateCreate } from './validate.ts';

export interface CreateOptions {
  readonly name: string;
  readonly platform: string;
}

/** Makes the container; fails with `container.name_invalid`, `container.name_taken`, `image.not_found` and what mergeConfig refuses. */
export async function createContainer(
  pool: ContainerPool,
  request: ContainerCreate,
  options: CreateOptions,
): Promise<ContainerRecord> {
  if (process.geteuid?.() !== 0) {
    fail('unsupported', 'rootless.unsupported', 'running containers as an ordinary user is not supported yet', {
      hint: 'run hoist as root; images can be pulled and looked at without',
    });
  }
  const record = withName(pool, await composeRecord(pool, request, options), options.name);
  pool.names.set(record.name, record.id); // reserved from here on: two creates of one name at once cannot both have it
  try {
    await makeSources(record.hostConfig);
    makeDirectories(pool.deps.paths, record);
    saveRecord(pool.deps.paths, record);
  } catch (error) {
    pool.names.delete(record.name);
    await removeFiles(pool, record.id);
    throw translateWriteError(error, pool.deps.paths.root);
  }
  const live = newLive(record);
  pool.live.set(record.id, live);
  if (record.volumes) await inTurn(live, () => fillVolumes(pool, live));
  tell(pool, record, 'create');
  return live.record;
}

/** The record comes first: a volume that nobody asked for must have a container that knows it, whenever this is cut off. */
async function fillVolumes(pool: ContainerPool, live: Live): Promise<void> {
  const before = new Set(pool.deps.volumes.store.volumes.keys());
  try {
    await prepareVolumes(pool, live);
  } catch (error) {
    const { id, name } = live.record;
    pool.live.delete(id);
    pool.names.delete(name);
    await removeFiles(pool, id);
    dropVolumes(pool, live.record, (volume) => !before.has(volume));
    throw error;
  }
}

/** Others may have taken the name while the image was looked up; from here on nothing is waited for. */
function withName(pool: ContainerPool, record: ContainerRecord, asked: string): ContainerRecord {
  if (!pool.names.has(record.name)) return record;
  checkName(pool, asked);
  return { ...record, name: generateName((one) => pool.names.has(one)) };
}

/** The record that create would write; also what explain works on. */
export async function composeRecord(
  pool: ContainerPool,
  request: ContainerCreate,
  { name, platform }: CreateOptions,
): Promise<ContainerRecord> {
  const { deps } = pool;
  checkName(pool, name);
  const image = await resolveImage(
    deps.store,
    request.Config.Image,
    platform === '' ? {} : { platform: parsePlatform(platform, deps.host) },
  );
  const id = newId();
  const merged = mergeConfig(request.Config, image.config.config ?? {});
  const services = runsServices(merged, request.HostConfig);
  const config = services && !merged.StopSignal ? { ...merged, StopSignal: haltSignal } : merged;
  const { HostConfig: asked } = request;
  const hostConfig = {
    ...asked,
    // Docker: without a word on swap, as much swap as memory; `update` compares with it
    MemorySwap: asked.Memory > 0 && asked.MemorySwap === 0 ? asked.Memory * 2 : asked.MemorySwap,
    LogConfig: { ...asked.LogConfig, Type: asked.LogConfig.Type || 'json-file' },
    NetworkMode:
      asked.NetworkMode === 'default' || asked.NetworkMode === '' ? 'bridge' : canonicalPeer(pool, asked.NetworkMode),
    Links: canonicalLinks(pool, asked),
    PidMode: canonicalPeer(pool, asked.PidMode),
    IpcMode: canonicalPeer(pool, asked.IpcMode),
  };
  validateCreate(
    { Config: { ...config, ...(request.Config.ExposedPorts ? {} : { ExposedPorts: {} }) }, HostConfig: hostConfig },
    deps.facts,
  );
  containerCapabilities({
    privileged: hostConfig.Privileged,
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    host: deps.facts.capabilities,
  });
  requireModules(hostConfig, deps.facts);
  requireLimits(resourcesOf(hostConfig, [], deps.facts, blockIoOf(hostConfig).blockIO), deps.facts);
  if (config.StopSignal) parseSignal(config.StopSignal);
  const images = await imageUses(pool, hostConfig);
  const { mounts, volumes } = composeMounts(hostConfig, config, {
    from: (ref) => findNamed(pool, ref).record,
    dataOf: (volume) => deps.volumes.store.paths(volume).data,
  });
  checkVolumes(pool, volumes);
  const idMaps = idMapsFor(pool, hostConfig);
  return {
    schema: 1,
    id,
    name: name.replace(/^\//, '') || generateName((one) => pool.names.has(one)),
    created: now(),
    config: { ...config, Hostname: config.Hostname || defaultHostname(pool, hostConfig, id) },
    hostConfig,
    image: { id: image.id, manifest: image.stored.manifest.digest, layers: image.config.rootfs.diff_ids },
    platform: formatPlatform(image.config),
    mounts: withImages(pool, mounts, images),
    ...(volumes.length > 0 ? { volumes } : {}),
    ...(images.length > 0 ? { images } : {}),
    ...(idMaps ? { idMaps } : {}),
    connections: deps.network.requested({ ...request, HostConfig: hostConfig }),
    state: { status: 'created', pid: 0, exitCode: 0, oomKilled: false, error: '', startedAt: never, finishedAt: never },
  };
}

/** With the host's or another container's network goes its name. */
function defaultHostname(pool: ContainerPool, { NetworkMode, UTSMode }: HostConfig, id: string): string {
  if (NetworkMode === 'host' || UTSMode === 'host') return os.hostname();
  if (NetworkMode.startsWith('container:'))
    return findContainer(pool, NetworkMode.slice('container:'.length)).record.config.Hostname;
  return id.slice(0, 12);
}

/** The first 12 digits name its directory in the run root, which is made anew: two of them are refused there. */
function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    // an all-digit short id would be taken for a number by scripts
    if (!/^\d{12}/.test(id)) return id;
  }
}

/** Fails with `container.name_invalid`, `container.name_taken`. '' is none. */
export function checkName(pool: Pick<ContainerPool, 'names'>, name: string, what = ''): void {
  const bare = name.replace(/^\//, '');
  if (bare === '') return;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(bare)) {
    fail(
      'invalid',
      'container.name_invalid',
      `${what}Invalid container name (${what === '' ? bare : `/${bare}`}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
  const taken = pool.names.get(bare);
  if (taken !== undefined) {
    fail(
      'conflict',
      'container.name_taken',
      `${what}Conflict. The container name "/${bare}" is already in use by container "${taken}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  }
}

/** `container:web` -> `container:<id>`: a name may be given to another container later. */
function canonicalPeer(pool: ContainerPool, mode: string): string {
  return mode.startsWith('container:')
    ? `container:${findNamed(pool, mode.slice('container:'.length)).record.id}`
    : mode;
}
