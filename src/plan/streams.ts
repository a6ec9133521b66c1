// How the process's stdin, stdout and stderr reach its keeper, and the keeper's last op.

import type { OciProcess } from '../spec/oci/runtime.ts';
import type { KeeperOptions } from './input.ts';
import { placeOps } from './mounts.ts';
import { k, type Op, op, type Slot } from './ops.ts';

export interface Streams {
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** keeper, before clone */
  readonly setup: readonly Op[];
  /** keeper, after clone: lets go of the process's ends, so that it sees the end when the process closes them */
  readonly forget: readonly Op[];
  readonly receive: readonly Op[];
  /** child, before the root is entered */
  readonly open: readonly Op[];
}

/** How the process's stdin, stdout and stderr reach its keeper: three pipes, or one pty of the container's own. */
export function streamOps(
  { terminal, consoleSize }: Pick<OciProcess, 'terminal' | 'consoleSize'>,
  stdin: boolean,
  ptmxRoot: Slot,
  console = true,
): Streams {
  if (!terminal) {
    return {
      terminal,
      stdin,
      setup: [
        ...(stdin ? [op('pipe', { capacity: 1 << 20, read: 'stdin.child', write: 'stdin' }, 'stdin')] : []),
        op('pipe', { capacity: 1 << 20, read: 'stdout', write: 'stdout.child' }, 'stdout'),
        op('pipe', { capacity: 0, read: 'stderr', write: 'stderr.child' }, 'stderr'),
      ],
      forget: ['stdin.child', 'stdout.child', 'stderr.child']
        .filter((name) => stdin || name !== 'stdin.child')
        .map((slot) => op('close', { slot }, "the process's end of the pipe")),
      receive: [],
      open: [],
    };
  }
  return {
    terminal,
    stdin,
    setup: [],
    forget: [],
    receive: [op('recvFd', { out: 'pty' }, "the terminal's master")],
    open: [
      op(
        'open',
        {
          dir: ptmxRoot,
          path: 'dev/pts/ptmx',
          flags: k.O_RDWR | k.O_NOCTTY,
          mode: 0,
          resolve: k.RESOLVE_IN_ROOT,
          out: 'pty',
        },
        "a terminal of the container's own devpts",
      ),
      op(
        'openPty',
        { ptmx: 'pty', rows: consoleSize?.height ?? 0, columns: consoleSize?.width ?? 0, out: 'tty' },
        'its other side, for the process, of the right size before it looks',
      ),
      op('sendFd', { slot: 'pty' }, 'the master goes to the keeper'),
      ...(console
        ? [
            op(
              'openTree',
              { dir: 'tty', path: '', flags: k.OPEN_TREE_CLONE | k.AT_EMPTY_PATH, out: 'console' },
              'the terminal again …',
            ),
            ...placeOps('console', ptmxRoot, '/dev/console', 'file', '… as /dev/console'),
          ]
        : []),
    ],
  };
}

export function keepOp(keeper: KeeperOptions, streams: Streams, oomPath: string): Op {
  return op(
    'keep',
    {
      listen: 'listen',
      in: streams.stdin && !streams.terminal ? 'stdin' : undefined,
      out: streams.terminal ? undefined : 'stdout',
      err: streams.terminal ? undefined : 'stderr',
      tty: streams.terminal ? 'pty' : undefined,
      log: keeper.log.path,
      logMax: keeper.log.maxSize,
      logFiles: keeper.log.maxFiles,
      exitPath: keeper.exitPath,
      oomPath,
      flags: keeper.stdinOnce ? 1 : 0,
      expect: keeper.expect,
    },
    'stays with the process: its streams, its log, its exit record',
  );
}
