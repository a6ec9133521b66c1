// docs/what-is-a-container.md: a reader can run its commands, from top to bottom, and sees what the page says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { binary, inWorld, repository } from './world.ts';

const page = readFileSync(path.join(repository, 'docs/what-is-a-container.md'), 'utf8');
const parts = page
  .split(/^## /m)
  .map((text) => ({
    title: text.split('\n', 1)[0] ?? '',
    commands: [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands = '']) => commands).join(''),
  }))
  .filter(({ commands }) => commands !== '');

/** What a part's output must show, so that a command that says nothing of use is noticed. */
const shown: Readonly<Record<string, readonly RegExp[]>> = {
  'A process': [/^sleep 1000/m],
  'A root directory: chroot, pivot_root': [/busybox/, /pivotRoot root=<root>/],
  'The image below, the changes above: overlay': [
    /^from the image\nchanged$/m,
    /^A \/file$/m,
    /^D \/etc\/passwd$/m,
    /lowerdir=/,
  ],
  'Another view: namespaces': [
    /net net:\[\d+\] here: net:\[\d+\]/,
    /sleep 1000/,
    /I am process 1/,
    /^[-+] *\d+ {2}(clone|setns)/m,
  ],
  'How much: control groups': [/hoist\//, /\+.*pids\.max.*"20"/, /can't fork/, /ended with 137/],
  'Less power: capabilities': [/^CapBnd:\s+00000000a80425fb$/m, /denied/, /^\+ *\d+ {2}capabilities$/m],
  'Fewer questions: seccomp': [/Seccomp:\s+2/, /denied/, /which system calls/],
  'A network': [/eth0/, /hv[0-9a-f]+/, /^\+ *\d+ {2}netlink/m],
  'All of it, in order': [/pivotRoot/, /nothing of it is left/],
};

inWorld('docs/what-is-a-container.md', { needs: ['unshare', 'chroot', 'ps'] }, (check) => {
  for (const { title, commands } of parts) {
    check(title, async (world) => {
      const before = "pid=$(hoist inspect -f '{{.State.Pid}}' one 2>/dev/null || true)\n";
      const env = { PATH: `${path.dirname(binary)}:${world.env['PATH']}` };
      const { code, stdout, stderr } = await world.program(['sh', '-ec', before + commands], { env });
      assert.equal(code, 0, `${stdout}${stderr}`);
      for (const pattern of shown[title] ?? []) assert.match(stdout + stderr, pattern);
    });
  }
});
