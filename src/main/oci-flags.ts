// The words of runc's command line: which flags each command has, and how they are read (Go's way: -flag and --flag
// alike, a value behind `=` or in the next word).

import { fail } from '../base/errors.ts';
import type { Io } from '../cli/io.ts';
import { limitFlags } from '../runtime/oci/update.ts';
import type { OciWorld } from '../runtime/oci/world.ts';

/** `bundle,b=` takes a value, `detach,d` does not. */
const table: Readonly<Record<string, string>> = {
  '': 'root= log= log-format= debug systemd-cgroup rootless= criu= version,v help,h',
  create: 'bundle,b= console-socket= pidfd-socket= pid-file= no-pivot no-new-keyring preserve-fds=',
  run: 'bundle,b= console-socket= pidfd-socket= pid-file= no-pivot no-new-keyring no-subreaper preserve-fds= detach,d keep',
  start: '',
  state: '',
  kill: 'all,a',
  delete: 'force,f',
  exec: 'process,p= console-socket= pidfd-socket= pid-file= detach,d cwd= env,e= user,u= tty,t additional-gids,g= cap,c= no-new-privs preserve-fds= ignore-paused cgroup= apparmor= process-label=',
  ps: 'format,f=',
  events: 'stats interval=',
  spec: 'bundle,b= rootless',
  list: 'format,f= quiet,q',
  pause: '',
  resume: '',
  update: `resources,r= l3-cache-schema= mem-bw-schema= ${Object.keys(limitFlags)
    .map((name) => `${name}=`)
    .join(' ')}`,
  features: '',
  checkpoint: '*',
  restore: '*',
};

/** Known, and refused with this reason. */
const refused: Readonly<Record<string, string>> = {
  'no-pivot': 'the root is always changed by pivot_root, which a root on a ramdisk does not allow',
  'pidfd-socket': 'no pidfd is handed out',
  cgroup: 'a process joins the cgroup of its container',
  apparmor: "the profile is that of the container's configuration",
  'process-label': "the label is that of the container's configuration",
};

/** Words behind the first argument are not ours. */
const stopping = new Set(['', 'exec', 'ps']);

export interface OciWords {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly args: readonly string[];
  has(name: string): boolean;
  /** The last one given; '' where none was. */
  value(name: string): string;
}

/** A command line, taken apart, and what it is carried out with. */
export interface OciCall {
  readonly io: Io;
  readonly world: OciWorld;
  readonly global: OciWords;
  readonly words: OciWords;
}

export const ociCommands = Object.keys(table).filter((name) => name !== '');

export function readOciWords(command: string, words: readonly string[]): OciWords {
  const flags = (table[command] ?? '').split(' ').filter((one) => one !== '');
  const values = new Map<string, string[]>();
  const args: string[] = [];
  const any = flags[0] === '*';
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') break;
    if (!/^--?[^-]/.test(word) || any) {
      args.push(word);
      if (stopping.has(command)) break;
      continue;
    }
    const [, name = '', value] = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const flag = flags.find((one) => one.replace('=', '').split(',').includes(name));
    if (flag === undefined) fail('invalid', 'oci.flag', `flag provided but not defined: -${name}`);
    const [long = ''] = flag.replace('=', '').split(',');
    if (refused[long] !== undefined) fail('unsupported', 'oci.flag', `--${long} is not supported: ${refused[long]}`);
    const given = flag.endsWith('=') ? (value ?? words[++at]) : (value ?? 'true');
    if (given === undefined) fail('invalid', 'oci.flag', `flag needs an argument: -${name}`);
    values.set(long, [...(values.get(long) ?? []), given]);
  }
  args.push(...words.slice(at + 1));
  const last = (name: string): string => values.get(name)?.at(-1) ?? '';
  return { values, args, value: last, has: (name) => values.has(name) && last(name) !== 'false' };
}
