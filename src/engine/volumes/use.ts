// Volumes as containers use them: made and filled before the first start, mounted while one runs, dropped with it.

import { lookup } from 'node:dns/promises';
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { errnoOf, fail } from '../../base/errors.ts';
import { explainFailure } from '../../plan/print.ts';
import { errnoName } from '../../sys/errno.ts';
import { describeMount, mountVolumeOps, serverOf, unmountVolumeOps } from '../../volumes/options.ts';
import type { VolumeDocument } from '../../volumes/store.ts';
import type { ContainerPool, Live } from '../containers/deps.ts';
import { type ContainerRecord, saveRecord } from '../containers/record.ts';
import { checkVolumeRequest, makeVolume } from './create.ts';
import { volumeTurn } from './deps.ts';
import { fillVolume } from './fill.ts';
import { mountImage, unmountImage } from './images.ts';
import { usersOf } from './list.ts';
import { takeAway } from './remove.ts';
import type { VolumeUse } from './uses.ts';

/** What create refuses before anything is made. */
export function checkVolumes({ deps }: ContainerPool, volumes: readonly VolumeUse[]): void {
  for (const { name, driver = '', options = {} } of volumes) {
    const known = deps.volumes.store.volumes.has(name);
    checkVolumeRequest({ Name: name, Driver: driver, DriverOpts: known ? {} : options });
  }
}

/** Makes those that are missing, and copies into the empty ones what the image has there. What is done, the record knows. */
export async function prepareVolumes(pool: ContainerPool, live: Live): Promise<void> {
  const { volumes = [] } = live.record;
  for (const use of volumes) {
    await volumeTurn(pool.deps.volumes, use.name, async () => {
      const document = await presentVolume(pool, use);
      if (use.copy) await fillVolume(pool, live.record, use, document);
    });
  }
  if (!volumes.some(({ copy }) => copy)) return;
  live.record = { ...live.record, volumes: volumes.map((use) => ({ ...use, copy: false })) };
  saveRecord(pool.deps.paths, live.record);
}

async function presentVolume({ deps }: ContainerPool, use: VolumeUse): Promise<VolumeDocument> {
  const known = deps.volumes.store.volumes.get(use.name);
  if (known) return known;
  const request = { Name: use.name, DriverOpts: use.options ?? null, Labels: use.labels ?? null };
  return makeVolume(deps, request, use.anonymous);
}

/** Before a start: a record that a killed engine left may have volumes that were not made, or not filled. */
export async function mountVolumes(pool: ContainerPool, live: Live): Promise<void> {
  const { deps } = pool;
  await prepareVolumes(pool, live);
  const { record } = live;
  for (const { name, subpath } of record.volumes ?? []) {
    await mountOwn(pool, record, name);
    if (subpath) requireSubpath(path.join(deps.volumes.store.paths(name).data, subpath));
  }
  for (const use of record.images ?? []) await mountImage(pool, record, use);
}

/** The mount resolves it safely; this only tells in Docker's words where there is nothing. */
function requireSubpath(whole: string): void {
  try {
    lstatSync(whole);
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') return;
    fail('invalid', 'volume.subpath', `cannot access path ${whole}: lstat ${whole}: no such file or directory`, {
      cause,
    });
  }
}

/**
 * A volume with options is a file system of its own: mounted once in the executor's namespace, which containers copy.
 * In a fork: a server that does not answer must hold up nobody else.
 */
async function mountOwn(pool: ContainerPool, record: ContainerRecord, name: string): Promise<void> {
  const { volumes } = pool.deps;
  const options = volumes.store.volumes.get(name)?.options;
  if (!options) return;
  await volumeTurn(volumes, name, async () => {
    const users = volumes.mounted.get(name) ?? new Set();
    if (users.size === 0) {
      const server = serverOf(options);
      const address = server === undefined ? undefined : await addressOf(name, server);
      const { data } = volumes.store.paths(name);
      const setup = mountVolumeOps(options, data, address);
      const result = await pool.deps.executor().run({ setup, child: [], cleanup: [] }, 'fork');
      if (!result.ok) {
        const [errno, words = errno] = getSystemErrorMap().get(-result.failure.errno) ?? ['an unknown error'];
        fail(
          'system',
          'volume.mount',
          `error while mounting volume '${data}': failed to mount local volume: ${describeMount(setup)}: ${words}`,
        );
      }
    }
    volumes.mounted.set(name, users.add(record.id));
  });
}

async function addressOf(name: string, server: string): Promise<string> {
  try {
    return (await lookup(server)).address;
  } catch (cause) {
    return fail(
      'unavailable',
      'volume.server',
      `error resolving passed in network volume address of ${name}: ${server}`,
      {
        cause,
      },
    );
  }
}

/** After an end, or a start that failed. */
export async function releaseVolumes(pool: ContainerPool, record: ContainerRecord): Promise<void> {
  for (const name of new Set((record.volumes ?? []).map((use) => use.name))) await unmountOwn(pool, record, name);
  for (const use of record.images ?? []) await unmountImage(pool, record, use);
}

export function tellMounted({ deps }: ContainerPool, record: ContainerRecord): void {
  for (const { Type, Name = '', Destination, RW } of record.mounts)
    if (Type === 'volume')
      deps.events.emit('volume', 'mount', Name, {
        container: record.id,
        destination: Destination,
        driver: 'local',
        propagation: '',
        'read/write': String(RW),
      });
}

export function tellUnmounted({ deps }: ContainerPool, record: ContainerRecord): void {
  for (const { Type, Name = '' } of record.mounts)
    if (Type === 'volume') deps.events.emit('volume', 'unmount', Name, { container: record.id, driver: 'local' });
}

async function unmountOwn(pool: ContainerPool, record: ContainerRecord, name: string): Promise<void> {
  const { volumes, warn, executor } = pool.deps;
  if (!volumes.mounted.get(name)?.has(record.id)) return;
  await volumeTurn(volumes, name, async () => {
    const users = volumes.mounted.get(name);
    if (!users?.delete(record.id) || users.size > 0) return;
    volumes.mounted.delete(name);
    const plan = { setup: unmountVolumeOps(volumes.store.paths(name).data), child: [], cleanup: [] };
    const result = await executor().run(plan, 'fork');
    if (!result.ok) warn(`cannot unmount volume ${name}: ${explainFailure(plan, result.failure, errnoName)}`);
  });
}

/** Removes those of a container that is gone, which no other container has. */
export function dropVolumes(
  pool: ContainerPool,
  record: ContainerRecord,
  which: (name: string, anonymous: boolean) => boolean,
): void {
  for (const { name, anonymous } of record.volumes ?? []) {
    const { volumes } = pool.deps.volumes.store;
    if (which(name, anonymous) && volumes.has(name) && usersOf(pool, name).length === 0) takeAway(pool, name);
  }
}
