// Seeds for the fuzzer of the plan decoder: every op of the table, alone and together, as files in a directory.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encodePlan } from '../../src/plan/encode.ts';
import { type OpName, opTable } from '../../src/plan/ops.gen.ts';
import type { Op } from '../../src/plan/ops.ts';

const values: Readonly<Record<string, unknown>> = {
  u32: 7,
  u64: 9n,
  str: '/a/path',
  bytes: Buffer.from('some bytes, more than a few of them, for patches to fit in'),
  strs: ['one', 'two', ''],
  patches: [{ offset: 4, slot: 'here' }],
  slot: 'here',
  out: 'here',
};

function exampleOf(name: OpName): Op {
  const fields = opTable[name].fields.map(([field, type]) => [field, values[type]] as const);
  return { op: name, why: '', ...Object.fromEntries(fields) } as unknown as Op;
}

export function writePlanSeeds(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  const names = Object.keys(opTable) as OpName[];
  const all = names.map(exampleOf);
  const plans = [...all.map((one) => [one]), all, all.slice(0, 20), all.slice(20, 45)];
  return plans.map((ops, index) => {
    const file = path.join(directory, `seed-${index}`);
    const first = exampleOf('open'); // what fills the slot that others use
    writeFileSync(file, encodePlan({ setup: [first, ...ops], child: [first, ...ops.slice(0, 3)], cleanup: [first] }));
    return file;
  });
}
