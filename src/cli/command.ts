// A command is a module of data: names, help, flags, and a handler. The CLI is a list of them (commands/index.ts).

import type { Engine } from '../engine/engine.ts';
import type { Io } from './io.ts';

/** Flag kinds as Docker's `--help` shows them. `list`: repeatable; `bool`: no argument. The rest is text that the handler parses. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** The word after the flag in --help: `string`, `list`, `bytes`, `decimal`, `int`, `duration`…; absent: a bool. */
  readonly type?: string;
  /** May be given several times. */
  readonly list?: boolean;
  readonly help: string;
  /** Shown as `(default X)`, and the value where the flag is absent. */
  readonly default?: string;
  readonly hidden?: boolean;
  /** Old spelling of another flag: accepted, not shown. */
  readonly aliasOf?: string;
  /** Understood, and refused with this sentence: belongs to work that is not done. */
  readonly refused?: string;
  /** Printed when the flag is used: `use --timeout instead`. */
  readonly deprecated?: string;
  /** What is wrong with a value, in Docker's words, or undefined. Types have checks of their own (values.ts). */
  readonly check?: (value: string) => string | undefined;
}

/** Parsed flags: what the user gave, and only that (defaults come in through the getters). */
export interface FlagValues {
  has(name: string): boolean;
  bool(name: string): boolean;
  string(name: string): string;
  list(name: string): readonly string[];
}

export interface Invocation {
  readonly io: Io;
  /** The full path typed by the user: `['container', 'run']` or `['run']`. */
  readonly path: readonly string[];
  readonly flags: FlagValues;
  readonly args: readonly string[];
  readonly engine: Engine;
  /** Everything that can be typed: for explain and completion. */
  readonly commands: readonly Command[];
}

export interface Command {
  /** All ways to type it: `[['run'], ['container', 'run']]`; the first is the one that --help shows. */
  readonly names: readonly (readonly string[])[];
  /** One line, as in the list of commands. */
  readonly summary: string;
  /** What --help says instead of the summary, where one line is not enough. */
  readonly description?: string;
  /** After the name in `Usage:`: `[OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly args: { readonly min: number; readonly max?: number };
  readonly flags: readonly Flag[];
  /** Flags end at the first positional argument (run, exec). */
  readonly stopAtFirstArg?: boolean;
  readonly hidden?: boolean;
  /** Known, and refused with this sentence, whatever flags and arguments it has. */
  readonly refused?: string;
  /** run and create: errors are told as `hoist: …` with a pointer to --help, and exit with 125, 126 or 127. */
  readonly launches?: boolean;
  /** Completion of positional arguments: what a name means. */
  readonly completes?: 'container' | 'image' | 'network' | 'volume' | 'context' | 'object';
  /** Returns the exit code. */
  run(invocation: Invocation): Promise<number>;
}
