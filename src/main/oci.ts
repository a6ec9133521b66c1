// `hoist oci`, and `runc` where that is a link to hoist: the commands of an OCI runtime. Every process that they start is
// a child of the command that asked (native/oci.c), in whoever's process tree that is.

import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { fail, isHoistError } from '../base/errors.ts';
import { hoistVersion } from '../base/version.ts';
import type { Io } from '../cli/io.ts';
import { runtimeSpecVersion } from '../runtime/oci/documents.ts';
import type { OciWorld } from '../runtime/oci/world.ts';
import { commands } from './oci-commands.ts';
import { type OciWords, ociCommands, readOciWords } from './oci-flags.ts';

const usage = `Usage: hoist oci [global options] COMMAND [options] [arguments]

An OCI runtime with runc's command line. Commands:
  ${ociCommands.join(' ')}
Global options: --root DIR, --log FILE, --log-format text|json, --debug, --systemd-cgroup, --rootless, --version
`;

const version = `runc version 1.2.5+hoist-${hoistVersion}
commit: hoist-${hoistVersion}
spec: ${runtimeSpecVersion}
hoist: ${hoistVersion}, an OCI runtime of its own with runc's command line
`;

/** Returns the exit code. `words`: behind `oci`. */
export async function runOci(words: readonly string[], io: Io, machine: Omit<OciWorld, 'root'>): Promise<number> {
  let global: OciWords | undefined;
  try {
    global = readOciWords('', words);
    if (global.has('version')) return await print(io, version);
    const [command = '', ...rest] = global.args;
    if (global.has('help') || command === '' || command === 'help') return await print(io, usage);
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (run === undefined) return fail('invalid', 'oci.command', `no such command: ${JSON.stringify(command)}`);
    const root = path.resolve(io.cwd, global.value('root') || defaultRoot(io));
    return await run({ io, world: { ...machine, root }, global, words: readOciWords(command, rest) });
  } catch (error) {
    const message = isHoistError(error) ? error.message : error instanceof Error ? error.message : String(error);
    await tell(io, global, message);
    return 1;
  }
}

function defaultRoot({ env }: Io): string {
  if (process.geteuid?.() === 0) return '/run/hoist/oci';
  return env['XDG_RUNTIME_DIR'] ? `${env['XDG_RUNTIME_DIR']}/hoist/oci` : `/tmp/hoist-${process.geteuid?.()}/oci`;
}

async function print({ stdout }: Io, text: string): Promise<number> {
  await stdout.write(text);
  return 0;
}

/** As runc: a line of its log, in the log's form, and the bare sentence on stderr where the log is elsewhere. */
async function tell(io: Io, global: OciWords | undefined, message: string): Promise<void> {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  const line =
    global?.value('log-format') === 'json'
      ? JSON.stringify({ level: 'error', msg: message, time })
      : `time=${JSON.stringify(time)} level=error msg=${JSON.stringify(message)}`;
  const log = global?.value('log') ?? '';
  if (log === '') return await io.stderr.write(`${line}\n`).catch(() => {});
  try {
    appendFileSync(path.resolve(io.cwd, log), `${line}\n`);
  } catch {} // the sentence on stderr is what is left
  await io.stderr.write(`${message}\n`).catch(() => {});
}
