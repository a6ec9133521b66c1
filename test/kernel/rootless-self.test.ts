// `npm test` as an ordinary user: containers of whoever runs the tests. As root the other tests without root do more.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { whyNot } from '../machine.ts';
import { binary, eventually } from './world.ts';

function whyNotHere(): string | undefined {
  if (process.geteuid?.() === 0) return 'for ordinary users (root runs the tests with throw-away users)';
  const tried = spawnSync('unshare', ['--user', '--net', 'true'], { encoding: 'utf8' });
  if (tried.status !== 0) return `this machine forbids user namespaces: ${tried.stderr.trim()}`;
  return whyNot(binary, 'busybox');
}

test('containers of the user who runs the tests', { skip: whyNotHere() ?? false, timeout: 120_000 }, async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'hu-'));
  const env = { ...process.env, HOIST_ROOT: path.join(dir, 'root'), HOIST_RUN_ROOT: path.join(dir, 'run') };
  const hoist = (...args: string[]) => spawnSync(binary, args, { env, encoding: 'utf8' });
  const ok = (...args: string[]): string => {
    const { status, stdout, stderr } = hoist(...args);
    assert.equal(status, 0, `hoist ${args.join(' ')} -> ${status}\n${stderr}`);
    return stdout.trim();
  };
  try {
    ok('image', 'bootstrap', 'busybox');
    assert.match(
      ok('run', '--rm', 'busybox', 'cat', '/proc/self/uid_map'),
      new RegExp(`^0 +${process.geteuid?.()} +1\\b`),
    );
    const serve = 'mkdir /www; echo mine > /www/index.html; exec httpd -f -h /www';
    ok('run', '-d', '--name', 'web', '-p', '127.0.0.1::80', '-v', 'data:/d', 'busybox', 'sh', '-c', serve);
    assert.equal(ok('exec', 'web', 'sh', '-c', 'echo kept > /d/f; id -u'), '0');
    const place = ok('port', 'web', '80/tcp');
    const fetched = (): Promise<string> =>
      fetch(`http://${place}/`).then(
        (answer) => answer.text(),
        () => '',
      );
    await eventually('the published port answers', async () => (await fetched()) === 'mine\n');
    ok('rm', '-f', 'web');
    assert.equal(ok('run', '--rm', '-v', 'data:/d', 'busybox', 'cat', '/d/f'), 'kept');
    ok('volume', 'rm', 'data');
  } finally {
    const left = hoist('ps', '-aq')
      .stdout.split('\n')
      .filter((id) => id !== '');
    if (left.length > 0) hoist('rm', '-f', ...left);
    hoist('image', 'rm', 'busybox');
    hoist('engine', 'stop');
    rmSync(dir, { recursive: true, force: true });
  }
});
