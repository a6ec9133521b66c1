// An Engine that records what it is asked and answers from documents. For tests.

import { fail } from '../../base/errors.ts';
import type { Engine, LogLine } from '../../engine/engine.ts';
import type { ContainerInspect, ContainerSummary } from '../../spec/docker/container.ts';
import type { ImageInspect, ImageSummary, SystemInfo } from '../../spec/docker/image.ts';

export interface FakeWorld {
  readonly containers?: readonly ContainerInspect[];
  readonly summaries?: readonly ContainerSummary[];
  readonly images?: readonly ImageInspect[];
  readonly imageSummaries?: readonly ImageSummary[];
  readonly logs?: readonly LogLine[];
  readonly info?: SystemInfo;
  /** Images that a pull can find. */
  readonly registry?: readonly string[];
  readonly exitCode?: number;
  /** Thrown by start. */
  readonly startFails?: () => never;
}

export type FakeEngine = Engine & { readonly calls: (readonly unknown[])[] };

export const id64 = (digit: string): string => digit.repeat(64);

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
      async explain(request) {
        return { text: `plan of ${request.Config.Image}\n`, json: { image: request.Config.Image } };
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
        return { text: `plan of ${request.Cmd.join(' ')}\n`, json: {} };
      },
    },
    system: {
      async version() {
        return {
          Platform: { Name: 'Hoist' },
          Version: '0.1.0',
          ApiVersion: '1.51',
          MinAPIVersion: '1.24',
          GitCommit: 'abc1234',
          NodeVersion: 'v20.19.0',
          Os: 'linux',
          Arch: 'amd64',
          KernelVersion: '6.1.0',
          BuildTime: '',
        };
      },
      info: async () => world.info ?? fail('unavailable', 'engine.info', 'no info'),
    },
  };
}
