// The streams of the API: attach, exec, websocket and logs on raw connections; clients that are slow, or gone.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ask, attach, framesOf, join, make, start } from './api-client.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

const upgrade = ['Connection: Upgrade', 'Upgrade: tcp'];

async function openSockets(world: World): Promise<number> {
  const pid = await world.enginePid();
  const target = (fd: string): string => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  };
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => /^socket:|spool-/.test(target(fd))).length;
}

async function engineMemory(world: World): Promise<number> {
  const status = readFileSync(`/proc/${await world.enginePid()}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

async function makeExec(world: World, id: string, request: Readonly<Record<string, unknown>>): Promise<string> {
  const made = await ask(world, 'POST', `/containers/${id}/exec`, request);
  assert.equal(made.status, 201, made.body.toString());
  return (JSON.parse(made.body.toString()) as { Id: string }).Id;
}

inWorld('streams of the API', { prepare: busybox }, (check) => {
  check('attach, then start: nothing is lost, and the stream ends with the process', async (world) => {
    const id = await make(world, { Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 3'] });
    const joined = await attach(world, id, 'stream=1&stdout=1&stderr=1');
    assert.match(joined.head, /^HTTP\/1\.1 101 UPGRADED\r\n/);
    assert.match(joined.head, /Content-Type: application\/vnd\.docker\.multiplexed-stream/);
    await start(world, id);
    assert.deepEqual(framesOf(await joined.ended), { out: 'out\n', err: 'err\n' });
    assert.equal((await world.inspect(id)).State.ExitCode, 3);
    await world.ok(['rm', id]);
  });

  check('ten clients attach to one container before its start; each gets everything', async (world) => {
    const id = await make(world, { Cmd: ['seq', '1', '20000'] });
    const all = await Promise.all(Array.from({ length: 10 }, () => attach(world, id, 'stream=1&stdout=1')));
    await start(world, id);
    const expected = Array.from({ length: 20000 }, (_, i) => `${i + 1}\n`).join('');
    for (const { ended } of all) assert.equal(framesOf(await ended).out, expected);
    await world.ok(['rm', id]);
  });

  check('stdin: half-close is the end of input; output goes on after it', async (world) => {
    const cmd = ['sh', '-c', 'cat | md5sum; sleep 0.3; echo after'];
    const id = await make(world, { Cmd: cmd, OpenStdin: true, StdinOnce: true, AttachStdin: true });
    const joined = await attach(world, id, 'stream=1&stdin=1&stdout=1');
    await start(world, id);
    const bytes = randomBytes(3_000_000);
    joined.socket.end(bytes);
    const digest = createHash('md5').update(bytes).digest('hex');
    assert.equal(framesOf(await joined.ended).out, `${digest}  -\nafter\n`);
    await world.ok(['rm', id]);
  });

  check('a terminal is raw, has its detach keys, and can be joined again with what it has said', async (world) => {
    const id = await make(world, { Cmd: ['sh'], Tty: true, OpenStdin: true });
    const joined = await attach(world, id, 'stream=1&stdin=1&stdout=1&detachKeys=ctrl-x');
    assert.match(joined.head, /Content-Type: application\/vnd\.docker\.raw-stream/);
    await start(world, id);
    joined.socket.write('echo a$((1+1))\r');
    await eventually('the answer', () => joined.said().includes('a2\r\n'));
    joined.socket.write('\x18');
    await joined.ended;
    const again = await attach(world, id, 'stream=1&stdin=1&stdout=1&logs=1');
    await eventually('what was said before', () => again.said().includes('a2\r\n'));
    const resized = await ask(world, 'POST', `/containers/${id}/resize?h=33&w=99`);
    assert.equal(resized.status, 200);
    again.socket.write('stty size; exit\r');
    assert.match((await again.ended).toString(), /33 99\r\n/);
    await world.ok(['rm', id]);
  });

  check('logs=1 alone tells what was said, and ends', async (world) => {
    const id = await world.ok(['run', '-d', 'busybox', 'sh', '-c', 'echo one; sleep 100']);
    await eventually('it has said so', async () => (await world.ok(['logs', id])) === 'one');
    const joined = await attach(world, id, 'logs=1&stdout=1');
    assert.equal(framesOf(await joined.ended).out, 'one\n');
    await world.ok(['rm', '-f', id]);
  });

  check('without Upgrade: 200, raw until the end', async (world) => {
    const id = await make(world, { Cmd: ['echo', 'plain'] });
    const joined = await join(world, [`POST /v1.51/containers/${id}/attach?stream=1&stdout=1 HTTP/1.1`]);
    assert.match(joined.head, /^HTTP\/1\.1 200 OK\r\n/);
    await start(world, id);
    assert.equal(framesOf(await joined.ended).out, 'plain\n');
    await world.ok(['rm', id]);
  });

  check('what cannot be joined is refused with a status', async (world) => {
    const none = await join(world, ['POST /v1.51/containers/none/attach?stream=1 HTTP/1.1', ...upgrade]);
    assert.match(none.head, /^HTTP\/1\.1 404 /);
    const id = await make(world, { Cmd: ['true'] });
    const keys = await attach(world, id, 'stream=1&detachKeys=ctrl-%3F%3F');
    assert.match(keys.head, /^HTTP\/1\.1 400 /);
    const noExec = await join(world, ['POST /v1.51/exec/none/start HTTP/1.1', ...upgrade], '{"Detach":false}');
    assert.match(noExec.head, /^HTTP\/1\.1 404 /);
    await world.ok(['rm', id]);
  });

  check('a client that waits for a start and goes, or whose container is removed, is let go', async (world) => {
    const before = await openSockets(world);
    const id = await make(world, { Cmd: ['echo', 'x'] });
    const left = await attach(world, id, 'stream=1&stdout=1');
    left.socket.destroy();
    const stays = await attach(world, id, 'stream=1&stdout=1');
    await world.ok(['rm', id]);
    assert.equal((await stays.ended).length, 0);
    stays.socket.destroy();
    await eventually('no connection is left', async () => (await openSockets(world)) <= before);
  });

  check('exec: streams, input, its exit code; a second start is refused', async (world) => {
    const id = await world.ok(['run', '-d', 'busybox', 'sleep', '100']);
    const streams = { AttachStdin: true, AttachStdout: true, AttachStderr: true };
    const exec = await makeExec(world, id, { ...streams, Cmd: ['sh', '-c', 'cat; echo err >&2; exit 4'] });
    const line = `POST /v1.51/exec/${exec}/start HTTP/1.1`;
    const joined = await join(world, [line, ...upgrade], '{"Detach":false,"Tty":false}');
    assert.match(joined.head, /^HTTP\/1\.1 101 UPGRADED\r\n/);
    joined.socket.end('typed');
    assert.deepEqual(framesOf(await joined.ended), { out: 'typed', err: 'err\n' });
    const told = await ask(world, 'GET', `/exec/${exec}/json`);
    assert.equal((JSON.parse(told.body.toString()) as { ExitCode: number }).ExitCode, 4);
    const missing = await makeExec(world, id, { AttachStdout: true, Cmd: ['nosuch'] });
    const failed = await join(world, [`POST /exec/${missing}/start HTTP/1.1`, ...upgrade], '{}');
    assert.match(framesOf(await failed.ended).out, /"nosuch": executable file not found in \$PATH\r\n/);
    await world.ok(['rm', '-f', id]);
    const gone = await join(world, [line, ...upgrade], '{}');
    assert.match(gone.head, /^HTTP\/1\.1 (404|409) /);
  });

  check('an attach that is never read holds up neither the container nor a log follower', async (world) => {
    const before = await openSockets(world);
    const megabytes = 150;
    const script = `head -c ${megabytes}000000 /dev/zero | tr '\\0' 'x' | fold -w 999; echo end`;
    const id = await make(world, {
      Cmd: ['sh', '-c', script],
      HostConfig: { LogConfig: { Type: 'local', Config: {} } },
    });
    const stuck = await attach(world, id, 'stream=1&stdout=1');
    stuck.socket.pause();
    const hung = await join(world, [`GET /v1.51/containers/${id}/logs?follow=1&stdout=1 HTTP/1.1`]);
    hung.socket.pause();
    const memory = await engineMemory(world);
    await start(world, id);
    const reader = await attach(world, id, 'stream=1&stdout=1');
    await eventually('it has ended', async () => (await world.inspect(id)).State.Status === 'exited', 60);
    assert.ok((await engineMemory(world)) < memory + 100, 'what waits for a client is not in memory');
    await reader.ended;
    stuck.socket.resume(); // and when it reads at last, everything is there
    const { out } = framesOf(await stuck.ended);
    assert.match(out.slice(-5), /^.end\n|\nend\n$/);
    assert.equal(out.replaceAll('\n', '').length, megabytes * 1_000_000 + 3);
    hung.socket.destroy();
    await eventually('nothing is left', async () => (await openSockets(world)) <= before);
    await world.ok(['rm', id]);
  });

  check('clients that vanish, also half-closed ones, leave nothing behind', async (world) => {
    const id = await world.ok(['run', '-d', 'busybox', 'sleep', '1000']);
    const before = await openSockets(world);
    const all = await Promise.all(Array.from({ length: 8 }, () => attach(world, id, 'stream=1&stdout=1')));
    for (const [i, { socket }] of all.entries()) {
      if (i % 2 === 0) socket.end(); // its end alone says nothing: output may still be read
    }
    await eventually('they are joined', async () => (await openSockets(world)) >= before + 8);
    for (const { socket } of all) socket.destroy();
    await eventually('they are gone', async () => (await openSockets(world)) <= before);
    await world.ok(['rm', '-f', id]);
  });

  check('a websocket carries a terminal', async (world) => {
    const id = await make(world, { Cmd: ['sh'], Tty: true, OpenStdin: true });
    const key = randomBytes(16).toString('base64');
    const joined = await join(world, [
      `GET /v1.51/containers/${id}/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${key}`,
    ]);
    assert.match(joined.head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    assert.ok(joined.head.includes(`Sec-WebSocket-Accept: ${accept}`));
    await start(world, id);
    const text = Buffer.from('echo w$((1+1)); exit\r');
    joined.socket.write(Buffer.concat([Buffer.from([0x82, 0x80 | text.length, 0, 0, 0, 0]), text]));
    const bytes = await joined.ended;
    assert.ok(bytes.includes('w2\r\n'), bytes.toString('latin1'));
    assert.equal(bytes[0], 0x82); // binary
    await world.ok(['rm', id]);
  });
});
