// Two plans compared, op by op: what is in one alone, and what is the same step with other fields. Pure.

import type { Op, Plan } from './ops.ts';
import { planSections, planToJson, printOp } from './print.ts';

export interface NamedPlan {
  readonly plan: Plan;
  /** Names that are new each time (a container's id): no difference. */
  readonly fresh: readonly string[];
  /** What the engine does besides. */
  readonly around?: readonly string[];
}

export interface PlacedOp {
  readonly index: number;
  readonly op: Op;
  /** As `explain` prints it, with `<id>` for what is new each time. */
  readonly text: string;
}

/** `before` alone: it is gone. `after` alone: it is new. Both: the same step, with other fields. */
export interface PlanDifference {
  readonly section: keyof Plan;
  readonly before?: PlacedOp;
  readonly after?: PlacedOp;
}

export function diffPlans(before: NamedPlan, after: NamedPlan): readonly PlanDifference[] {
  return planSections.flatMap(([section]) =>
    paired(changes(keyed(before, section), keyed(after, section)).map((one) => ({ section, ...one }))),
  );
}

/** The lines on the engine that only one of the two has, with - or + in front. */
export function diffAround({ around: before = [] }: NamedPlan, { around: after = [] }: NamedPlan): readonly string[] {
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `-     ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+     ${line}`),
  ];
}

/** What differs, with its whys; `paint` colours a line that begins with - or +. */
export function printDifferences(
  differences: readonly PlanDifference[],
  around: readonly string[] = [],
  paint: (line: string) => string = (line) => line,
): string {
  const lines: string[] = around.length > 0 ? ['# engine: besides the plan', ...around.map(paint)] : [];
  for (const [section, where] of planSections) {
    const own = differences.filter((one) => one.section === section);
    if (own.length === 0) continue;
    if (lines.length > 0) lines.push('');
    lines.push(`# ${section}: ${where}`);
    for (const { before, after } of own) {
      const [old, fresh] = [before?.text, after?.text];
      const note = old !== undefined && old === fresh ? ' (with other bytes)' : '';
      if (before) lines.push(paint(`-${String(before.index).padStart(3)}  ${old}`));
      if (before && before.op.why !== after?.op.why) lines.push(`        ${before.op.why}`);
      if (after) lines.push(paint(`+${String(after.index).padStart(3)}  ${fresh}${note}`), `        ${after.op.why}`);
    }
  }
  return lines.length > 0 ? `${lines.join('\n')}\n` : 'the plans are the same\n';
}

export function differencesToJson(differences: readonly PlanDifference[], around: readonly string[] = []): unknown {
  const shown = (section: keyof Plan, { index, op }: PlacedOp): object => {
    const none = { setup: [], child: [], cleanup: [] };
    const json = planToJson({ ...none, [section]: [op] }) as Readonly<Record<keyof Plan, readonly object[]>>;
    return { index, ...json[section][0] };
  };
  const engine = around.map((line) => ({
    section: 'engine',
    [line.startsWith('-') ? 'before' : 'after']: line.slice(1).trim(),
  }));
  const ops = differences.map(({ section, before, after }) => ({
    section,
    ...(before ? { before: shown(section, before) } : {}),
    ...(after ? { after: shown(section, after) } : {}),
  }));
  return [...engine, ...ops];
}

interface Keyed extends PlacedOp {
  readonly key: string;
}

function keyed({ plan, fresh }: NamedPlan, section: keyof Plan): Keyed[] {
  return plan[section].map((op, index) => {
    const { why: _, ...fields } = op;
    const text = JSON.stringify(fields, (_name, value: unknown) => {
      if (typeof value === 'bigint') return Number(value);
      // JSON.stringify has called Buffer's own toJSON by now
      if (isBytes(value)) return Buffer.from('data' in value ? value.data : value).toString('latin1');
      return value;
    });
    const masked = (line: string): string => fresh.reduce((left, name) => left.replaceAll(name, '<id>'), line);
    return { index, op, text: masked(printOp(op)), key: masked(text) };
  });
}

function isBytes(value: unknown): value is Uint8Array | { readonly data: readonly number[] } {
  if (value instanceof Uint8Array) return true;
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}

type Change = { readonly before: PlacedOp } | { readonly after: PlacedOp } | 'same';

/** The longest common subsequence stays; the rest is gone or new. Plans have some hundred ops: a table is small. */
function changes(a: readonly Keyed[], b: readonly Keyed[]): Exclude<Change, 'same'>[] {
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i]?.key === b[j]?.key ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: Exclude<Change, 'same'>[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const [one, other] = [a[i], b[j]];
    if (one && other && one.key === other.key) {
      i++;
      j++;
    } else if (one && (!other || at(i + 1, j) >= at(i, j + 1))) {
      found.push({ before: one });
      i++;
    } else if (other) {
      found.push({ after: other });
      j++;
    }
  }
  return found;
}

/** One that is gone and a new one for the same purpose are one step that changed. */
function paired(all: readonly PlanDifference[]): PlanDifference[] {
  const left = [...all];
  const result: PlanDifference[] = [];
  for (let one = left.shift(); one !== undefined; one = left.shift()) {
    const { before } = one;
    const partner =
      before === undefined
        ? -1
        : left.findIndex(({ before: other, after }) => !other && after && same(before.op, after.op));
    const [found] = partner < 0 ? [] : left.splice(partner, 1);
    result.push(found?.after ? { ...one, after: found.after } : one);
  }
  return result;
}

function same(a: Op, b: Op): boolean {
  if (a.op !== b.op) return false;
  return a.why === b.why || ('path' in a && 'path' in b && a.path !== '' && a.path === b.path);
}
