// Makes the C and the TypeScript side of the plan wire from native/ops.def. `--check`: fail when they are stale.
import { readFileSync, writeFileSync } from 'node:fs';

const cTypes = {
  u32: 'uint32_t',
  u64: 'uint64_t',
  str: 'struct str',
  bytes: 'struct str',
  strs: 'struct strs',
  patches: 'struct patches',
  slot: 'uint16_t',
  out: 'uint16_t',
};
const tsTypes = {
  u32: 'number',
  u64: 'number | bigint',
  str: 'string',
  bytes: 'Uint8Array',
  strs: 'readonly string[]',
  patches: 'readonly Patch[]',
  slot: 'Slot',
  out: 'Slot',
};

const ops = readFileSync('native/ops.def', 'utf8')
  .split('\n')
  .filter((line) => /^\d/.test(line))
  .map((line) => {
    const [head, doc = ''] = line.split(' -- ');
    const [number, name, ...fields] = head.trim().split(/\s+/);
    return {
      number: Number(number),
      name,
      doc: doc.trim(),
      fields: fields.map((f) => ({ name: f.split(':')[0], type: f.split(':')[1] })),
    };
  });
for (const key of ['number', 'name']) {
  const seen = new Set();
  for (const op of ops) {
    if (seen.has(op[key])) throw new Error(`native/ops.def: ${key} ${op[key]} stands twice`);
    seen.add(op[key]);
  }
}
for (const op of ops)
  for (const f of op.fields)
    if (!cTypes[f.type]) throw new Error(`native/ops.def: ${op.name}.${f.name}: unknown type ${f.type}`);

const upper = (name) => name.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase();
const header = `/* Made by tools/gen-ops.mjs from ops.def. Do not edit. */
#pragma once
${ops.map((op) => `#define OP_${upper(op.name)} ${op.number}`).join('\n')}
#define OP_LAST ${Math.max(...ops.map((op) => op.number))}

${ops
  .filter((op) => op.fields.length)
  .map((op) => `struct op_${op.name} { ${op.fields.map((f) => `${cTypes[f.type]} ${f.name};`).join(' ')} };`)
  .join('\n')}

struct op {
\tuint16_t code;
\tuint16_t allow; /* an errno that is no failure, 0: none */
\tunion {
${ops
  .filter((op) => op.fields.length)
  .map((op) => `\t\tstruct op_${op.name} ${op.name};`)
  .join('\n')}
\t};
};

/* X(name): one line per op, for the executor's table */
#define FOR_EACH_OP(X) \\
${ops.map((op) => `\tX(${upper(op.name)}, ${op.name})`).join(' \\\n')}
`;

const fields = `/* Made by tools/gen-ops.mjs from ops.def. Do not edit. Included by decode.c alone. */
${ops.map((op) => `static const struct op_field fields_${op.name}[] = {${op.fields.map((f) => `{T_${f.type.toUpperCase()}, offsetof(struct op, ${op.name}.${f.name})}, `).join('')}{0, 0}};`).join('\n')}
static const struct op_field *const op_fields[OP_LAST + 1] = {
${ops.map((op) => `\t[OP_${upper(op.name)}] = fields_${op.name},`).join('\n')}
};
`;

const ts = `// Made by tools/gen-ops.mjs from native/ops.def. Do not edit.

/** An open file descriptor of the plan, by its name; the encoder numbers them. */
export type Slot = string;
/** Puts the number of a slot's fd (or the child's pid, slot \`@child\`) into a netlink message at a byte offset. */
export interface Patch {
  readonly offset: number;
  readonly slot: Slot;
}

export interface OpFields {
${ops.map((op) => `  /** ${op.doc} */\n  readonly ${op.name}: {${op.fields.length ? ` ${op.fields.map((f) => `readonly ${f.name}: ${f.type === 'slot' ? 'Slot | undefined' : tsTypes[f.type]}`).join('; ')} ` : ''}};`).join('\n')}
}

export type OpName = keyof OpFields;
export type FieldType = 'u32' | 'u64' | 'str' | 'bytes' | 'strs' | 'patches' | 'slot' | 'out';

/** Number and fields in wire order, for the encoder and the printer. */
export const opTable: { readonly [K in OpName]: { readonly number: number; readonly fields: readonly (readonly [string, FieldType])[] } } = {
${ops.map((op) => `  ${op.name}: { number: ${op.number}, fields: [${op.fields.map((f) => `['${f.name}', '${f.type}']`).join(', ')}] },`).join('\n')}
};
`;

for (const [path, text] of [
  ['native/ops.gen.h', header],
  ['native/fields.gen.h', fields],
  ['src/plan/ops.gen.ts', ts],
]) {
  if (process.argv.includes('--check')) {
    let have = '';
    try {
      have = readFileSync(path, 'utf8');
    } catch {}
    if (have !== text) {
      console.error(`${path} is stale: run node tools/gen-ops.mjs`);
      process.exitCode = 1;
    }
  } else writeFileSync(path, text);
}
