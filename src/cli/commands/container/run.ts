// hoist run: create, start, and be the container's terminal until it ends.

import { fail } from '../../../base/errors.ts';
import type { Command, Flag, Invocation } from '../../command.ts';
import { clientConfig } from '../../config.ts';
import { flagTable } from '../../flags.ts';
import { containerFlags } from '../../run/flags.ts';
import { detachKeys } from '../../run/keys.ts';
import { containerRequest } from '../../run/request.ts';
import { isGone, requireTerminal, runSession } from '../../session.ts';
import { checkPullPolicy, makeContainer, pullFlag } from './launch.ts';

const flags: readonly Flag[] = [
  ...containerFlags,
  ...pullFlag('Pull image before running ("always", "missing", "never")'),
  ...flagTable(`
  -d, --detach                           Run container in background and print container ID
      --detach-keys string               Override the key sequence for detaching a container
      --sig-proxy                        Proxy received signals to the process (default true)`),
];

export const run: Command = {
  names: [['run'], ['container', 'run']],
  summary: 'Create and run a new container from an image',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  args: { min: 1 },
  flags,
  stopAtFirstArg: true,
  launches: true,
  completes: 'image',
  async run(invocation) {
    const { io, flags: given, args, engine } = invocation;
    const detach = given.bool('detach');
    if (detach && given.has('attach')) {
      fail('invalid', 'cli.plain', 'conflicting options: cannot specify both --attach and --detach');
    }
    checkPullPolicy(given);
    const config = await clientConfig(io);
    const keys = detachKeys(given.string('detach-keys') || config.detachKeys);
    const request = await containerRequest(given, args, { io, detach, config });
    requireTerminal(io, { stdin: request.Config.AttachStdin, tty: request.Config.Tty });
    const id = await makeContainer(invocation, request);
    const { AutoRemove } = request.HostConfig;
    if (detach) {
      await orRemove(invocation, AutoRemove ? id : undefined, engine.containers.start(id));
      await io.stdout.write(`${id}\n`);
      return 0;
    }
    // Asked for before the start: a container that ends at once, and removes itself, still tells its exit code.
    const waiting = engine.containers.wait(id, AutoRemove ? 'removed' : 'next-exit', io.signal);
    waiting.catch(() => undefined);
    const { AttachStdin, AttachStdout, AttachStderr, OpenStdin, Tty } = request.Config;
    return await runSession({
      io,
      request: { stdin: AttachStdin && OpenStdin, stdout: AttachStdout, stderr: AttachStderr, detachKeys: keys },
      tty: Tty,
      start: (onAttachable) =>
        orRemove(invocation, AutoRemove ? id : undefined, engine.containers.start(id, { onAttachable })),
      resize: (size) => engine.containers.resize(id, size),
      kill: given.bool('sig-proxy') ? (signal) => engine.containers.kill(id, signal) : undefined,
      async exitCode() {
        const { StatusCode, Error: problem } = await waiting;
        if (problem !== undefined && problem.Message !== '') {
          await io.stderr.write(`Error waiting for container: ${problem.Message}\n`);
          return 125;
        }
        return StatusCode;
      },
    });
  },
};

/** A container of --rm that could not start is of no use to anybody. */
async function orRemove(invocation: Invocation, id: string | undefined, start: Promise<void>): Promise<void> {
  try {
    await start;
  } catch (error) {
    if (id !== undefined) {
      const options = { force: true, volumes: true, link: false };
      await invocation.engine.containers.remove(id, options).catch((cleanup: unknown) => {
        if (!isGone(cleanup))
          return invocation.io.stderr.write(`could not remove container ${id}: ${String(cleanup)}\n`);
        return undefined;
      });
    }
    throw error;
  }
}
