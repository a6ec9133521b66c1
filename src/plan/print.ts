// A plan as text for people (`hoist explain`, golden tests), and a failed op as one sentence.

import type { FieldType, OpName } from './ops.gen.ts';
import { opTable } from './ops.gen.ts';
import { anyError, type Op, type Patch, type Plan } from './ops.ts';

export const planSections = [
  ['setup', 'in the keeper, before the process'],
  ['child', 'in the new process, up to execve'],
  ['cleanup', 'in the keeper, at the end, whatever happened'],
] as const;

/** One line per op: number, name, arguments, why. Bytes are shown as their length, or as text where they are text. */
export function printPlan(plan: Plan): string {
  const lines: string[] = [];
  for (const [section, where] of planSections) {
    if (plan[section].length === 0) continue;
    if (lines.length > 0) lines.push('');
    lines.push(`# ${section}: ${where}`);
    plan[section].forEach((one, index) => {
      lines.push(`${String(index).padStart(3)}  ${printOp(one)}`, `       ${one.why}`);
    });
  }
  return `${lines.join('\n')}\n`;
}

/** The same for programs: fields as they are, bytes as base64 (or text). */
export function planToJson(plan: Plan): unknown {
  const one = (op: Op): unknown =>
    Object.fromEntries(
      Object.entries(op).map(([key, value]) => [
        key,
        value instanceof Uint8Array
          ? bytesToJson(value)
          : typeof value === 'bigint'
            ? `0x${value.toString(16)}`
            : value,
      ]),
    );
  return { setup: plan.setup.map(one), child: plan.child.map(one), cleanup: plan.cleanup.map(one) };
}

/** Text as it is, anything else as base64. */
function bytesToJson(bytes: Uint8Array): string | { readonly base64: string } {
  const buffer = Buffer.from(bytes);
  return isText(buffer) ? buffer.toString('latin1') : { base64: buffer.toString('base64') };
}

function isText(bytes: Buffer): boolean {
  return /^[\x20-\x7e\n\t]*$/.test(bytes.toString('latin1'));
}

/** An op with its fields, on one line. */
export function printOp(one: Op): string {
  return `${one.op}${printFields(one)}`;
}

function printFields(one: Op): string {
  const values = one as unknown as Readonly<Record<string, unknown>>;
  const parts: string[] = [];
  for (const [name, type] of opTable[one.op].fields) {
    const shown = printValue(name, type, values[name]);
    if (shown !== '') parts.push(`${name}=${shown}`);
  }
  return (
    (parts.length > 0 ? ` ${parts.join(' ')}` : '') +
    (one.allow === undefined ? '' : one.allow === anyError ? ' (any error is fine)' : ` (errno ${one.allow} is fine)`)
  );
}

const octal = new Set(['mode']);
const hexadecimal = new Set([
  'flags',
  'set',
  'clear',
  'propagation',
  'resolve',
  'attrs',
  'effective',
  'permitted',
  'inheritable',
  'bounding',
  'ambient',
]);

function printValue(name: string, type: FieldType, value: unknown): string {
  switch (type) {
    case 'slot':
      return value === undefined ? '' : `<${String(value)}>`;
    case 'out':
      return `<${String(value)}>`;
    case 'u32':
    case 'u64': {
      const number = BigInt(value as number | bigint);
      if (number === 0n) return '';
      if (octal.has(name)) return `0${number.toString(8)}`;
      return hexadecimal.has(name) ? `0x${number.toString(16)}` : number.toString();
    }
    case 'str':
      return value === '' ? '' : quote(value as string);
    case 'strs':
      return (value as readonly string[]).length === 0 ? '' : `[${(value as readonly string[]).map(quote).join(' ')}]`;
    case 'bytes':
      return (value as Uint8Array).length === 0 ? '' : showBytes(value as Uint8Array);
    case 'patches':
      return (value as readonly Patch[]).length === 0
        ? ''
        : `[${(value as readonly Patch[]).map((p) => `${p.offset}:<${p.slot}>`).join(' ')}]`;
  }
}

function quote(text: string): string {
  return /^[\w./:=,@%+-]+$/.test(text) ? text : JSON.stringify(text);
}

function showBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return /^[\x20-\x7e\n\t]*$/.test(text) && bytes.length <= 200 ? JSON.stringify(text) : `(${bytes.length} bytes)`;
}

export interface OpFailure {
  readonly section: 'setup' | 'child' | 'cleanup' | 'plan';
  readonly index: number;
  /** Positive errno. */
  readonly errno: number;
}

/** `cannot open /dev/foo: ENOENT (no such file or directory; op 14 of setup: the device that --device names)` */
export function explainFailure(plan: Plan, failure: OpFailure, errnoName: (errno: number) => string): string {
  if (failure.section === 'plan') return `the plan was refused: ${errnoName(failure.errno)}`;
  const failed = plan[failure.section][failure.index];
  if (!failed) return `${errnoName(failure.errno)} (op ${failure.index} of ${failure.section})`;
  const words = failed.op === 'hook' && failure.errno > hookExit ? hookEnd(failure.errno) : errnoName(failure.errno);
  return `cannot ${verbs[failed.op] ?? failed.op} ${subject(failed)}: ${words} (op ${failure.index} of ${failure.section}: ${failed.why})`;
}

/** native/ops_oci.c: a hook that ran and failed says how in numbers that are no errno. */
const hookExit = 1024;
const hookSignal = 2048;

function hookEnd(code: number): string {
  return code > hookSignal
    ? `it was killed by signal ${code - hookSignal}`
    : `it ended with exit code ${code - hookExit}`;
}

const verbs: Partial<Record<OpName, string>> = {
  fsmount: 'mount',
  moveMount: 'mount',
  openTree: 'open',
  ensure: 'make',
  mkdir: 'make',
  writeFile: 'write',
  exec: 'run',
  bindPort: 'reserve',
  ids: 'become',
  hook: 'run the hook',
  childFile: 'write',
};

function subject(failed: Op): string {
  switch (failed.op) {
    case 'exec':
      return failed.argv[0] ?? '';
    case 'fsmount':
      return failed.fstype;
    case 'bindPort':
      return `port ${failed.port}`;
    case 'ids':
      return `user ${failed.uid}:${failed.gid}`;
    default:
      return 'path' in failed ? failed.path : 'name' in failed ? failed.name : '';
  }
}
