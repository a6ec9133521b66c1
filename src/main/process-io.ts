// The Io of a process of its own: its own descriptors, signals and directory. Terminals are joined by carrying the bytes
// here (src/runtime/keeper-stream.ts, or another engine's stream), since Node cannot hand descriptors over.

import { spawnSync } from 'node:child_process';
import type { AttachEnd, AttachRequest, Io, Output } from '../cli/io.ts';
import type { AttachPoint } from '../engine/engine.ts';
import { runHelper } from '../registry/client/credentials.ts';
import { joinStream } from '../runtime/keeper-stream.ts';
import type { Executor } from '../sys/executor.ts';
import { filesIn } from './files-io.ts';
import { localTrees } from './trees.ts';

const relayed = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGALRM', 'SIGTERM', 'SIGCONT'] as const;

/** `executor`: the engine's, once there is one in this process. */
export function processIo(executor: () => Executor | undefined): Io {
  const abort = new AbortController();
  const signalListeners = new Set<(signal: string) => void>();
  for (const name of relayed) {
    process.on(name, () => {
      if (signalListeners.size > 0) for (const listener of signalListeners) listener(name);
      else if (name !== 'SIGCONT' && name !== 'SIGUSR2' && name !== 'SIGALRM') abort.abort(name);
    });
  }
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    stdin: { isTTY: Boolean(process.stdin.isTTY), read: readStdin },
    env: process.env,
    cwd: process.cwd(),
    size: () => (process.stdout.isTTY ? { rows: process.stdout.rows, columns: process.stdout.columns } : undefined),
    onResize(listener) {
      process.stdout.on('resize', listener);
      return () => process.stdout.off('resize', listener);
    },
    onSignal(listener) {
      signalListeners.add(listener);
      return () => signalListeners.delete(listener);
    },
    signal: abort.signal,
    attach: carry,
    ...filesIn(process.cwd(), process.pid),
    trees: localTrees(executor),
    helper: (program, args, input) => runHelper(program, args, { input, env: process.env }),
  };
}

async function* readStdin(unseen = false): AsyncGenerator<Uint8Array> {
  const silent = unseen && process.stdin.isTTY;
  if (silent) echo(false);
  try {
    for await (const chunk of process.stdin.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } finally {
    if (silent) echo(true);
  }
}

/** Node has no word for it. */
function echo(shown: boolean): void {
  spawnSync('stty', [shown ? 'echo' : '-echo'], { stdio: ['inherit', 'ignore', 'ignore'] });
}

function output(stream: NodeJS.WriteStream): Output {
  stream.on('error', () => {}); // told to the writer below
  return {
    isTTY: Boolean(stream.isTTY),
    write: (data) =>
      new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve()))),
  };
}

/** Joins a process's streams and carries them to stdout and stderr, and stdin to it. */
async function carry(point: AttachPoint, request: AttachRequest): Promise<AttachEnd> {
  const raw = point.tty && request.stdin && process.stdin.isTTY;
  const stream = point.open ? await point.open(request) : joinStream(point.socket, request);
  if (raw) makeRaw();
  if (request.stdin) process.stdin.pipe(stream.input);
  stream.input.on('error', () => {}); // the end is told by read
  const waiting = new Set<NodeJS.WriteStream>();
  const outputClosed = new Promise<AttachEnd>((resolve) => {
    for (const target of [process.stdout, process.stderr])
      target.once('error', () => resolve({ reason: 'output-closed' }));
  });
  const ended = stream.read((from, bytes) => {
    const target = from === 2 ? process.stderr : process.stdout;
    if (target.write(bytes) || waiting.has(target)) return;
    waiting.add(target);
    stream.pause();
    target.once('drain', () => {
      waiting.delete(target);
      if (waiting.size === 0) stream.resume();
    });
  });
  try {
    return await Promise.race([ended, outputClosed]);
  } finally {
    if (raw) process.stdin.setRawMode(false);
    process.stdin.unpipe(stream.input);
    process.stdin.pause();
    stream.close();
  }
}

/** Node's raw mode leaves the output's newlines to the terminal, which a pty's program has seen to already. */
function makeRaw(): void {
  process.stdin.setRawMode(true);
  spawnSync('stty', ['-opost'], { stdio: 'inherit' });
}
