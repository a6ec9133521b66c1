import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import test from 'node:test';
import { type SpoolLimits, spool } from './spool.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'hoist-spool-'));
test.after(() => rmSync(directory, { recursive: true, force: true }));

/** A reader that takes nothing until it is let go. */
function reader(): { output: Writable; go(): void; readonly hash: () => string; readonly size: () => number } {
  const hash = createHash('sha256');
  let size = 0;
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const output = new Writable({
    highWaterMark: 16384,
    write(chunk: Buffer, _encoding, done) {
      void gate.then(() => {
        hash.update(chunk);
        size += chunk.length;
        setImmediate(done);
      });
    },
  });
  return { output, go: () => open(), hash: () => hash.digest('hex'), size: () => size };
}

const openFiles = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
    } catch {
      return false;
    }
  }).length;

async function fill(limits: Omit<SpoolLimits, 'directory'>, pieces: number, output: Writable): Promise<string> {
  const hash = createHash('sha256');
  let wake = (): void => {};
  const out = spool(output, { directory, ...limits }, () => wake());
  for (let i = 0; i < pieces; i++) {
    const bytes = randomBytes(1 + ((i * 7919) % 65536));
    hash.update(bytes);
    const room = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (!out.push(bytes)) await room;
  }
  out.end();
  setTimeout(() => output.emit('filled'), 10);
  await out.done;
  return hash.digest('hex');
}

test('a reader that waits gets every byte in order, and the writer never waits for it', async () => {
  const { output, go, hash } = reader();
  output.on('filled', () => {
    assert.equal(openFiles(), 1); // it waits in a file, which has no name
    assert.deepEqual(readdirSync(directory), []);
    go();
  });
  assert.equal(await fill({ memory: 65536 }, 300, output), hash());
  assert.equal(openFiles(), 0);
});

test('the file is a ring: a reader that is always a little behind does not make it grow', async () => {
  const { output, go, hash } = reader();
  setTimeout(go, 5);
  assert.equal(await fill({ memory: 32768, file: 40 << 20 }, 400, output), hash());
});

test('a reader that is too far behind is cut off, and nothing stays behind', async () => {
  const { output } = reader();
  await fill({ memory: 65536, file: 1 << 20 }, 200, output);
  assert.ok(output.destroyed);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(openFiles(), 0);
});

test('a reader that goes away leaves nothing behind', async () => {
  const { output } = reader();
  output.on('filled', () => output.destroy());
  await fill({ memory: 65536 }, 100, output);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(openFiles(), 0);
});
