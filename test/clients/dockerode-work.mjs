// What a Node program does with Docker's API, through dockerode; and, with it, what CI runners do: `act` copies its
// workspace in and executes steps, GitLab's runner feeds scripts to the standard input of a container per stage.
// DOCKER_HOST names the engine; the image busybox is there.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import tar from 'tar-fs';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const docker = new Docker(); // reads DOCKER_HOST
const step = (name) => console.log(`step ${name}`);
const directory = mkdtempSync('/tmp/dockerode-');

/** Both streams of a container without a terminal, as texts. */
async function both(stream) {
  const out = new PassThrough();
  const err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => [out, err].forEach((one) => one.end()));
  stream.on('close', () => [out, err].forEach((one) => one.end()));
  return await Promise.all([text(out), text(err)]);
}

async function exec(container, cmd, options = {}) {
  const made = await container.exec({ Cmd: cmd, AttachStdout: true, AttachStderr: true, ...options });
  const [out, err] = await both(await made.start({ hijack: true, stdin: false }));
  const { ExitCode, Running } = await made.inspect();
  assert.equal(Running, false);
  return { out, err, code: ExitCode };
}

try {
  step('run, with its output and its end');
  const output = new PassThrough();
  const collected = text(output);
  const [result, ran] = await docker.run('busybox', ['sh', '-c', 'echo one; exit 4'], output, { HostConfig: {} });
  assert.equal(result.StatusCode, 4);
  output.end();
  assert.match(await collected, /one/);
  await ran.remove();

  step('events');
  const events = await docker.getEvents({ filters: { label: ['job=act'] } });
  let seen = '';
  events.on('data', (chunk) => (seen += chunk));

  step('attach before start, stdin, end of input');
  const cat = await docker.createContainer({
    Image: 'busybox', Cmd: ['cat'], OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
    Labels: { job: 'gitlab' },
  });
  const attached = await cat.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  const received = both(attached);
  await cat.start();
  const waited = cat.wait();
  attached.end('a script on standard input\n');
  assert.deepEqual(await received, ['a script on standard input\n', '']);
  assert.equal((await waited).StatusCode, 0);
  await cat.remove();

  step('a runner: one volume, a container per stage, the script on stdin, logs while it runs');
  await docker.createVolume({ Name: 'runner-cache', Labels: { job: 'gitlab' } });
  for (const [stage, script] of [['prepare', 'echo built > /cache/artifact'], ['test', 'cat /cache/artifact; exit 2']]) {
    const job = await docker.createContainer({
      name: `runner-${stage}`, Image: 'busybox', Cmd: ['sh'], OpenStdin: true, StdinOnce: true,
      AttachStdin: true, AttachStdout: true, AttachStderr: true, Labels: { job: 'gitlab' },
      HostConfig: { Binds: ['runner-cache:/cache'] },
    });
    const stdin = await job.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    const streams = both(stdin);
    await job.start();
    stdin.end(`set -e\n${script}\n`);
    const { StatusCode } = await job.wait();
    const [out] = await streams;
    if (stage === 'test') assert.deepEqual([StatusCode, out], [2, 'built\n']);
    else assert.equal(StatusCode, 0);
    const logs = await job.logs({ stdout: true, stderr: true });
    assert.equal(logs.length > 0, stage === 'test');
    await job.remove({ v: true });
  }
  await docker.getVolume('runner-cache').remove();

  step('act: a container that stays, files copied in, steps as execs, files copied out');
  const workspace = path.join(directory, 'workspace');
  cpSync(path.dirname(new URL(import.meta.url).pathname), workspace, { recursive: true });
  writeFileSync(path.join(workspace, 'step.sh'), 'echo "in $PWD as $WHO"; echo problem >&2; echo result > result.txt; exit $1\n');
  const act = await docker.createContainer({
    name: 'act-job', Image: 'busybox', Entrypoint: ['busybox', 'tail', '-f', '/dev/null'], Cmd: [], Labels: { job: 'act' },
    WorkingDir: '/github/workspace', Env: ['CI=true'],
  });
  await act.start();
  await act.putArchive(tar.pack(workspace), { path: '/github/workspace' });
  const good = await exec(act, ['sh', 'step.sh', '0'], { Env: ['WHO=act'], WorkingDir: '/github/workspace' });
  assert.deepEqual(good, { out: 'in /github/workspace as act\n', err: 'problem\n', code: 0 });
  assert.equal((await exec(act, ['sh', '/github/workspace/step.sh', '9'])).code, 9);
  assert.equal((await exec(act, ['sh', '-c', 'echo $CI'])).out, 'true\n');
  const back = tar.extract(path.join(directory, 'back'));
  (await act.getArchive({ path: '/github/workspace/result.txt' })).pipe(back);
  await new Promise((resolve, reject) => back.on('finish', resolve).on('error', reject));
  assert.equal(readFileSync(path.join(directory, 'back/result.txt'), 'utf8'), 'result\n');

  step('exec: a terminal, its size, its input');
  const shell = await act.exec({ Cmd: ['sh'], AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: true });
  const terminal = await shell.start({ hijack: true, stdin: true, Tty: true });
  await shell.resize({ h: 33, w: 111 });
  terminal.write('busybox stty size; exit 5\n');
  assert.match(await text(terminal), /33 111/);
  assert.equal((await shell.inspect()).ExitCode, 5);

  step('logs that are followed end with the container');
  const talker = await docker.createContainer({ Image: 'busybox', Cmd: ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.2; done'] });
  await talker.start();
  const [followed] = await both(await talker.logs({ follow: true, stdout: true, stderr: true }));
  assert.equal(followed, '1\n2\n3\n');
  await talker.remove();

  step('stats, top, changes, inspect with size');
  const stats = await act.stats({ stream: false });
  assert.ok(stats.cpu_stats.cpu_usage.total_usage > 0 && stats.pids_stats.current >= 1);
  assert.ok((await act.top()).Processes.some((row) => row.some((cell) => cell.includes('tail'))));
  assert.ok((await act.changes()).some(({ Path, Kind }) => Path === '/github/workspace/result.txt' && Kind === 1));
  assert.ok((await docker.listContainers({ size: true })).find(({ Id }) => Id === act.id).SizeRw > 0);

  step('refusals');
  await assert.rejects(docker.getContainer('nobody').inspect(), { statusCode: 404, reason: 'no such container' });
  await assert.rejects(docker.createContainer({ Image: 'busybox', name: 'act-job' }), { statusCode: 409 });
  await assert.rejects(act.remove(), { statusCode: 409 });
  await assert.rejects(docker.getImage('busybox').remove(), { statusCode: 409 });
  await assert.rejects(act.start(), { statusCode: 304 });
  await act.remove({ force: true });

  step('what was seen');
  await sleep(200);
  const actions = seen.trim().split('\n').map((line) => JSON.parse(line).Action);
  for (const action of ['create', 'start', 'exec_die', 'kill', 'die', 'destroy']) assert.ok(actions.includes(action), `${action}: ${actions}`);
  events.destroy();
  console.log('done');
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
