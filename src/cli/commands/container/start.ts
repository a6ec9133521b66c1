// hoist start: several in the background, or one with its terminal (-a, -i).

import { fail } from '../../../base/errors.ts';
import type { Command, Invocation } from '../../command.ts';
import { errorLines } from '../../each.ts';
import { flagTable } from '../../flags.ts';
import { detachKeysOf } from '../../run/keys.ts';
import { requireTerminal, runSession } from '../../session.ts';

const checkpoints = 'checkpoints are not built';

export const start: Command = {
  names: [['start'], ['container', 'start']],
  summary: 'Start one or more stopped containers',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags: flagTable(
    `
  -a, --attach                  Attach STDOUT/STDERR and forward signals
      --checkpoint string       Restore from this checkpoint
      --checkpoint-dir string   Use a custom checkpoint storage directory
      --detach-keys string      Override the key sequence for detaching a container
  -i, --interactive             Attach container's STDIN`,
    { refused: { checkpoint: checkpoints, 'checkpoint-dir': checkpoints } },
  ),
  completes: 'container',
  run: (invocation) =>
    invocation.flags.bool('attach') || invocation.flags.bool('interactive')
      ? startAttached(invocation)
      : startAll(invocation),
};

/** One after the other, since the second may need the first. */
async function startAll({ io, args, engine }: Invocation): Promise<number> {
  const failed: string[] = [];
  for (const ref of args) {
    try {
      await engine.containers.start(ref);
      await io.stdout.write(`${ref}\n`);
    } catch (error) {
      await io.stderr.write(errorLines(error));
      failed.push(ref);
    }
  }
  if (failed.length === 0) return 0;
  await io.stderr.write(`Error: failed to start containers: ${failed.join(', ')}\n`);
  return 1;
}

async function startAttached({ io, flags, args, engine }: Invocation): Promise<number> {
  if (args.length > 1) fail('invalid', 'cli.plain', 'you cannot start and attach multiple containers at once');
  const { Id, Config, HostConfig } = await engine.containers.inspect(args[0] ?? '');
  const stdin = flags.bool('interactive') && Config.OpenStdin;
  requireTerminal(io, { stdin, tty: Config.Tty });
  const keys = await detachKeysOf(flags, io);
  const waiting = engine.containers.wait(Id, HostConfig.AutoRemove ? 'removed' : 'next-exit', io.signal);
  waiting.catch(() => undefined);
  return await runSession({
    io,
    request: { stdin, stdout: true, stderr: true, detachKeys: keys },
    tty: Config.Tty,
    start: (onAttachable) => engine.containers.start(Id, { onAttachable }),
    resize: (size) => engine.containers.resize(Id, size),
    kill: Config.Tty ? undefined : (signal) => engine.containers.kill(Id, signal),
    exitCode: async () => (await waiting).StatusCode,
  });
}
