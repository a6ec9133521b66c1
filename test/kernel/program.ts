// A program under test: started, fed, listened to, and how it ended.

import type { ChildProcess } from 'node:child_process';

export interface Result {
  /** As a shell shows it: 128 + the number of the signal that ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as it came. */
  readonly bytes: Buffer;
}

export interface RunOptions {
  /** Bytes on stdin, through a pipe; absent: /dev/null; `closed`: no descriptor 0 at all. */
  readonly input?: string | Buffer | 'closed';
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Seconds until it is killed, and the test fails. */
  readonly timeout?: number;
}

/** A program that runs, and what it has said so far. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly said: () => string;
  readonly complained: () => string;
  /** Resolves when stdout matches; fails when the program ends first, or after 20 s. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  send(text: string | Buffer): void;
  readonly ended: Promise<Result>;
}

/** `timeout`: seconds until it is killed and `ended` fails. */
export function follow(child: ChildProcess, timeout = 60): Running {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  child.stdin?.on('error', () => {}); // a program that does not read
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk) && wake());
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeout * 1000);
  let over = false;
  const said = (): string => Buffer.concat(out).toString();
  const complained = (): string => Buffer.concat(err).toString();
  const ended = new Promise<Result>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      over = true;
      wake();
      if (late)
        reject(
          new Error(`${child.spawnargs.join(' ')}: not over after ${timeout} s\n${complained()}${said().slice(-2000)}`),
        );
      else
        resolve({
          code: code ?? 128 + signalNumber(signal),
          stdout: said(),
          stderr: complained(),
          bytes: Buffer.concat(out),
        });
    });
  });
  ended.catch(() => {});
  return {
    child,
    pid: child.pid ?? -1,
    said,
    complained,
    ended,
    send: (text) => void child.stdin?.write(text),
    until(pattern) {
      return new Promise((resolve, reject) => {
        const stop = (): void => {
          clearTimeout(patience);
          watchers.delete(look);
        };
        const look = (): void => {
          const match = pattern.exec(said());
          if (!match && !over) return;
          stop();
          if (match) resolve(match);
          else reject(new Error(`ended without ${pattern}:\n${said().slice(-2000)}\n${complained()}`));
        };
        const patience = setTimeout(() => {
          stop();
          reject(new Error(`no ${pattern} within 20 s in:\n${said().slice(-2000)}\n${complained()}`));
        }, 20_000);
        watchers.add(look);
        look();
      });
    },
  };
}

function signalNumber(name: string | null): number {
  return { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 }[name ?? ''] ?? 0;
}
