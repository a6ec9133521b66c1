import assert from 'node:assert/strict';
import test from 'node:test';
import { differencesToJson, diffPlans, printDifferences } from './diff.ts';
import { k, type Op, op, type Plan } from './ops.ts';

const plan = (...child: Op[]): Plan => ({ setup: [], child, cleanup: [] });
const put = (path: string, data: string, why: string): Op =>
  op('writeFile', { dir: undefined, path, data: Buffer.from(data), flags: k.O_WRONLY, mode: 0 }, why);
const end = op('chdir', { path: '/' }, 'home');

test('two plans: what is new, what is gone, what changed; in the order of the plans', () => {
  const before = plan(put('/a', '1', 'first'), op('umask', { mode: 0o22 }, 'the usual'), end);
  const after = plan(put('/a', '2', 'first'), end, op('hostname', { name: 'x' }, '--hostname'));
  const found = diffPlans({ plan: before, fresh: [] }, { plan: after, fresh: [] });
  assert.equal(
    printDifferences(found),
    `# child: in the new process, up to execve
-  0  writeFile path=/a data="1" flags=0x1
+  0  writeFile path=/a data="2" flags=0x1
        first
-  1  umask mode=022
        the usual
+  2  hostname name=x
        --hostname
`,
  );
  assert.deepEqual(differencesToJson(found.slice(1, 2)), [
    { section: 'child', before: { index: 1, op: 'umask', why: 'the usual', mode: 0o22 } },
  ]);
});

test('names that are new each time are no difference, bytes that nobody sees are one', () => {
  const one = plan(
    put('/c/aaaa', 'aaaa', 'id'),
    op('netlink', { protocol: 0, data: Buffer.from('\0aaaa'), acks: 1, patches: [] }, 'cable'),
  );
  const two = plan(
    put('/c/bbbb', 'bbbb', 'id'),
    op('netlink', { protocol: 0, data: Buffer.from('\0bbbb'), acks: 1, patches: [] }, 'cable'),
  );
  assert.equal(
    printDifferences(diffPlans({ plan: one, fresh: ['aaaa'] }, { plan: two, fresh: ['bbbb'] })),
    'the plans are the same\n',
  );
  const other = printDifferences(
    diffPlans({ plan: one, fresh: ['aaaa'] }, { plan: two, fresh: [] }),
    [],
    (line) => `*${line}`,
  );
  assert.match(other, /^\*- {2}0 .*\/c\/<id>/m);
  assert.match(other, /^\*\+ {2}1 {2}netlink .*\(with other bytes\)$/m);
});
