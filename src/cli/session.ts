// A terminal joined to a container's process: attach, window size, signals, and how it ended. Shared by run, start, attach
// and exec; what differs is given as functions.

import { fail, isHoistError } from '../base/errors.ts';
import type { AttachPoint } from '../engine/engine.ts';
import type { AttachEnd, AttachRequest, Io } from './io.ts';

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

export interface Session {
  readonly io: Io;
  readonly request: AttachRequest;
  readonly tty: boolean;
  /** Starts the process and reports where to join it, before it runs. */
  start(onAttachable: (point: AttachPoint) => void): Promise<void>;
  resize(size: Size): Promise<void>;
  /** undefined: signals are not passed on, and end this command. */
  readonly kill: ((signal: string) => Promise<void>) | undefined;
  /** The exit code, once the process has ended. */
  exitCode(): Promise<number>;
}

/** Signals that mean something to this command itself, or that a runtime sends itself (as in Docker's client). */
const notPassedOn = new Set(['SIGCHLD', 'SIGPIPE', 'SIGURG', 'SIGWINCH']);

/** Runs until the process ends or the terminal comes off; the exit code of the command. */
export async function runSession(session: Session): Promise<number> {
  const { io, kill } = session;
  const ignore = (): undefined => undefined;
  const stopSignals =
    kill === undefined
      ? ignore
      : io.onSignal((signal) => {
          if (!notPassedOn.has(signal)) kill(signal).catch(ignore);
        });
  const stopResize = session.tty ? io.onResize(() => void resizeNow(session)) : ignore;
  try {
    let joined: Promise<AttachEnd> | undefined;
    let detached: (() => void) | undefined;
    await session.start((point) => {
      detached = point.detached;
      joined = io.attach(point, session.request);
      joined.catch(ignore);
    });
    if (session.tty) void resizeNow(session);
    const end = joined === undefined ? undefined : await joined;
    if (end?.reason === 'detached') {
      if (!io.signal.aborted) detached?.(); // not where the terminal went away
      return 0;
    }
    if (end?.reason === 'output-closed') return 141; // as if SIGPIPE had ended us; the container goes on
    return await session.exitCode();
  } finally {
    stopSignals();
    stopResize();
  }
}

async function resizeNow(session: Session): Promise<void> {
  const size = session.io.size();
  if (size === undefined || size.rows === 0) return;
  // The process may be gone already: its window has no size to set.
  await session.resize(size).catch(() => undefined);
}

/** A pty's input must be a terminal, or its line editing would eat what a program sends. */
export function requireTerminal(io: Io, wanted: { readonly stdin: boolean; readonly tty: boolean }): void {
  if (wanted.stdin && wanted.tty && !io.stdin.isTTY) fail('invalid', 'cli.plain', 'the input device is not a TTY');
}

/** What an engine says about a thing that is not there, whatever it says it about. */
export function isGone(error: unknown): boolean {
  return isHoistError(error) && error.kind === 'not_found';
}
