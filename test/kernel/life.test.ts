// The life of a container beyond one run: pauses, restart policies, health checks, and the events of all of it.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { busybox, eventually, inWorld, type World } from './world.ts';

interface Event {
  readonly Action: string;
  readonly Type: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** What /events said of containers while `act` ran, over the API's socket. */
async function eventsDuring(world: World, act: () => Promise<void>): Promise<readonly Event[]> {
  const url = `http://hoist/v1.51/events?filters=${encodeURIComponent('{"type":["container"]}')}`;
  const socket = `${world.runRoot}/docker.sock`;
  const listening = world.start(['curl', '-sN', '--unix-socket', socket, url]);
  let text = '';
  listening.child.stdout?.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  await sleep(200);
  await act();
  await sleep(100);
  listening.child.kill();
  await listening.ended;
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
}

/** The real client, over the API's socket. */
async function docker(world: World, args: readonly string[]): Promise<string> {
  const result = await world.program(['docker', '-H', `unix://${world.runRoot}/docker.sock`, ...args]);
  assert.equal(result.code, 0, `docker ${args.join(' ')}: ${result.stderr}`);
  return result.stdout.trimEnd();
}

const actions = (events: readonly Event[]): readonly string[] =>
  events.map(({ Action, Actor: { Attributes } }) =>
    ['signal', 'exitCode', 'oldName'].reduce(
      (text, key) => (Attributes[key] === undefined ? text : `${text} ${Attributes[key]}`),
      Action,
    ),
  );

async function restarts(world: World, name: string): Promise<number> {
  return (await world.inspect(name)).RestartCount;
}

const status = async (world: World, name: string): Promise<string> => (await world.inspect(name)).State.Status;

inWorld('life', { prepare: busybox, needs: ['curl', 'docker'] }, (check) => {
  check('events: in the order of what happened, with what Docker says of each', async (world) => {
    const events = await eventsDuring(world, async () => {
      await world.ok(['run', '-d', '--name', 'told', '-l', 'tier=web', 'busybox', 'sleep', '100']);
      await world.hoist(['exec', 'told', 'sh', '-c', 'exit 3']);
      await world.ok(['kill', '-s', 'USR1', 'told']);
      await world.ok(['stop', '-t', '0', 'told']);
      await world.ok(['start', 'told']);
      await world.ok(['restart', '-t', '0', 'told']);
      await world.ok(['rm', '-f', 'told']);
      await world.ok(['run', '--rm', '--name', 'short', 'busybox', 'true']);
    });
    assert.deepEqual(actions(events), [
      'create',
      'start',
      'exec_create: sh -c exit 3',
      'exec_start: sh -c exit 3',
      'exec_die 3',
      'kill 10',
      ...['kill 15', 'kill 9', 'stop', 'die 137'],
      'start',
      ...['kill 15', 'kill 9', 'stop', 'die 137', 'start', 'restart'],
      ...['kill 9', 'die 137', 'destroy'],
      ...['create', 'attach', 'start', 'die 0', 'destroy'],
    ]);
    const first = events[0]?.Actor.Attributes ?? {};
    assert.deepEqual([first['image'], first['name'], first['tier']], ['busybox', 'told', 'web']);
    assert.match(events[2]?.Actor.Attributes['execID'] ?? '', /^[0-9a-f]{64}$/);
    assert.match(events.find(({ Action }) => Action === 'die')?.Actor.Attributes['execDuration'] ?? '', /^\d+$/);
  });

  check('paused: nothing of it runs, and what may not be done says so; also in the next engine', async (world) => {
    const counting = 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done';
    await world.ok(['run', '-d', '--name', 'still', 'busybox', 'sh', '-c', counting]);
    await world.ok(['pause', 'still']);
    const lines = async (): Promise<number> => (await world.ok(['logs', 'still'])).split('\n').length;
    const before = await lines();
    await sleep(300);
    assert.equal(await lines(), before);
    assert.match(await world.ok(['ps', '--format', '{{.Status}}']), /\(Paused\)$/);
    process.kill(await world.enginePid(), 'SIGKILL');
    await eventually('an engine answers', async () => (await world.hoist(['ps'])).code === 0);
    const { State } = await world.inspect('still');
    assert.deepEqual([State.Status, State.Running, State.Paused], ['paused', true, true]);
    for (const [args, words] of [
      [['pause', 'still'], /Container [0-9a-f]{64} is already paused/],
      [['exec', 'still', 'true'], /Container still is paused, unpause the container before exec/],
      [['start', 'still'], /cannot start a paused container, try unpause instead/],
      [['rm', 'still'], /container is paused and must be unpaused first/],
    ] as const) {
      const result = await world.hoist(args);
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, words);
    }
    await world.ok(['unpause', 'still']);
    await eventually('it goes on', async () => (await lines()) > before);
    assert.match((await world.hoist(['unpause', 'still'])).stderr, /Container [0-9a-f]{64} is not paused/);
    const events = await eventsDuring(world, async () => {
      await world.ok(['pause', 'still']);
      await world.ok(['stop', '-t', '1', 'still']);
      await world.ok(['start', 'still']);
      await world.ok(['pause', 'still']);
      await world.ok(['rm', '-f', 'still']);
    });
    assert.deepEqual(actions(events), [
      ...['pause', 'kill 15', 'unpause', 'kill 9', 'stop', 'die 137', 'start'],
      ...['pause', 'kill 9', 'die 137', 'destroy'],
    ]);
  });

  check('on-failure:N: so often, each time after twice the time, and the code of the last run', async (world) => {
    const started = Date.now();
    await docker(world, ['run', '-d', '--name', 'fails', '--restart', 'on-failure:3', 'busybox', 'sh', '-c', 'exit 4']);
    await eventually('it is to be started again', async () => (await status(world, 'fails')) === 'restarting');
    assert.match((await world.hoist(['exec', 'fails', 'true'])).stderr, /is restarting, wait until the container/);
    assert.match((await world.hoist(['rm', 'fails'])).stderr, /container is restarting: stop the container/);
    await eventually('it is given up', async () => (await status(world, 'fails')) === 'exited');
    assert.ok(Date.now() - started >= 700, '100 + 200 + 400 ms');
    assert.equal(await restarts(world, 'fails'), 3);
    assert.equal((await world.inspect('fails')).State.ExitCode, 4);
    await world.ok(['rm', 'fails']);
    await docker(world, ['run', '-d', '--name', 'fine', '--restart', 'on-failure', 'busybox', 'true']);
    await eventually('it ended', async () => (await status(world, 'fine')) === 'exited');
    assert.equal(await restarts(world, 'fine'), 0);
    await world.ok(['rm', 'fine']);
  });

  check('stop, kill and rm -f end what would be started again', async (world) => {
    for (const end of [['stop'], ['kill'], ['rm', '-f']]) {
      await docker(world, ['run', '-d', '--name', 'loops', '--restart', 'always', 'busybox', 'sh', '-c', 'exit 1']);
      await eventually('three restarts', async () => (await restarts(world, 'loops')) >= 3);
      await world.ok([...end, 'loops']);
      await sleep(1000);
      if (end[0] === 'rm') assert.equal(await world.ok(['ps', '-aq']), '');
      else {
        assert.equal(await status(world, 'loops'), 'exited');
        await world.ok(['rm', 'loops']);
      }
    }
  });

  check('engines come and go: always comes back, unless-stopped only where nobody stopped it', async (world) => {
    for (const name of ['always', 'unless-stopped']) {
      await docker(world, ['run', '-d', '--name', `${name}-up`, '--restart', name, 'busybox', 'sleep', '100']);
      await docker(world, ['run', '-d', '--name', `${name}-stopped`, '--restart', name, 'busybox', 'sleep', '100']);
      await world.ok(['stop', '-t', '0', `${name}-stopped`]);
    }
    const keepers = await Promise.all(['always-up', 'unless-stopped-up'].map((name) => world.inspect(name)));
    await world.ok(['engine', 'stop']);
    for (const { State } of keepers) process.kill(State.Pid, 'SIGKILL'); // they end while no engine is there
    await sleep(300);
    await world.ok(['ps']);
    for (const name of ['always-up', 'always-stopped', 'unless-stopped-up'])
      await eventually(`${name} runs again`, async () => (await status(world, name)) === 'running');
    assert.equal(await status(world, 'unless-stopped-stopped'), 'exited');
    await world.ok(['rm', '-f', 'always-up', 'always-stopped', 'unless-stopped-up', 'unless-stopped-stopped']);
  });

  check('kill -9 of the engine while a restart is due: the next one goes on with it', async (world) => {
    await docker(world, [
      'run',
      '-d',
      '--name',
      'due',
      '--restart',
      'always',
      'busybox',
      'sh',
      '-c',
      'sleep 0.1; exit 1',
    ]);
    await eventually('some restarts', async () => (await restarts(world, 'due')) >= 4);
    process.kill(await world.enginePid(), 'SIGKILL');
    await eventually('an engine answers', async () => (await world.hoist(['ps'])).code === 0);
    const count = await restarts(world, 'due');
    await eventually('it goes on', async () => (await restarts(world, 'due')) > count);
    await world.ok(['rm', '-f', 'due']);
  });

  check('fifty creates of one name at once: one gets it; without a name all differ', async (world) => {
    const fifty = Array.from({ length: 50 });
    const results = await Promise.all(fifty.map(() => world.hoist(['create', '--name', 'mine', 'busybox', 'true'])));
    assert.equal(results.filter(({ code }) => code === 0).length, 1);
    const ids = await Promise.all(fifty.map(() => world.ok(['create', 'busybox', 'true'])));
    const names = (await world.ok(['ps', '-a', '--format', '{{.Names}}'])).split('\n');
    assert.equal(new Set(names).size, 51);
    await world.ok(['rm', 'mine', ...ids]);
  });
});
