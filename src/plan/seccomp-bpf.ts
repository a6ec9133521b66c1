// The BPF that seccomp filters are made of: instructions, branches of any length, a search tree over ranges, and
// comparisons of 64-bit arguments by halves. Code is built from its end, so that every jump is forward and known.

import type { SeccompArg } from '../spec/oci/seccomp.ts';

/** `struct sock_filter` (linux/filter.h). */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}
export type Code = readonly Instruction[];

export const op = { loadAbs: 0x20, jump: 0x05, jeq: 0x15, jgt: 0x25, jge: 0x35, and: 0x54, ret: 0x06 } as const;

export function ins(code: number, k: number, jt = 0, jf = 0): Instruction {
  return { code, jt, jf, k };
}

/** `then` where the test holds, else what follows `then`; conditional jumps carry 8 bits, so a far one needs a hop. */
export function branch(test: number, value: number, then: Code): Code {
  return then.length < 256
    ? [ins(test, value, 0, then.length), ...then]
    : [ins(test, value, 1, 0), ins(op.jump, then.length), ...then];
}

/** The code for all values from `from` to the next span's `from`. The first starts at 0. Each must end in a `ret`. */
export interface Span {
  readonly from: number;
  readonly code: Code;
}

/** A binary search on the accumulator, over spans in ascending order. */
export function rangeTree(spans: readonly Span[]): Code {
  const merged: Span[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last === undefined || !sameReturn(last.code, span.code)) merged.push(span);
  }
  return tree(merged);
}

function sameReturn(a: Code, b: Code): boolean {
  return a.length === 1 && b.length === 1 && a[0]?.code === op.ret && b[0]?.code === op.ret && a[0].k === b[0].k;
}

function tree(spans: readonly Span[]): Code {
  const middle = spans.length >> 1;
  const pivot = spans[middle];
  if (pivot === undefined) return [];
  if (spans.length === 1) return pivot.code;
  return [...branch(op.jge, pivot.from, tree(spans.slice(middle))), ...tree(spans.slice(0, middle))];
}

export const comparisons: readonly string[] = ['EQ', 'NE', 'LT', 'LE', 'GT', 'GE', 'MASKED_EQ'].map(
  (name) => `SCMP_CMP_${name}`,
);

/** `then` (which ends in `ret`) where all conditions hold, else what follows. `wide`: arguments are 64 bits. */
export function matchAll(args: readonly SeccompArg[], wide: boolean, then: Code): Code {
  let code = then;
  for (const arg of [...args].reverse()) code = [...compare(arg, wide, code.length), ...code];
  return code;
}

/** Falls through where the condition holds, else jumps over the `skip` instructions after it. */
function compare(arg: SeccompArg, wide: boolean, skip: number): Code {
  // seccomp_data.args[] are 64-bit words; both x86-64 and arm64 are little endian: the low half comes first
  const at = 16 + arg.index * 8;
  const [high, low] = halves(arg.value);
  const loadLow = ins(op.loadAbs, at);
  const loadHigh = ins(op.loadAbs, at + 4);
  switch (arg.op) {
    case 'SCMP_CMP_EQ':
      return [...(wide ? [loadHigh, ins(op.jeq, high, 0, skip + 2)] : []), loadLow, ins(op.jeq, low, 0, skip)];
    case 'SCMP_CMP_NE':
      return [...(wide ? [loadHigh, ins(op.jeq, high, 0, 2)] : []), loadLow, ins(op.jeq, low, skip, 0)];
    case 'SCMP_CMP_GE':
    case 'SCMP_CMP_GT': {
      const last = ins(arg.op === 'SCMP_CMP_GE' ? op.jge : op.jgt, low, 0, skip);
      return [...(wide ? [loadHigh, ins(op.jgt, high, 3, 0), ins(op.jeq, high, 0, skip + 2)] : []), loadLow, last];
    }
    case 'SCMP_CMP_LT':
    case 'SCMP_CMP_LE': {
      const last = ins(arg.op === 'SCMP_CMP_LT' ? op.jge : op.jgt, low, skip, 0);
      return [...(wide ? [loadHigh, ins(op.jgt, high, skip + 3, 0), ins(op.jeq, high, 0, 2)] : []), loadLow, last];
    }
    default: {
      const [datumHigh, datumLow] = halves(arg.valueTwo ?? 0);
      const upper = [loadHigh, ins(op.and, high), ins(op.jeq, datumHigh, 0, skip + 3)];
      return [
        ...(wide && (high | datumHigh) !== 0 ? upper : []),
        loadLow,
        ins(op.and, low),
        ins(op.jeq, datumLow, 0, skip),
      ];
    }
  }
}

/** Many alternatives on one argument with one action are one search instead of a row of tests; undefined where they are not. */
export function oneArgument(
  rules: readonly { readonly action: number; readonly args: readonly SeccompArg[] }[],
  fallback: number,
  wide: boolean,
): Code | undefined {
  const [first] = rules;
  const index = first?.args[0]?.index;
  if (first === undefined || index === undefined || rules.length < 4) return undefined;
  const ranges: [from: number, end: number][] = [];
  for (const { action, args } of rules) {
    const [arg] = args;
    if (arg === undefined || args.length !== 1 || arg.index !== index || action !== first.action) return undefined;
    const value = Number(arg.value);
    if (value > 0xffffffff) return undefined;
    if (arg.op === 'SCMP_CMP_EQ') ranges.push([value, value + 1]);
    else if (arg.op === 'SCMP_CMP_LT') ranges.push([0, value]);
    else if (arg.op === 'SCMP_CMP_LE') ranges.push([0, value + 1]);
    else return undefined;
  }
  const spans: Span[] = [];
  let end = 0;
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0])) {
    if (from > end) spans.push({ from: end, code: [ins(op.ret, fallback)] });
    if (to > end) spans.push({ from: Math.max(from, end), code: [ins(op.ret, first.action)] });
    end = Math.max(end, to);
  }
  if (end <= 0xffffffff) spans.push({ from: end, code: [ins(op.ret, fallback)] });
  const low = [ins(op.loadAbs, 16 + index * 8), ...rangeTree(spans)];
  if (!wide) return low;
  return [ins(op.loadAbs, 20 + index * 8), ...branch(op.jeq, 0, low), ins(op.ret, fallback)];
}

function halves(value: number | bigint): [high: number, low: number] {
  const word = BigInt.asUintN(64, BigInt(value));
  return [Number(word >> 32n), Number(word & 0xffffffffn)];
}
