// OCI hooks: programs that the configuration wants run at six points of a container's life, with its state on their stdin.
// prestart, createRuntime, poststart and poststop run in the namespaces of the runtime, createContainer and startContainer in
// those of the container (runtime-spec, config.md#posix-platform-hooks).

import type { HookPoint, OciConfig, OciState } from '../spec/oci/runtime.ts';
import { anyError, type Op, op } from './ops.ts';

/** Which container the state is of. */
export interface HookSubject {
  readonly id: string;
  /** Absolute. */
  readonly bundle: string;
}

const statusAt: Readonly<Record<HookPoint, OciState['status']>> = {
  prestart: 'creating',
  createRuntime: 'creating',
  createContainer: 'creating',
  startContainer: 'created',
  poststart: 'running',
  poststop: 'stopped',
};

/** What becomes the container's pid, where the plan is carried out: no JSON holds a NUL. */
const pidHole = '\0';

/** The state as JSON; without a pid, native/ops_oci.c puts in that of the process. */
export function stateText(
  { ociVersion, annotations }: Pick<OciConfig, 'ociVersion' | 'annotations'>,
  { id, bundle }: HookSubject,
  status: OciState['status'],
  pid?: number,
): string {
  const marked = '"pid":"@pid"';
  const state = {
    ociVersion,
    id,
    status,
    ...(status === 'stopped' ? {} : { pid: pid ?? '@pid' }),
    bundle,
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
  // inside a string, quotation marks are escaped: this can only be the member
  return JSON.stringify(state).replace(marked, `"pid":${pidHole}`);
}

/** The hooks of one point, in their order. The first that fails ends the plan; after the start, none does. */
export function hookOps(
  config: Pick<OciConfig, 'hooks' | 'ociVersion' | 'annotations'>,
  point: HookPoint,
  subject: HookSubject | undefined,
  pid?: number,
): Op[] {
  const hooks = config.hooks?.[point] ?? [];
  if (hooks.length === 0 || subject === undefined) return [];
  const state = Buffer.from(stateText(config, subject, statusAt[point], pid));
  return hooks.map(({ path, args, env, timeout = 0 }, index) =>
    op(
      'hook',
      { path, argv: args.length > 0 ? args : [path], env, timeout, state },
      `OCI hooks.${point}[${index}]`,
      point === 'poststart' || point === 'poststop' ? anyError : undefined,
    ),
  );
}

/** What the agent of a seccomp listener gets with it (runtime-spec, config-linux.md#containerprocessstate). */
export function listenerState(config: OciConfig, subject: HookSubject): Uint8Array {
  const { listenerMetadata } = config.linux.seccomp ?? {};
  const head = JSON.stringify({
    ociVersion: config.ociVersion,
    fds: ['seccompFd'],
    ...(listenerMetadata ? { metadata: listenerMetadata } : {}),
  });
  return Buffer.from(`${head.slice(0, -1)},"pid":${pidHole},"state":${stateText(config, subject, 'creating')}}`);
}

/** Whether the keeper runs hooks after it has made the process. */
export function hasCreateHooks({ hooks = {} }: Pick<OciConfig, 'hooks'>): boolean {
  return [hooks.prestart, hooks.createRuntime, hooks.poststart, hooks.poststop].some((list) => (list?.length ?? 0) > 0);
}

/**
 * The hooks of `create`, between the last mount and the new root: the process stands still while those of the runtime run,
 * then it runs its own.
 */
export function createHookOps({ config, subject }: { readonly config: OciConfig; readonly subject?: HookSubject }): {
  readonly keeper: readonly Op[];
  readonly child: readonly Op[];
} {
  const keeper = [...hookOps(config, 'prestart', subject), ...hookOps(config, 'createRuntime', subject)];
  const child = hookOps(config, 'createContainer', subject);
  if (keeper.length === 0) return { keeper, child };
  return {
    keeper: [
      op('await', {}, 'its mounts are made'),
      ...keeper,
      op('signal', {}, 'the hooks of the runtime are through'),
    ],
    child: [op('signal', {}, 'its mounts are made'), op('await', {}, 'for the hooks of the runtime'), ...child],
  };
}
