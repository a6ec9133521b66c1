// Containers of another engine.

import { fail } from '../../base/errors.ts';
import type { AttachPoint, Containers, StartOptions, WaitCondition } from '../../engine/engine.ts';
import type { ProcessStream, StreamRequest } from '../../runtime/keeper-stream.ts';
import type { Caller } from './call.ts';
import { logLines } from './lines.ts';
import { hijackedStream } from './streams.ts';

/** How long a start waits for the server's word that it heeds a wait that was asked for before. */
const waitWordMs = 3000;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of verbs, each a request
export function remoteContainers(caller: Caller): Containers {
  const { call } = caller;
  /** Waits that the server may not know of yet: a start must not overtake them. */
  const asked = new Set<Promise<unknown>>();
  const params = (id: string) => ({ params: { id } });

  const open = async (id: string, tty: boolean, request: StreamRequest): Promise<ProcessStream> => {
    const { stdin, stdout, stderr } = request;
    const detachKeys = keysText(request.detachKeys);
    const query = { stream: true, stdin, stdout, stderr, detachKeys };
    return hijackedStream(await caller.hijack('ContainerAttach', { ...params(id), query }), tty, request);
  };

  const start = async (ref: string, options: StartOptions = {}): Promise<void> => {
    const { onAttachable, onStep } = options;
    if (onStep) fail('unsupported', 'cli.explain', 'explain works on the engine of this machine alone');
    let joined: Promise<ProcessStream> | undefined;
    if (onAttachable !== undefined) {
      const { Id, Config } = await call('ContainerInspect', params(ref));
      onAttachable({
        socket: '',
        tty: Config.Tty,
        stdin: Config.OpenStdin,
        open(request) {
          joined = open(Id, Config.Tty, request);
          return joined;
        },
      });
      await joined;
    }
    await Promise.race([Promise.all(asked), new Promise((resolve) => setTimeout(resolve, waitWordMs).unref())]);
    try {
      await call('ContainerStart', params(ref));
    } catch (error) {
      (await joined)?.close();
      throw error;
    }
  };

  const wait = async (ref: string, condition: WaitCondition, signal: AbortSignal) => {
    // not the query's default, which old servers do not know by name
    const query = condition === 'not-running' ? {} : { condition };
    const answer = caller.open('ContainerWait', { ...params(ref), query, signal });
    const heard = answer.then(
      () => undefined,
      () => undefined,
    );
    asked.add(heard);
    void heard.then(() => asked.delete(heard));
    let text = '';
    for await (const chunk of await answer) text += String(chunk);
    const { StatusCode, Error: problem } = JSON.parse(text) as {
      StatusCode: number;
      Error?: { Message: string } | null;
    };
    return { StatusCode, ...(problem ? { Error: problem } : {}) };
  };

  return {
    create: (request, { name, platform }) =>
      call('ContainerCreate', { params: {}, query: { name, platform }, body: request }).then(({ Id, Warnings }) => ({
        Id,
        Warnings: Warnings ?? [],
      })),
    start,
    async attach(ref): Promise<AttachPoint> {
      const { Id, Config } = await call('ContainerInspect', params(ref));
      return {
        socket: '',
        tty: Config.Tty,
        stdin: Config.OpenStdin,
        open: (request) => open(Id, Config.Tty, request),
      };
    },
    list: ({ all, limit, size, filters }) =>
      call('ContainerList', { params: {}, query: { all, ...(limit > 0 ? { limit } : {}), size, filters } }),
    inspect: (ref, options) => call('ContainerInspect', { ...params(ref), query: { size: options?.size ?? false } }),
    stop: (ref, { signal, timeout }) => call('ContainerStop', { ...params(ref), query: ending(signal, timeout) }),
    restart: (ref, { signal, timeout }) => call('ContainerRestart', { ...params(ref), query: ending(signal, timeout) }),
    kill: (ref, signal) => call('ContainerKill', { ...params(ref), query: { signal } }),
    remove: (ref, { force, volumes, link }) =>
      call('ContainerDelete', { ...params(ref), query: { force, v: volumes, link } }),
    wait,
    async *logs(ref, { follow, since, until, tail, stdout, stderr, signal }) {
      const { Config } = await call('ContainerInspect', params(ref));
      const lines = { tail: tail === undefined ? 'all' : String(tail), timestamps: true, details: true };
      const query = { follow, since, until, stdout, stderr, ...lines };
      try {
        yield* logLines(await caller.open('ContainerLogs', { ...params(ref), query, signal }), !Config.Tty);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    resize: (ref, { rows, columns }) => call('ContainerResize', { ...params(ref), query: { h: rows, w: columns } }),
    rename: (ref, name) => call('ContainerRename', { ...params(ref), query: { name } }),
    pause: (ref) => call('ContainerPause', params(ref)),
    unpause: (ref) => call('ContainerUnpause', params(ref)),
    update: async (ref, update) => {
      const { Warnings } = await call('ContainerUpdate', { ...params(ref), body: update });
      return { Warnings: Warnings ?? [] };
    },
    top: (ref, psArgs) => call('ContainerTop', { ...params(ref), query: { ps_args: psArgs } }),
    async *stats(ref, { stream, oneShot, signal }) {
      const query = { stream: stream ? '1' : '0', 'one-shot': oneShot };
      try {
        yield* await call('ContainerStats', { ...params(ref), query, signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    changes: async (ref) => (await call('ContainerChanges', params(ref))) ?? [],
    async *export(ref, signal) {
      yield* await call('ContainerExport', { ...params(ref), signal });
    },
    statPath: (ref, path) => call('ContainerArchiveInfo', { ...params(ref), query: { path } }),
    getArchive: (ref, path, signal) => call('ContainerArchive', { ...params(ref), query: { path }, signal }),
    putArchive: (ref, path, tar, { noOverwriteDirNonDir, copyUidGid }) =>
      call('PutContainerArchive', {
        ...params(ref),
        query: { path, noOverwriteDirNonDir, copyUIDGID: copyUidGid },
        body: tar,
      }),
    async commit(ref, { reference, author, message, changes, pause, config }) {
      const [repo, tag] = splitReference(reference ?? '');
      const query = { container: ref, repo, tag, author, comment: message, changes, pause: pause ? '1' : '0' };
      return (await call('ImageCommit', { params: {}, query, body: config ?? {} })).Id;
    },
    async prune(filters) {
      const { ContainersDeleted, SpaceReclaimed } = await call('ContainerPrune', { params: {}, query: { filters } });
      return { ContainersDeleted: ContainersDeleted ?? [], SpaceReclaimed };
    },
    explain: async () => fail('unsupported', 'cli.explain', 'explain works on the engine of this machine alone'),
  };
}

function ending(signal: string | undefined, timeout: number | undefined) {
  return { ...(signal === undefined ? {} : { signal }), ...(timeout === undefined ? {} : { t: timeout }) };
}

/** `name:tag` or `name@digest` as the API has them: apart. */
export function splitReference(reference: string): readonly [name: string, tag: string] {
  const at = reference.indexOf('@');
  if (at >= 0) return [reference.slice(0, at), reference.slice(at + 1)];
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/') ? [reference.slice(0, colon), reference.slice(colon + 1)] : [reference, ''];
}

/** The bytes of a detach sequence by the names that the API has for them. */
export function keysText(keys: Uint8Array): string {
  const name = (byte: number): string => {
    if (byte >= 32) return String.fromCharCode(byte);
    if (byte === 0) return 'ctrl-@';
    return `ctrl-${byte < 27 ? String.fromCharCode(byte + 96) : ('[\\]^_'[byte - 27] ?? '')}`;
  };
  return [...keys].map(name).join(',');
}
