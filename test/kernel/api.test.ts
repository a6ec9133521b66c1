// docker.sock: what every request gets, what is refused, and what a client that dies leaves behind.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { type Api, apiOf } from '../compat/api.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

const socketOf = (world: World): string => path.join(world.runRoot, 'docker.sock');

/** Bytes on a connection, and all that comes back until it ends, is silent for a while, or was listened to for long enough. */
function raw(world: World, text: string | Buffer, quietMs = 1000, totalMs = 10_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(socketOf(world), () => socket.write(text));
    let answer = '';
    const done = (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(quietMs, done);
    const end = setTimeout(done, totalMs);
    socket.on('close', () => clearTimeout(end));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', done);
    socket.on('close', done);
  });
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);

async function descriptors(world: World): Promise<number> {
  return readdirSync(`/proc/${await world.enginePid()}/fd`).length;
}

async function create(api: Api, body: object): Promise<string> {
  const made = await api('POST', '/containers/create', { body: { Image: 'busybox', ...body } });
  assert.equal(made.status, 201, made.text);
  return `/containers/${made.json.Id}`;
}

inWorld('docker.sock', { prepare: busybox }, (check) => {
  check('headers that clients look for; ping in both forms; versions', async (world) => {
    const api = apiOf(socketOf(world));
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, text } = await api(method, '/_ping');
      assert.deepEqual([status, text], [200, method === 'GET' ? 'OK' : '']);
      assert.equal(headers['api-version'], '1.51');
      assert.equal(headers['ostype'], 'linux');
      assert.match(String(headers['server']), /^Docker\/\S+ \(linux\)$/);
      assert.deepEqual(
        [headers['docker-experimental'], headers['swarm'], headers['builder-version'], headers['pragma']],
        ['false', 'inactive', '1', 'no-cache'],
      );
    }
    for (const version of ['1.24', '1.40', '1.51'])
      assert.equal((await api('GET', '/containers/json', { version })).status, 200, version);
    for (const version of ['1.23', '1.52', '2.0']) {
      const answer = await api('GET', '/info', { version });
      assert.equal(answer.status, 400);
      assert.match(answer.json.message, /client version .* is too (old|new)/);
    }
    assert.equal((await api('OPTIONS', '/info')).status, 200);
    assert.equal((await api('GET', '/nowhere')).json.message, 'page not found');
  });

  check('what is wrong gets 4xx and a sentence; what is not there 404, 501 or 503', async (world) => {
    const api = apiOf(socketOf(world));
    const cases: readonly (readonly [string, string, object, number, RegExp])[] = [
      ['GET', '/containers/nobody/json', {}, 404, /^No such container: nobody$/],
      ['GET', '/images/nothing/json', {}, 404, /^No such image: nothing/],
      ['POST', '/containers/create', { body: { Image: 5 } }, 400, /Image of type string/],
      ['POST', '/containers/create', { body: {} }, 400, /config cannot be empty/],
      [
        'POST',
        '/containers/create',
        { body: { Image: 'x' }, headers: { 'Content-Type': 'text/plain' } },
        400,
        /Content-Type header \(text\/plain\)/,
      ],
      ['POST', '/containers/create', { body: Buffer.from('{') }, 400, /invalid JSON/],
      ['GET', '/containers/json?limit=x', {}, 400, /limit/],
      ['GET', '/containers/json?filters=x', {}, 400, /invalid filter/],
      ['GET', '/containers/json?filters={"nope":["x"]}', {}, 400, /invalid filter 'nope'/],
      ['GET', '/swarm', {}, 503, /This node is not a swarm manager/],
      ['GET', '/services', {}, 503, /This node is not a swarm manager/],
      [
        'POST',
        '/build',
        { body: Buffer.alloc(10), headers: { 'Content-Type': 'application/x-tar' } },
        501,
        /building images/,
      ],
      ['POST', '/session', {}, 501, /building images/],
      ['GET', '/plugins/x/json', {}, 404, /plugin/],
    ];
    for (const [method, target, options, status, words] of cases) {
      const answer = await api(method, target, options);
      assert.equal(answer.status, status, `${method} ${target}: ${answer.text}`);
      assert.match(answer.json.message, words);
    }
    assert.deepEqual(api.problems, []);
  });

  check('malformed requests, long headers and tricks with paths do no harm', async (world) => {
    const get = (target: string, more = ''): string => `GET ${target} HTTP/1.1\r\nHost: d\r\n${more}\r\n`;
    const cases: readonly (readonly [string, string | Buffer])[] = [
      ['no HTTP', 'hello there\r\n\r\n'],
      ['bytes', Buffer.from([0, 255, 22, 3, 1, 2, 0, 1])],
      ['a path up', get('/containers/../info')],
      ['an encoded path up', get('/images/%2e%2e/json')],
      ['a NUL', get('/containers/a%00b/json')],
      [
        'two lengths',
        'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
      ],
      ['a length that is none', 'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: -5\r\n\r\n{}'],
      [
        'a body that is too long',
        'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{',
      ],
      ['2 MB of headers', get('/info', `X-Long: ${'x'.repeat(2 << 20)}\r\n`)],
      [
        'an upgrade without a length',
        'POST /exec/x/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['no websocket', get('/containers/x/attach/ws')],
    ];
    for (const [what, text] of cases) {
      const status = statusOf(await raw(world, text));
      assert.ok(status >= 400 && status < 500, `${what}: ${status}`);
    }
    assert.equal(statusOf(await raw(world, get('/_ping'))), 200, 'and the engine goes on');
    assert.doesNotMatch(world.engineLog(), /bug:/);
  });

  check('one connection carries many requests; Expect: 100-continue is answered', async (world) => {
    const one = 'GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n';
    const answers = await raw(world, one.repeat(3));
    assert.equal(answers.split('HTTP/1.1 200').length - 1, 3);
    const expecting = await raw(
      world,
      'POST /volumes/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}',
    );
    assert.match(expecting, /^HTTP\/1\.1 100 Continue\r\n[\s\S]*HTTP\/1\.1 201/);
  });

  check('started and stopped twice: 304; wait tells its header before the end', async (world) => {
    const api = apiOf(socketOf(world));
    const id = await create(api, { Cmd: ['sleep', '100'] });
    assert.equal((await api('POST', `${id}/stop`)).status, 304);
    const waiting = raw(world, `POST ${id}/wait?condition=next-exit HTTP/1.1\r\nHost: d\r\n\r\n`, 2000);
    assert.equal((await api('POST', `${id}/start`)).status, 204);
    assert.equal((await api('POST', `${id}/start`)).status, 304);
    assert.equal((await api('DELETE', id)).status, 409);
    assert.equal((await api('POST', `${id}/kill?signal=9`)).status, 204);
    assert.equal((await api('POST', `${id}/kill`)).status, 409);
    assert.match(await waiting, /^HTTP\/1\.1 200 OK[\s\S]*"StatusCode":137/);
    assert.equal((await api('POST', `${id}/wait?condition=soon`)).status, 400);
    assert.equal((await api('DELETE', id)).status, 204);
    assert.equal((await api('DELETE', id)).status, 404);
    assert.deepEqual(api.problems, []);
  });

  check('clients that die in the middle of streams leave nothing behind', async (world) => {
    const api = apiOf(socketOf(world));
    const id = await create(api, { Cmd: ['sh', '-c', 'while :; do echo line; sleep 0.1; done'] });
    await api('POST', `${id}/start`);
    await api('GET', '/_ping');
    const before = await descriptors(world);
    const streams = ['/events', `${id}/logs?follow=1&stdout=1`, `${id}/stats`, `${id}/export`];
    for (let round = 0; round < 3; round++)
      await Promise.all(streams.map((target) => raw(world, `GET ${target} HTTP/1.1\r\nHost: d\r\n\r\n`, 300, 300)));
    await raw(
      world,
      `POST ${id}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
      300,
      300,
    );
    await raw(world, `POST ${id}/wait HTTP/1.1\r\nHost: d\r\n\r\n`, 300, 300);
    await eventually('the descriptors are given back', async () => (await descriptors(world)) <= before + 1);
    assert.equal((await api('GET', '/info')).json.NEventsListener, 0);
    await api('DELETE', `${id}?force=1`);
  });
});
