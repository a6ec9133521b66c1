import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { isHoistError } from '../../base/errors.ts';
import { multiplexed } from '../../base/multiplex.ts';
import { routes } from '../routes.ts';
import { apiVersion } from '../versions.ts';
import { parseAddress, refusePlainText } from './address.ts';
import { pathOf, queryOf } from './call.ts';
import { keysText, splitReference } from './containers.ts';
import { type RemoteEngine, remoteEngine } from './engine.ts';
import { sshArguments } from './transport.ts';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (isHoistError(error)) return error.code;
    throw error;
  }
  return '';
};

/** A server in a file, and what it was asked. */
async function served(answer: RequestListener, version?: string) {
  const directory = mkdtempSync(path.join(tmpdir(), 'hoist-client-'));
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (request.url === '/_ping') response.setHeader('Api-Version', '1.43').end('OK');
    else answer(request, response as Parameters<RequestListener>[1]);
  });
  const socket = path.join(directory, 's');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const engine: RemoteEngine = remoteEngine(
    { address: parseAddress(`unix://${socket}`) },
    { userAgent: 'test', ...(version === undefined ? {} : { version }) },
  );
  return {
    engine,
    asked,
    async [Symbol.asyncDispose]() {
      engine.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true });
    },
  };
}

test('addresses are read as Docker reads them', () => {
  assert.deepEqual(parseAddress('unix:///a/b'), { kind: 'unix', text: 'unix:///a/b', path: '/a/b' });
  const tcp = parseAddress('tcp://[::1]:99');
  assert.deepEqual([tcp.kind === 'tcp' && tcp.host, tcp.kind === 'tcp' && tcp.port], ['::1', 99]);
  const plain = parseAddress('tcp://example.org');
  assert.equal(plain.kind === 'tcp' && plain.port, 2375);
  const ssh = parseAddress('ssh://ada@there:22/run/x.sock');
  assert.ok(ssh.kind === 'ssh');
  assert.deepEqual([ssh.user, ssh.host, ssh.port, ssh.path], ['ada', 'there', '22', '/run/x.sock']);
  for (const bad of [
    'foo',
    'foo://x',
    'tcp://h:port',
    'tcp://h/path',
    'ssh://',
    'ssh://u:p@h',
    'ssh://-oX=y',
    'npipe://x',
  ])
    assert.equal(
      codeOf(() => parseAddress(bad)),
      'cli.host',
      bad,
    );
});

test('plain text stays on this machine, unless the user says otherwise', () => {
  const refused = (text: string): string => codeOf(() => refusePlainText({ address: parseAddress(text) }));
  for (const fine of ['tcp://localhost:1', 'tcp://127.9.9.9:1', 'tcp://[::1]:1', 'unix:///x', 'ssh://h', 'https://h:1'])
    assert.equal(refused(fine), '', fine);
  for (const bad of ['tcp://192.0.2.1:2375', 'tcp://localhost.example:1', 'http://h:1', 'tcp://[2001:db8::1]:1'])
    assert.equal(refused(bad), 'cli.insecure', bad);
  const address = parseAddress('tcp://192.0.2.1:2375');
  refusePlainText({ address, insecure: true });
  refusePlainText({ address, tls: { verify: true } });
});

test('words for ssh cannot become words of a shell', () => {
  const address = parseAddress("ssh://h/it's;reboot");
  assert.ok(address.kind === 'ssh');
  const command = sshArguments(address).at(-1) ?? '';
  assert.equal(command.replace(/'([^']|'\\'')*'/g, '').includes(';'), false);
});

test('paths and queries of the route table', () => {
  assert.equal(pathOf(routes.ImageInspect, { name: 'reg:5000/a b:c@d' }), '/images/reg:5000/a%20b:c@d/json');
  assert.equal(pathOf(routes.ContainerInspect, { id: '../x' }), '/containers/..%2Fx/json');
  const asked = { all: true, size: false, limit: 3, filters: { label: ['a=b', 'c'], name: [] } };
  const query = new URLSearchParams(queryOf(routes.ContainerList, asked));
  assert.deepEqual([query.get('all'), query.get('size'), query.get('limit')], ['1', null, '3']);
  assert.deepEqual(JSON.parse(query.get('filters') ?? ''), { label: { 'a=b': true, c: true } });
  assert.equal(queryOf(routes.SystemEvents, { since: 1.5, until: undefined }), '?since=1.5');
});

test('references and detach keys as the API has them', () => {
  assert.deepEqual(splitReference('h:5000/a'), ['h:5000/a', '']);
  assert.deepEqual(splitReference('h:5000/a:b'), ['h:5000/a', 'b']);
  assert.deepEqual(splitReference('a@sha256:ff'), ['a', 'sha256:ff']);
  assert.equal(keysText(Uint8Array.of(16, 17)), 'ctrl-p,ctrl-q');
  assert.equal(keysText(Uint8Array.of(0, 97, 31, 27)), 'ctrl-@,a,ctrl-_,ctrl-[');
});

test('the version is the lesser of both, asked for once; a pinned one is not asked for', async () => {
  const answer: RequestListener = (_, response) => void response.end('[]');
  await using old = await served(answer);
  const list = { all: false, limit: 0, size: false, filters: {} };
  await old.engine.containers.list(list);
  await old.engine.containers.list(list);
  assert.deepEqual(old.asked, ['GET /_ping', 'GET /v1.43/containers/json', 'GET /v1.43/containers/json']);
  await using pinned = await served(answer, '1.30');
  await pinned.engine.containers.list(list);
  assert.deepEqual(pinned.asked, ['GET /v1.30/containers/json']);
  assert.ok(Number(apiVersion.split('.')[1]) > 43);
});

test('failures: the sentence unchanged, the kind by the status', async () => {
  const cases: readonly (readonly [number, string, string, string])[] = [
    [404, '{"message":"No such image: x"}', 'image.not_found', 'No such image: x'],
    [404, '{"message":"No such container: x"}', 'remote.404', 'No such container: x'],
    [409, '{"message":"conflict: y"}', 'remote.409', 'conflict: y'],
    [502, '<html>', 'remote.502', '<html>'],
    [500, '', 'remote.500', 'request returned 500 for API route /containers/{id}/json'],
  ];
  for (const [status, body, code, message] of cases) {
    await using there = await served((_, response) => void response.writeHead(status).end(body));
    await assert.rejects(there.engine.containers.inspect('x'), { code, message });
  }
});

test('progress: layers, messages, a failure in its midst', async () => {
  const lines = [
    '{"status":"Pulling from library/a","id":"latest"}',
    '{"status":"Downloading","progressDetail":{"current":5,"total":9},"id":"0123456789ab"}',
    '{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}',
  ];
  await using there = await served((_, response) => void response.end(lines.join('\r\n')));
  const seen: unknown[] = [];
  const pull = there.engine.images.pull('a', {
    platform: '',
    onProgress: (progress) => seen.push(progress),
    signal: new AbortController().signal,
  });
  await assert.rejects(pull, { kind: 'not_found', message: 'manifest unknown' });
  assert.deepEqual(seen, [
    { kind: 'message', text: 'latest: Pulling from library/a' },
    { kind: 'layer', id: '0123456789ab', phase: 'Downloading', current: 5, total: 9 },
  ]);
  assert.equal(there.asked[1], 'POST /v1.43/images/create?fromImage=a&tag=latest');
});

test('logs: frames and a terminal, times and details', async () => {
  const time = '2026-01-02T03:04:05.000000006Z';
  const read = async (tty: boolean, body: Buffer) => {
    await using there = await served((request, response) => {
      if (request.url?.includes('/json') === true) response.end(JSON.stringify({ Config: { Tty: tty } }));
      else response.end(body);
    });
    const options = { follow: false, since: 0, until: 0, stdout: true, stderr: true };
    const found: unknown[] = [];
    const signal = new AbortController().signal;
    for await (const { stream, time: at, data, details } of there.engine.containers.logs('x', { ...options, signal }))
      found.push([stream, at, Buffer.from(data).toString(), details]);
    return found;
  };
  const framed = Buffer.concat([
    multiplexed(1, Buffer.from(`${time}  one\n`)),
    multiplexed(2, Buffer.from(`${time} a=b,c=d%20e two\n`)),
  ]);
  assert.deepEqual(await read(false, framed), [
    ['stdout', time, 'one\n', undefined],
    ['stderr', time, 'two\n', { a: 'b', c: 'd e' }],
  ]);
  assert.deepEqual(await read(true, Buffer.from(`${time}  one\r\n${time}  two`)), [
    ['stdout', time, 'one\r\n', undefined],
    ['stdout', time, 'two', undefined],
  ]);
});
