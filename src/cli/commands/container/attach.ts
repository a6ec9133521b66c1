// hoist attach: join a running container's terminal; detaching leaves it running.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { detachKeysOf } from '../../run/keys.ts';
import { requireTerminal, runSession } from '../../session.ts';

export const attach: Command = {
  names: [['attach'], ['container', 'attach']],
  summary: 'Attach local standard input, output, and error streams to a running container',
  usage: '[OPTIONS] CONTAINER',
  args: { min: 1, max: 1 },
  flags: flagTable(`
      --detach-keys string   Override the key sequence for detaching a container
      --no-stdin             Do not attach STDIN
      --sig-proxy            Proxy all received signals to the process (default true)`),
  completes: 'container',
  async run({ io, flags, args, engine }) {
    const { Id, State, Config } = await engine.containers.inspect(args[0] ?? '');
    if (!State.Running) fail('conflict', 'cli.state', 'cannot attach to a stopped container, start it first');
    if (State.Paused) fail('conflict', 'cli.state', 'cannot attach to a paused container, unpause it first');
    if (State.Restarting) {
      fail('conflict', 'cli.state', 'cannot attach to a restarting container, wait until it is running');
    }
    const stdin = !flags.bool('no-stdin') && Config.OpenStdin;
    requireTerminal(io, { stdin, tty: Config.Tty });
    const keys = await detachKeysOf(flags, io);
    const point = await engine.containers.attach(Id);
    const waiting = engine.containers.wait(Id, 'not-running', io.signal);
    waiting.catch(() => undefined);
    return await runSession({
      io,
      request: { stdin, stdout: true, stderr: true, detachKeys: keys },
      tty: Config.Tty,
      start: async (onAttachable) => onAttachable(point),
      resize: (size) => engine.containers.resize(Id, size),
      kill: flags.bool('sig-proxy') && !Config.Tty ? (signal) => engine.containers.kill(Id, signal) : undefined,
      exitCode: async () => (await waiting).StatusCode,
    });
  },
};
