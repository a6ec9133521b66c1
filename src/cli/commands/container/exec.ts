// hoist exec: one more process in a running container.

import type { ExecCreate } from '../../../spec/docker/container.ts';
import type { Command, FlagValues } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import type { Io } from '../../io.ts';
import { checkEnv, environment } from '../../run/environment.ts';
import { detachKeysOf } from '../../run/keys.ts';
import { requireTerminal, runSession } from '../../session.ts';

export const exec: Command = {
  names: [['exec'], ['container', 'exec']],
  summary: 'Execute a command in a running container',
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  args: { min: 2 },
  flags: flagTable(
    `
  -d, --detach               Detached mode: run command in the background
      --detach-keys string   Override the key sequence for detaching a container
  -e, --env list             Set environment variables
      --env-file list        Read in a file of environment variables
  -i, --interactive          Keep STDIN open even if not attached
      --privileged           Give extended privileges to the command
  -t, --tty                  Allocate a pseudo-TTY
  -u, --user string          Username or UID (format: "<name|uid>[:<group|gid>]")
  -w, --workdir string       Working directory inside the container`,
    { check: { env: checkEnv } },
  ),
  stopAtFirstArg: true,
  completes: 'container',
  async run({ io, flags, args, engine }) {
    const [container = '', ...command] = args;
    const request = await execRequest(flags, command, io);
    const keys = await detachKeysOf(flags, io);
    const terminal = { stdin: request.AttachStdin, tty: request.Tty };
    // A container that is not there is the more useful thing to say; only asked where the terminal is wrong.
    if (terminal.stdin && terminal.tty && !io.stdin.isTTY) await engine.containers.inspect(container);
    requireTerminal(io, terminal);
    const id = await engine.execs.create(container, request);
    if (flags.bool('detach')) {
      await engine.execs.start(id, {});
      return 0;
    }
    const { AttachStdin: stdin, AttachStdout: stdout, AttachStderr: stderr } = request;
    return await runSession({
      io,
      request: { stdin, stdout, stderr, detachKeys: keys },
      tty: request.Tty,
      start: (onAttachable) => engine.execs.start(id, { onAttachable }),
      resize: (size) => engine.execs.resize(id, size),
      kill: undefined, // as in Docker: a signal ends this command, not the process in the container
      exitCode: () => engine.execs.wait(id),
    });
  },
};

export async function execRequest(flags: FlagValues, command: readonly string[], io: Io): Promise<ExecCreate> {
  const attach = !flags.bool('detach');
  const size = flags.bool('tty') ? io.size() : undefined;
  return {
    AttachStdin: attach && flags.bool('interactive'),
    AttachStdout: attach,
    AttachStderr: attach,
    Tty: flags.bool('tty'),
    ...(flags.has('detach-keys') ? { DetachKeys: flags.string('detach-keys') } : {}),
    Env: await environment(flags, io),
    Cmd: command,
    User: flags.string('user'),
    WorkingDir: flags.string('workdir'),
    Privileged: flags.bool('privileged'),
    ...(size === undefined ? {} : { ConsoleSize: [size.rows, size.columns] as const }),
  };
}
