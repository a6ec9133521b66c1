// What Node has no calls for, through the executor: device nodes and extended attributes. Directories are told by this
// process's own open descriptors, so nothing is looked up a second time.

import { errnoOf, fail } from '../../base/errors.ts';
import type { Op } from '../../plan/ops.ts';
import { explainFailure } from '../../plan/print.ts';
import { nodeOps, setXattrOps, xattrOps } from '../../plan/view.ts';
import { errnoName } from '../../sys/errno.ts';
import type { Executor } from '../../sys/executor.ts';
import type { XattrMap } from './pack.ts';
import type { SpecialFiles } from './unpack.ts';

const directoryPath = (fd: number): string => `/proc/${process.pid}/fd/${fd}`;

export function specialFiles(executor: Executor): SpecialFiles {
  return {
    mknod: (dir, name, node) => carryOut(executor, nodeOps(directoryPath(dir), utf8(name), node)),
    setxattrs: (dir, name, xattrs) => carryOut(executor, setXattrOps(directoryPath(dir), utf8(name), xattrs)),
  };
}

/** Plans carry text. */
function utf8(name: string): string {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  if (Buffer.from(text).toString('latin1') !== name)
    fail('unsupported', 'archive.name', `${JSON.stringify(text)}: nodes and extended attributes need a name in UTF-8`);
  return text;
}

async function carryOut(executor: Executor, setup: readonly Op[]): Promise<void> {
  if (setup.length === 0) return;
  const plan = { setup, child: [], cleanup: [] };
  const result = await executor.run(plan, 'fork');
  if (!result.ok) fail('system', 'archive.special', explainFailure(plan, result.failure, errnoName));
}

/** Those of a name in an open directory and of all below it, by path from there. None where they cannot be read. */
export async function readXattrs(executor: Executor, dir: number, name: string, marks = false): Promise<XattrMap> {
  const found = new Map<string, Map<string, Uint8Array>>();
  try {
    const setup = xattrOps(directoryPath(dir), utf8(name === '.' ? '' : name), marks);
    const result = await executor.run({ setup, child: [], cleanup: [] }, 'fork');
    if (!result.ok) return found;
    const fields = fieldsOf(result.blobs.get(setup.length - 1) ?? Buffer.alloc(0));
    for (let i = 0; i + 2 < fields.length; i += 3) {
      const [path, key, value] = [fields[i]?.toString('latin1') ?? '', fields[i + 1]?.toString() ?? '', fields[i + 2]];
      if (value === undefined || key.startsWith('user.overlay.')) continue;
      const own = found.get(path) ?? new Map<string, Uint8Array>();
      found.set(path, own.set(key, value));
    }
  } catch (error) {
    if (errnoOf(error) !== undefined) throw error; // a name that is not UTF-8 has none
  }
  return found;
}

function fieldsOf(bytes: Buffer): readonly Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    fields.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return fields;
}
