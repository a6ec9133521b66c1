// Builds an engine over a data root: all wiring is here, by hand, in the order of what stands on what.

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, fail, HoistError } from '../base/errors.ts';
import { readFileNow } from '../base/files.ts';
import { createContainers } from '../engine/containers/containers.ts';
import type { ContainerPool } from '../engine/containers/deps.ts';
import { createExecs } from '../engine/containers/execs.ts';
import { isUp } from '../engine/containers/record.ts';
import { closePool, openPool } from '../engine/containers/recover.ts';
import { supervise } from '../engine/containers/supervise.ts';
import { diskUsage } from '../engine/disk-usage.ts';
import type { Engine } from '../engine/engine.ts';
import { createEvents } from '../engine/events.ts';
import { createImages } from '../engine/images/images.ts';
import { createForwarding } from '../engine/logging/forwarding.ts';
import { loginTo } from '../engine/login.ts';
import { createNetworks } from '../engine/networks/networks.ts';
import { openNetworks } from '../engine/networks/open.ts';
import { createSystem } from '../engine/system.ts';
import { newVolumePool } from '../engine/volumes/deps.ts';
import { removeFiles } from '../engine/volumes/remove.ts';
import { createVolumes } from '../engine/volumes/volumes.ts';
import { capabilityMask, defaultCapabilities } from '../plan/capabilities.ts';
import { cgroupRootOps } from '../plan/cgroup.ts';
import { type Op, op } from '../plan/ops.ts';
import { explainFailure } from '../plan/print.ts';
import { defaultSeccompProfile } from '../plan/seccomp-policy.ts';
import { resolveProfile, seccompCompiler } from '../plan/seccomp-profile.ts';
import { openRegistryClient } from '../registry/client/client.ts';
import { dockerCredentials } from '../registry/client/credentials.ts';
import { layerMounts } from '../runtime/layers.ts';
import { hostPlatform } from '../spec/oci/platform.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { adaptedExecutor } from '../sys/adapted.ts';
import { errnoName } from '../sys/errno.ts';
import { type Executor, startExecutor } from '../sys/executor.ts';
import type { MachineFacts } from '../sys/facts.ts';
import { openVolumeStore } from '../volumes/store.ts';
import { buildId } from './build.ts';
import { placeFacts } from './namespace.ts';
import { bundled, nativeBinary } from './native.ts';
import { pendingOps } from './pending.ts';
import type { Place } from './place.ts';

export interface OpenEngine extends AsyncDisposable {
  readonly engine: Engine;
  readonly pool: ContainerPool;
  /** What the first container would wait for, done when nobody waits: compiling the default seccomp policy. */
  warmUp(): void;
  /** From now on containers are looked after: restart policies, health checks. Of an engine that stays. */
  supervise(how: { readonly afterIdle: boolean }): void;
}

/**
 * Fails with `engine.busy` when another engine has this root, `engine.root` when it cannot be used. `resident`: the process
 * that stays, to be kept apart from the unit or session of the command that started it.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: wiring: each thing made once, in order
export async function openEngine(place: Place, log: (message: string) => void, resident?: number): Promise<OpenEngine> {
  makePlace(place);
  const facts = placeFacts(place);
  const executor = await openExecutor(place, facts, log, resident);
  const opened = await openStore({
    root: place.root,
    driver: facts.erofs === 'none' ? 'dir' : 'erofs',
    oneOwner: facts.userNamespace?.uids === 1,
    workerUrl: bundled('unpack-worker.js'),
    applyPending: async (tree, pending) => {
      await runHere(executor, pendingOps(tree, pending, facts.userNamespace), 'unpack');
    },
  });
  const mounts = layerMounts(executor, path.join(place.run, 'layers'), facts.erofs);
  const store: Store = {
    ...opened,
    async collect(keep) {
      const removed = await opened.collect(keep);
      await Promise.all(removed.map((digest) => mounts.unmount(digest))); // a mounted file would keep its disk space
      return removed;
    },
  };
  const host = hostPlatform(process.arch);
  const defaultPlace = place.run === '/run/hoist' || facts.userNamespace?.network !== undefined;
  const suffix = createHash('sha256').update(place.root).digest('hex').slice(0, 6);
  const events = createEvents();
  const volumeStore = await openVolumeStore(place.root, log);
  const networks = openNetworks({
    root: place.root,
    executor,
    defaults: {
      name: process.env['HOIST_BRIDGE'] ?? (defaultPlace ? 'hoist0' : `hoist-${suffix}`),
      mtu: 1500,
      gateway: undefined,
      table: defaultPlace ? 'hoist' : `hoist-${suffix}`,
      forward: facts.userNamespace?.network !== undefined,
    },
    events,
    warn: log,
  });
  const compileSeccomp = seccompCompiler(facts.arch);
  const limits = {
    maxLayerBytes: Number(process.env['HOIST_MAX_LAYER_BYTES'] ?? 64 * 2 ** 30),
    maxLayerEntries: Number(process.env['HOIST_MAX_LAYER_ENTRIES'] ?? 4_000_000),
  };
  const pool = await openPool({
    paths: place,
    store,
    layers: mounts,
    executor: () => executor,
    facts,
    host,
    network: networks.network,
    compileSeccomp,
    warn: log,
    events,
    limits,
    volumes: newVolumePool(volumeStore),
    logging: createForwarding({
      paths: place,
      journal: process.env['HOIST_JOURNAL_SOCKET'] ?? '/run/systemd/journal/socket',
      sendDatagrams: (to, datagrams) => sendDatagrams(executor, to, datagrams),
      warn: log,
    }),
  });
  for (const left of volumeStore.rubbish) void removeFiles(pool, left);
  networks.begin(pool);
  const registry = openRegistryClient({
    userAgent: `hoist/${buildId}`,
    insecureRegistries: list(process.env['HOIST_INSECURE_REGISTRIES']),
    env: process.env,
  });
  const images = createImages({
    store,
    registry,
    credentials: dockerCredentials(process.env),
    env: process.env,
    events,
    host,
    limits,
    usedBy: (imageId) =>
      [...pool.live.values()]
        .filter(({ record: { image, images = [] } }) => [image, ...images].some(({ id }) => id === imageId))
        .map(({ record }) => ({ id: record.id, running: isUp(record.state) })),
    heldManifests: () =>
      new Set(
        [...pool.live.values()].flatMap(({ record: { image, images = [] } }) =>
          [image, ...images].map(({ manifest }) => manifest),
        ),
      ),
  });
  const containers = createContainers(pool);
  return {
    engine: {
      images,
      networks: createNetworks({ pool, ...networks }),
      volumes: createVolumes(pool),
      containers,
      execs: createExecs(pool),
      system: {
        ...createSystem(pool, buildId, events),
        diskUsage: (types) => diskUsage({ pool, images, containers }, types),
        login: (auth, signal) => loginTo(registry, auth, signal),
      },
    },
    pool,
    supervise: (how) => supervise(pool, how),
    warmUp() {
      const capabilities = capabilityMask(defaultCapabilities) & facts.capabilities;
      compileSeccomp(
        resolveProfile(defaultSeccompProfile(), { arch: facts.arch, capabilities, kernel: facts.kernelRelease }),
      );
    },
    async [Symbol.asyncDispose]() {
      closePool(pool);
      await executor[Symbol.asyncDispose]();
    },
  };
}

/** One plan for all; empty: only asks whether somebody listens there. */
async function sendDatagrams(executor: Executor, to: string, datagrams: readonly Uint8Array[]): Promise<void> {
  const each = datagrams.length === 0 ? [new Uint8Array(0)] : datagrams;
  await runHere(
    executor,
    each.map((data) => op('datagram', { path: to, data }, 'a line of a log')),
    'logging',
  );
}

function list(text: string | undefined): readonly string[] {
  return (text ?? '').split(',').filter((item) => item !== '');
}

function makePlace(place: Place): void {
  try {
    mkdirSync(place.root, { recursive: true, mode: 0o711 });
    mkdirSync(place.run, { recursive: true, mode: 0o711 });
    mkdirSync(path.join(place.run, 'rootfs'), { recursive: true, mode: 0o755 });
    makeInitLayer(path.join(place.run, 'layers/init'));
  } catch (error) {
    fail('system', 'engine.root', `cannot use ${place.root} and ${place.run}: ${errnoOf(error) ?? error}`, {
      hint: 'name other directories with --root and --run-root',
      cause: error,
    });
  }
}

/** The lowest layer of every container: places for what is mounted in all of them. An image that has its own shows them. */
function makeInitLayer(dir: string): void {
  for (const name of ['dev', 'proc', 'sys', 'etc']) mkdirSync(path.join(dir, name), { recursive: true, mode: 0o755 });
  for (const name of ['hosts', 'hostname', 'resolv.conf'])
    writeFileSync(path.join(dir, 'etc', name), '', { mode: 0o644 });
}

/** Starts the executor, takes the root's lock with it (so that it is given back however the engine ends), makes the cgroups. */
async function openExecutor(
  place: Place,
  facts: MachineFacts,
  log: (message: string) => void,
  resident: number | undefined,
): Promise<Executor> {
  const started = startExecutor(nativeBinary(), (reason) => {
    log(`${reason}; the engine ends, the next command starts another`);
    process.exit(1);
  });
  const executor = facts.userNamespace ? adaptedExecutor(started, facts.userNamespace) : started;
  const lock = [
    op('lock', { path: path.join(place.root, 'engine.lock'), out: 'lock' }, 'one engine per root'),
    op('hold', { slot: 'lock' }, 'for as long as the engine lives'),
  ];
  const deadline = Date.now() + 3000;
  for (;;) {
    const result = await executor.run({ setup: lock, child: [], cleanup: [] }, 'here');
    if (result.ok) break;
    // the executor of an engine that was just killed needs a moment to notice
    if (result.failure.errno !== 11 || Date.now() > deadline) {
      await executor[Symbol.asyncDispose]();
      fail(
        'conflict',
        'engine.busy',
        result.failure.errno === 11
          ? `another engine uses ${place.root}`
          : `cannot lock ${place.root}: ${errnoName(result.failure.errno)}`,
        {
          hint: 'HOIST_NO_ENGINE works only while no engine runs there; stop it with: hoist engine stop',
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await runHere(
    executor,
    cgroupRootOps(facts, resident === undefined ? [] : [resident, ...holders(place, facts)]),
    'cgroups',
  ).catch((error: unknown) => log(`limits will not work: ${error instanceof Error ? error.message : error}`));
  return executor;
}

/** Who keeps an ordinary user's namespaces (native/user.c): whoever was the first to need an engine has started them. */
function holders({ run }: Place, { userNamespace }: MachineFacts): readonly number[] {
  const holder = /^\/proc\/(\d+)\//.exec(userNamespace?.network ?? '')?.[1];
  if (holder === undefined) return [];
  return [holder, readFileNow(path.join(run, 'pasta.pid'), 32)?.toString() ?? ''].map(Number).filter((pid) => pid > 0);
}

async function runHere(executor: Executor, setup: readonly Op[], what: string): Promise<void> {
  const plan = { setup, child: [], cleanup: [] };
  const result = await executor.run(plan, 'here');
  if (!result.ok) throw new HoistError('system', `${what}.failed`, explainFailure(plan, result.failure, errnoName));
}
