// A run through the whole Engine API: every answer has the fields and types that the API's description names.

import assert from 'node:assert/strict';
import path from 'node:path';
import { routes } from '../../src/api/routes.ts';
import { type Api, apiOf } from '../compat/api.ts';
import { busybox, eventually, inWorld } from './world.ts';

/** Asked elsewhere: they are streams on a connection of their own, or need a registry. */
const elsewhere = [
  'ContainerAttach',
  'ContainerAttachWebsocket',
  'ExecStart',
  'ExecResize',
  'ContainerResize',
  'ImagePush',
  'ImageSearch',
  'DistributionInspect',
  'SystemAuth',
];

const create = (cmd: readonly string[], host: object = {}): object => ({
  Image: 'busybox',
  Cmd: cmd,
  Labels: { kind: 'contract' },
  ExposedPorts: { '80/tcp': {} },
  Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9 },
  HostConfig: { Memory: 50_000_000, PortBindings: { '80/tcp': [{ HostPort: '8099' }] }, ...host },
});

async function containers(api: Api): Promise<void> {
  const { json: made } = await api('POST', '/containers/create?name=web', {
    body: create(['sh', '-c', 'echo out; echo err >&2; touch /new; sleep 100'], {
      Binds: ['/etc:/host:ro', 'data:/data'],
    }),
  });
  const id = `/containers/${made.Id}`;
  await api('GET', `${id}/json`);
  assert.equal((await api('POST', `${id}/start`)).status, 204);
  assert.equal((await api('POST', `${id}/start`)).status, 304);
  await eventually('the container has spoken', async () =>
    (await api('GET', `${id}/logs?stdout=1&stderr=1`)).text.includes('out'),
  );
  await api('GET', `${id}/json?size=1`);
  await api('GET', '/containers/json?size=1');
  await api('GET', `${id}/top`);
  await api('GET', `${id}/changes`);
  await api('GET', `${id}/stats?stream=0`);
  await api('GET', `${id}/stats?stream=0&one-shot=1`);
  await api('POST', `${id}/update`, { body: { Memory: 60_000_000, MemorySwap: 120_000_000 } });
  await api('HEAD', `${id}/archive?path=/new`);
  await api('GET', `${id}/archive?path=/new`);
  await api('PUT', `${id}/archive?path=/tmp`, {
    body: Buffer.alloc(1024),
    headers: { 'Content-Type': 'application/x-tar' },
  });
  const { json: exec } = await api('POST', `${id}/exec`, { body: { Cmd: ['true'], AttachStdout: true } });
  await api('GET', `/exec/${exec.Id}/json`);
  await api('POST', `${id}/pause`);
  await api('GET', '/containers/json');
  await api('POST', `${id}/unpause`);
  await api('POST', `${id}/rename?name=shop`);
  await api('POST', `${id}/restart?t=0`);
  await api('POST', `${id}/kill`);
  assert.equal((await api('POST', `${id}/wait`)).json.StatusCode, 137);
  await api('GET', `${id}/export`);
  await api('GET', '/containers/json?all=1');
  await api('GET', `${id}/json`);
  await api('POST', `/commit?container=${made.Id}&repo=kept&tag=1`);
  await api('POST', `${id}/stop`);
  await api('DELETE', `${id}?v=1`);
  await api('POST', '/containers/create', { body: create(['true'], { AutoRemove: false }) });
  await api('POST', '/containers/prune');
}

async function images(api: Api): Promise<void> {
  await api('GET', '/images/json?all=1');
  await api('GET', '/images/busybox/json');
  await api('GET', '/images/busybox/history');
  await api('POST', '/images/busybox/tag?repo=other&tag=2');
  const { bytes } = await api('GET', '/images/other:2/get');
  await api('GET', '/images/get?names=other:2');
  await api('DELETE', '/images/other:2');
  const loaded = await api('POST', '/images/load', { body: bytes, headers: { 'Content-Type': 'application/x-tar' } });
  assert.match(loaded.text, /Loaded image: other:2/);
  await api('POST', '/images/create?fromSrc=-&repo=empty', { body: Buffer.alloc(1024) });
  await api('POST', '/images/prune?filters={"dangling":["false"]}');
}

async function rest(api: Api): Promise<void> {
  for (const get of ['/_ping', '/version', '/info', '/plugins', '/system/df', '/networks', '/volumes'])
    await api('GET', get);
  await api('HEAD', '/_ping');
  await api('GET', `/events?since=${Math.floor(Date.now() / 1000) - 600}&until=${Date.now() / 1000}`);
  await api('POST', '/build/prune');
  await api('POST', '/volumes/create', { body: { Name: 'box', Labels: { a: 'b' } } });
  await api('GET', '/volumes/box');
  await api('GET', '/volumes');
  await api('DELETE', '/volumes/box');
  await api('POST', '/volumes/prune');
  await api('POST', '/networks/create', { body: { Name: 'mesh', Labels: { a: 'b' } } });
  const { json: made } = await api('POST', '/containers/create', {
    body: create(['sleep', '9'], { PortBindings: {} }),
  });
  await api('POST', '/networks/mesh/connect', { body: { Container: made.Id } });
  await api('POST', `/containers/${made.Id}/start`);
  await api('GET', '/networks/mesh');
  await api('GET', `/containers/${made.Id}/json`);
  await api('POST', '/networks/mesh/disconnect', { body: { Container: made.Id } });
  await api('DELETE', `/containers/${made.Id}?force=1`);
  await api('DELETE', '/networks/mesh');
  await api('POST', '/networks/prune');
}

inWorld('the contract of the Engine API', { prepare: busybox }, (check) => {
  check('every answer of a run through all endpoints', async (world) => {
    const api = apiOf(path.join(world.runRoot, 'docker.sock'));
    await containers(api);
    await rest(api);
    await images(api); // prunes all of them
    const missing = Object.keys(routes).filter((name) => !api.asked.has(name) && !elsewhere.includes(name));
    if (process.env['HOIST_SHOW']) console.log([...new Set(api.problems)].join('\n'));
    assert.deepEqual(missing, [], 'endpoints that were not asked');
    const broken = [...api.asked].filter(([, statuses]) => [...statuses].every((status) => status >= 400));
    assert.deepEqual(
      broken.map(([name]) => name),
      [],
      'endpoints that only failed',
    );
    assert.deepEqual([...new Set(api.problems)], []);
  });
});
