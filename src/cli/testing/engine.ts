// An Engine that records what it is asked and answers from documents. For tests.

import { fail } from '../../base/errors.ts';
import type { Engine, LoadedImage, LogLine } from '../../engine/engine.ts';
import type {
  ContainerInspect,
  ContainerSummary,
  ContainerTop,
  FilesystemChange,
  PathStat,
} from '../../spec/docker/container.ts';
import type { ImageInspect, ImageSummary } from '../../spec/docker/image.ts';
import type { SystemInfo } from '../../spec/docker/info.ts';

import type { NetworkInspect } from '../../spec/docker/network.ts';
import type { ContainerStats, DiskUsage, EventMessage, HistoryRow, SearchResult } from '../../spec/docker/system.ts';
import type { Volume } from '../../spec/docker/volume.ts';

const noPlan = { plan: { setup: [], child: [], cleanup: [] }, around: [], fresh: [] };

export interface FakeWorld {
  readonly containers?: readonly ContainerInspect[];
  readonly summaries?: readonly ContainerSummary[];
  readonly images?: readonly ImageInspect[];
  readonly imageSummaries?: readonly ImageSummary[];
  readonly logs?: readonly LogLine[];
  readonly info?: Partial<SystemInfo>;
  /** Images that a pull can find. */
  readonly registry?: readonly string[];
  readonly exitCode?: number;
  readonly loaded?: readonly LoadedImage[];
  readonly history?: readonly HistoryRow[];
  readonly found?: readonly SearchResult[];
  readonly top?: ContainerTop;
  readonly stats?: readonly ContainerStats[];
  readonly changes?: readonly FilesystemChange[];
  /** What statPath and getArchive find. */
  readonly paths?: Readonly<Record<string, PathStat>>;
  readonly archive?: AsyncIterable<Uint8Array>;
  readonly networks?: readonly NetworkInspect[];
  readonly volumes?: readonly Volume[];
  readonly events?: readonly EventMessage[];
  readonly usage?: DiskUsage;
  /** Thrown by start. */
  readonly startFails?: () => never;
}

export type FakeEngine = Engine & { readonly calls: (readonly unknown[])[] };

export const id64 = (digit: string): string => digit.repeat(64);

const volume = (Name: string): Volume => ({
  Name,
  Driver: 'local',
  Mountpoint: `/var/lib/hoist/volumes/${Name}/_data`,
  CreatedAt: '2025-01-01T00:00:00Z',
  Labels: null,
  Scope: 'local',
  Options: null,
});

export function fakeEngine(world: FakeWorld = {}): FakeEngine {
  const calls: (readonly unknown[])[] = [];
  const here = new Set<string>((world.images ?? []).flatMap((image) => image.RepoTags));
  const container = (ref: string): ContainerInspect =>
    world.containers?.find(({ Id, Name }) => Id.startsWith(ref) || Name === `/${ref}`) ??
    fail('not_found', 'container.not_found', `No such container: ${ref}`);
  const log = (...call: readonly unknown[]): void => void calls.push(call);
  const exited = async (): Promise<{ readonly StatusCode: number }> => ({ StatusCode: world.exitCode ?? 0 });
  return {
    calls,
    images: {
      async pull(reference, { onProgress }) {
        log('pull', reference);
        if (world.registry !== undefined && !world.registry.includes(reference)) {
          fail('not_found', 'registry.not_found', `pull access denied for ${reference}`);
        }
        onProgress({ kind: 'message', text: `latest: Pulling from library/${reference}` });
        onProgress({ kind: 'layer', id: 'aaaaaaaaaaaa', phase: 'Pulling fs layer' });
        onProgress({ kind: 'layer', id: 'aaaaaaaaaaaa', phase: 'Downloading', current: 5, total: 10 });
        onProgress({ kind: 'layer', id: 'aaaaaaaaaaaa', phase: 'Pull complete' });
        here.add(reference);
        return {
          reference: `docker.io/library/${reference}:latest`,
          id: `sha256:${id64('1')}`,
          digest: `sha256:${id64('2')}`,
          changed: true,
        };
      },
      async import(tar, options) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of tar) chunks.push(chunk);
        log('import', Buffer.concat(chunks).toString(), options.reference, options.message, options.changes);
        return `sha256:${id64('3')}`;
      },
      async list(options) {
        log('images', options);
        return world.imageSummaries ?? [];
      },
      async inspect(ref) {
        const found = world.images?.find(
          ({ Id, RepoTags }) => Id === ref || RepoTags.includes(ref) || RepoTags.includes(`${ref}:latest`),
        );
        return found ?? fail('not_found', 'image.not_found', `No such image: ${ref}`);
      },
      tag: async (ref, target) => log('tag', ref, target),
      async push(reference, { onProgress, ...options }) {
        log('push', reference, options);
        onProgress({ kind: 'message', text: `The push refers to repository [docker.io/library/${reference}]` });
        return [{ tag: 'latest', digest: `sha256:${id64('2')}`, size: 528 }];
      },
      async *save(refs, options) {
        log('save', refs, options.platform);
        yield Buffer.from('tar of ');
        yield Buffer.from(refs.join(' '));
      },
      async load(tar, options) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of tar) chunks.push(chunk);
        log('load', Buffer.concat(chunks).toString(), options.platform);
        return world.loaded ?? [];
      },
      async history(ref) {
        log('history', ref);
        return world.history ?? [];
      },
      async search(term, { signal: _, ...options }) {
        log('search', term, options);
        return world.found ?? [];
      },
      async prune(filters) {
        log('image prune', filters);
        return { ImagesDeleted: [{ Deleted: `sha256:${id64('1')}` }], SpaceReclaimed: 1_234_000 };
      },
      distribution: async (ref) => fail('not_found', 'registry.not_found', `manifest unknown: ${ref}`),
      async remove(ref, options) {
        log('rmi', ref, options);
        if (!here.has(ref)) fail('not_found', 'image.not_found', `No such image: ${ref}`);
        return [{ Untagged: ref }, { Deleted: `sha256:${id64('1')}` }];
      },
    },
    containers: {
      async create(request, options) {
        log('create', request, options);
        const image = request.Config.Image;
        if (world.registry !== undefined && !here.has(image))
          fail('not_found', 'image.not_found', `No such image: ${image}`);
        return { Id: id64('c'), Warnings: [] };
      },
      async start(ref, options) {
        log('start', ref);
        if (world.containers !== undefined && ref !== id64('c')) container(ref);
        world.startFails?.();
        options?.onAttachable?.({ socket: '/run/x', tty: false, stdin: false });
      },
      async attach(ref) {
        log('attach', ref);
        return { socket: '/run/x', tty: false, stdin: true };
      },
      async list(options) {
        log('ps', options);
        return world.summaries ?? [];
      },
      inspect: async (ref) => container(ref),
      stop: async (ref, options) => log('stop', container(ref).Name, options),
      restart: async (ref, options) => log('restart', container(ref).Name, options),
      async kill(ref, signal) {
        log('kill', ref, signal);
        if (world.containers !== undefined && ref !== id64('c')) container(ref);
      },
      async remove(ref, options) {
        log('rm', ref, options);
        if (world.containers !== undefined) container(ref);
      },
      async wait(ref, condition) {
        log('wait', ref, condition);
        if (world.containers !== undefined && ref !== id64('c')) container(ref);
        return await exited();
      },
      async *logs(ref, options) {
        log('logs', ref, options);
        container(ref);
        yield* world.logs ?? [];
      },
      resize: async (ref, size) => log('resize', ref, size),
      rename: async (ref, name) => log('rename', container(ref).Name, name),
      pause: async (ref) => log('pause', container(ref).Name),
      unpause: async (ref) => log('unpause', container(ref).Name),
      async update(ref, update) {
        log('update', container(ref).Name, update);
        return { Warnings: [] };
      },
      async top(ref, psArgs) {
        log('top', container(ref).Name, psArgs);
        return world.top ?? { Titles: ['PID', 'CMD'], Processes: [['1', 'sh']] };
      },
      async *stats(ref, { signal: _, ...options }) {
        log('stats', ref, options);
        yield* world.stats ?? [];
      },
      async changes(ref) {
        log('diff', container(ref).Name);
        return world.changes ?? [];
      },
      async *export(ref) {
        log('export', container(ref).Name);
        yield Buffer.from('tar of a root');
      },
      async statPath(ref, path) {
        log('stat', container(ref).Name, path);
        return (
          world.paths?.[path] ??
          fail('not_found', 'path.not_found', `Could not find the file ${path} in container ${ref}`)
        );
      },
      async getArchive(ref, path) {
        log('get', container(ref).Name, path);
        const stat =
          world.paths?.[path] ??
          fail('not_found', 'path.not_found', `Could not find the file ${path} in container ${ref}`);
        return { stat, tar: world.archive ?? (async function* () {})() };
      },
      async putArchive(ref, path, tar, options) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of tar) chunks.push(chunk);
        log('put', container(ref).Name, path, Buffer.concat(chunks).length, options);
      },
      async commit(ref, options) {
        log('commit', container(ref).Name, options);
        return `sha256:${id64('4')}`;
      },
      async prune(filters) {
        log('container prune', filters);
        return { ContainersDeleted: [id64('c')], SpaceReclaimed: 1_234_000 };
      },
      async explain(request) {
        return { text: `plan of ${request.Config.Image}\n`, json: { image: request.Config.Image }, ...noPlan };
      },
    },
    execs: {
      async create(ref, request) {
        log('exec create', container(ref).Name, request);
        return 'e1';
      },
      async start(id, options) {
        log('exec start', id);
        world.startFails?.();
        options.onAttachable?.({ socket: '/run/x', tty: false, stdin: false });
      },
      inspect: async () => fail('not_found', 'exec.not_found', 'No such exec instance'),
      resize: async (id, size) => log('exec resize', id, size),
      wait: async () => (await exited()).StatusCode,
      async explain(_ref, request) {
        return { text: `plan of ${request.Cmd.join(' ')}\n`, json: {}, ...noPlan };
      },
    },
    networks: {
      async create(request) {
        log('network create', request);
        return { Id: id64('9'), Warning: '' };
      },
      async list(filters) {
        log('network ls', filters);
        return world.networks ?? [];
      },
      async inspect(ref) {
        const found = world.networks?.find(({ Id, Name }) => Name === ref || Id.startsWith(ref));
        return found ?? fail('not_found', 'network.not_found', `network ${ref} not found`);
      },
      async remove(ref) {
        log('network rm', ref);
        if (world.networks?.some(({ Name }) => Name === ref) === false)
          fail('not_found', 'network.not_found', `network ${ref} not found`);
      },
      connect: async (ref, request) => log('network connect', ref, request),
      disconnect: async (ref, request) => log('network disconnect', ref, request),
      async prune(filters) {
        log('network prune', filters);
        return { NetworksDeleted: ['old'] };
      },
    },
    volumes: {
      async create(request) {
        log('volume create', request);
        return volume(request.Name || id64('8'));
      },
      async list(filters) {
        log('volume ls', filters);
        return world.volumes ?? [];
      },
      async inspect(name) {
        return (
          world.volumes?.find(({ Name }) => Name === name) ??
          fail('not_found', 'volume.not_found', `get ${name}: no such volume`)
        );
      },
      remove: async (name, options) => log('volume rm', name, options),
      async prune(filters) {
        log('volume prune', filters);
        return { VolumesDeleted: ['old'], SpaceReclaimed: 1_234_000 };
      },
    },
    system: {
      async *events({ signal: _, ...options }) {
        log('events', options);
        yield* world.events ?? [];
      },
      async diskUsage(types) {
        log('df', types);
        return world.usage ?? { LayersSize: 0, Images: [], Containers: [], Volumes: [], BuildCache: [] };
      },
      async login(auth) {
        log('login', auth);
        return { Status: 'Login Succeeded', IdentityToken: '' };
      },
      async version() {
        return {
          Platform: { Name: 'Hoist' },
          Version: '0.1.0',
          ApiVersion: '1.51',
          MinAPIVersion: '1.24',
          GitCommit: 'abc1234',
          GoVersion: 'none (Node v20.19.0)',
          Components: [],
          Os: 'linux',
          Arch: 'amd64',
          KernelVersion: '6.1.0',
          BuildTime: '',
        };
      },
      info: async () => (world.info as SystemInfo | undefined) ?? fail('unavailable', 'engine.info', 'no info'),
    },
  };
}
