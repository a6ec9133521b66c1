// kill -9 around volumes: what was half done is done again or is gone, and nobody's data with it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { busybox, eventually, inWorld, type World } from './world.ts';

const files = 2000;
const volumes = (world: World): string => path.join(world.root, 'volumes');

/** A database of many files. */
async function bigImage(world: World): Promise<void> {
  await busybox(world);
  const root = path.join(world.dir, 'big');
  mkdirSync(path.join(root, 'bin'), { recursive: true });
  mkdirSync(path.join(root, 'data'));
  for (let i = 0; i < files; i++) writeFileSync(path.join(root, 'data', `f${i}`), `content of ${i}\n`);
  execFileSync('sh', ['-ec', 'cp "$(command -v busybox)" bin/sh; ln -s sh bin/sleep'], { cwd: root });
  execFileSync('tar', ['-cf', path.join(world.dir, 'big.tar'), '-C', root, '.']);
  await world.ok(['import', '--change', 'VOLUME /data', path.join(world.dir, 'big.tar'), 'big']);
}

async function killEngine(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await eventually(
    'the engine is dead',
    () => !existsSync(`/proc/${pid}`) || /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
  );
}

/** What is beside a volume's content. */
function growing(world: World, name: string): readonly string[] {
  try {
    return readdirSync(path.join(volumes(world), name)).filter((entry) => !/^(_data|volume\.json)$/.test(entry));
  } catch {
    return [];
  }
}

inWorld('volumes and kill -9', { prepare: bigImage, needs: ['tar'] }, (check) => {
  check(
    'of the engine in the middle of a copy: the next start has the whole content, or none is there',
    async (world) => {
      let hits = 0;
      for (let round = 0; round < 5 && hits < 2; round++) {
        const name = `round${round}`;
        const engine = await world.enginePid();
        const creating = world.startHoist(['create', '--name', name, '-v', `${name}:/data`, 'big', 'sleep', '100']);
        for (const deadline = Date.now() + 10_000; Date.now() < deadline && growing(world, name).length === 0; )
          await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setTimeout(resolve, round * 3));
        if (growing(world, name).length > 0) hits++;
        await killEngine(engine);
        await creating.ended;
        const data = path.join(volumes(world), name, '_data');
        assert.ok([0, files].includes(readdirSync(data).length), 'never half of it');
        assert.equal(await world.ok(['ps', '-a', '-f', `name=${name}`, '--format', '{{.Status}}']), 'Created');
        await world.ok(['start', name]);
        assert.equal(readdirSync(data).length, files);
        assert.equal(readFileSync(path.join(data, `f${files - 1}`), 'utf8'), `content of ${files - 1}\n`);
        await world.ok(['rm', '-fv', name]);
        await world.ok(['volume', 'rm', name]);
      }
      assert.ok(hits > 0, 'at least once it was in the middle');
      await eventually('nothing is left of what was cut off', () => readdirSync(volumes(world)).length === 0);
    },
  );

  check(
    'a volume that was removed or made by half is gone; one whose document is lost keeps its content',
    async (world) => {
      await world.ok(['run', '--rm', '-v', 'precious:/x', 'busybox', 'sh', '-c', 'echo data >/x/f']);
      await killEngine(await world.enginePid());
      mkdirSync(path.join(volumes(world), '.0123456789abcdef/_data/deep'), { recursive: true });
      mkdirSync(path.join(volumes(world), 'nothing'));
      writeFileSync(path.join(volumes(world), 'precious/volume.json'), '{"schema":');
      assert.equal(await world.ok(['volume', 'ls', '-q']), 'precious');
      assert.equal(await world.ok(['run', '--rm', '-v', 'precious:/x', 'busybox', 'cat', '/x/f']), 'data');
      await eventually('rubbish is gone', () => !existsSync(path.join(volumes(world), '.0123456789abcdef')));
      assert.match(world.engineLog(), /precious\/volume\.json cannot be read: the volume is kept/);
      await world.ok(['volume', 'rm', 'precious']);
    },
  );

  check('of the engine while --rm containers run: their anonymous volumes go with their end', async (world) => {
    await world.ok(['run', '-d', '--rm', '--name', 'short', '-v', '/an', '-v', 'named:/n', 'busybox', 'sleep', '1']);
    await killEngine(await world.enginePid());
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await eventually('one is left', async () => (await world.ok(['volume', 'ls', '-q'])) === 'named');
    await world.ok(['volume', 'rm', 'named']);
  });
});
