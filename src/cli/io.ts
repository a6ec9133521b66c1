// All that CLI code may touch of the outside: the same module runs hosted in the engine (for a native client
// far away on a socket) and in a process of its own. Nothing in src/cli uses process, console or fs paths
// relative to a working directory of its own.

import type { AttachPoint } from '../engine/engine.ts';
import type { StreamEnd, StreamRequest } from '../runtime/keeper-stream.ts';

export type AttachRequest = StreamRequest;
export type AttachEnd = StreamEnd;

export interface Output {
  /** Resolves when the reader has room for more. Rejects (EPIPE) when it went away. */
  write(data: string | Uint8Array): Promise<void>;
  readonly isTTY: boolean;
}

export type LocalKind = 'directory' | 'file' | 'symlink' | 'device' | 'other';

/** Whole trees of the user's, by absolute paths: what `cp` takes and leaves here. */
export interface LocalTrees {
  /** What is there, a last symlink itself; undefined: nothing. */
  kindOf(path: string): Promise<LocalKind | undefined>;
  linkTarget(path: string): Promise<string>;
  realpath(path: string): Promise<string>;
  /** A tar of it, under another name. */
  pack(path: string, as: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Into a directory; everything belongs to the user. `rename`: the archive's first name, and what it becomes. */
  unpack(
    directory: string,
    tar: AsyncIterable<Uint8Array>,
    options: { readonly rename?: { readonly from: string; readonly to: string }; readonly signal: AbortSignal },
  ): Promise<void>;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: {
    readonly isTTY: boolean;
    /** `unseen`: a terminal does not show what is typed, until the command reads again or ends. */
    read(unseen?: boolean): AsyncIterable<Uint8Array>;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Of the terminal, where there is one; follows resizes. */
  size(): { readonly rows: number; readonly columns: number } | undefined;
  onResize(listener: () => void): () => void;
  /** Signals the user sent to the command (names, `SIGINT`). While somebody listens, they do not end the command. */
  onSignal(listener: (signal: string) => void): () => void;
  /** Aborted when the command must end: the client went away, or a signal nobody listens to. */
  readonly signal: AbortSignal;
  /** Hands the terminal's file descriptors to the container and resolves when they come apart again. */
  attach(point: AttachPoint, request: AttachRequest): Promise<AttachEnd>;
  /** Files as the user names them (relative to cwd). */
  readFile(path: string): Promise<Uint8Array>;
  openFile(path: string): AsyncIterable<Uint8Array>;
  /** Fails with code `file.exists` when it is there already, if `exclusive`. */
  writeFile(path: string, data: string, options: { readonly exclusive: boolean }): Promise<void>;
  /**
   * Replaces a file as a whole, or leaves it as it was when `data` fails; what is no plain file is written into. With
   * `makeDirectory` its directory is made (0700) where it is missing.
   */
  replaceFile(
    path: string,
    data: AsyncIterable<Uint8Array>,
    options: { readonly mode: number; readonly makeDirectory?: boolean },
  ): Promise<void>;
  /** The names in a directory; none where there is no such directory. */
  listDirectory(path: string): Promise<readonly string[]>;
  /** A directory with all that is in it; none is no failure. */
  removeTree(path: string): Promise<void>;
  readonly trees: LocalTrees;
  /** Runs one of the user's programs (a credential helper): its stdout and exit code. Secrets go through `input`. */
  helper(
    program: string,
    args: readonly string[],
    input: string,
  ): Promise<{ readonly code: number; readonly output: string }>;
  /** Runs the CLI plugin of that name in the user's own process, with all words; undefined: there is none. */
  plugin?(name: string, words: readonly string[]): Promise<number | undefined>;
}
