// Against Debian's own registry (package docker-registry) on loopback: what we push, we pull.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { openRegistryClient, type Repository } from '../../registry/client/client.ts';
import { noCredentials } from '../../registry/client/credentials.ts';
import { sha256 } from '../../registry/client/registry.fixture.ts';
import { mediaTypes } from '../../spec/oci/image.ts';
import { parseReference } from '../../spec/oci/reference.ts';
import type { Progress } from '../engine.ts';
import { contentsOf, layerTar, openWorld } from './testing.fixture.ts';

const signal = new AbortController().signal;
const skip = spawnSync('docker-registry', ['--version']).status === 0 ? false : 'no docker-registry here';

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startRegistry() {
  const directory = await mkdtemp(join(tmpdir(), 'hoist-registry-'));
  const port = await freePort();
  const config = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: directory } },
    http: { addr: `127.0.0.1:${port}` },
  };
  // JSON is YAML.
  await writeFile(join(directory, 'config.yml'), JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' });
  for (let i = 0; i < 100; i++) {
    if (
      await fetch(`http://127.0.0.1:${port}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break;
    await sleep(50);
  }
  return {
    host: `127.0.0.1:${port}`,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function putBytes(repository: Repository, bytes: Uint8Array, mountFrom?: string) {
  const descriptor = { digest: sha256(bytes), size: bytes.length };
  const source = { open: () => once(bytes), ...(mountFrom === undefined ? {} : { mountFrom }) };
  return { descriptor, how: await repository.putBlob(descriptor, source, signal) };
}

test('docker-registry: push with blobs asked for, uploaded and mounted; pull by tag, digest and platform; tags', {
  skip,
}, async () => {
  const registry = await startRegistry();
  const client = openRegistryClient({ env: {}, userAgent: 'test' });
  const world = await openWorld();
  try {
    const at = (path: string, action: 'pull' | 'push' = 'push') =>
      client.repository(parseReference(`${registry.host}/${path}`), { credentials: noCredentials, action });
    const repository = at('team/app');
    const layers = [layerTar('a', randomBytes(3_000_000)), layerTar('b', 'b')];
    const blobs = [];
    for (const tar of layers) {
      const gzip = zlib.gzipSync(tar, { level: 1 });
      assert.equal(await repository.hasBlob({ digest: sha256(gzip) }, signal), false);
      const { descriptor, how } = await putBytes(repository, gzip);
      assert.equal(how, 'uploaded');
      assert.equal(await repository.hasBlob(descriptor, signal), true);
      blobs.push({ mediaType: mediaTypes.ociLayerGzip, ...descriptor });
      assert.equal((await putBytes(at('team/other'), gzip, 'team/app')).how, 'mounted');
    }
    const manifests = [];
    for (const architecture of ['amd64', 'arm64']) {
      const config = { os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: layers.map(sha256) } };
      const { descriptor } = await putBytes(repository, Buffer.from(JSON.stringify(config)));
      const manifest = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { mediaType: mediaTypes.ociConfig, ...descriptor },
        layers: blobs,
      };
      const bytes = Buffer.from(JSON.stringify(manifest));
      await repository.putManifest(architecture, mediaTypes.ociManifest, bytes, signal);
      manifests.push({
        mediaType: mediaTypes.ociManifest,
        digest: sha256(bytes),
        size: bytes.length,
        platform: { os: 'linux', architecture },
      });
    }
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
    await repository.putManifest('v1', mediaTypes.ociIndex, index, signal);
    assert.deepEqual([...(await repository.tags(signal))].sort(), ['amd64', 'arm64', 'v1']);

    const ref = `${registry.host}/team/app`;
    const pulled = await world.pull(`${ref}:v1`);
    assert.equal(pulled.digest, sha256(index));
    assert.deepEqual(await contentsOf(world.store), { blobs: 4, layers: 2 });
    assert.equal((await world.pull(`${ref}:v1`)).changed, false);
    assert.equal((await world.pull(`${ref}@${manifests[1]?.digest}`, { platform: 'linux/arm64' })).changed, true);
    // What was pulled can be pushed elsewhere: its blobs are mounted, its digest stays.
    const [row] = world.store.images.list();
    assert.ok(row);
    await world.store.images.tag({ ...row, name: `${registry.host}/copy/app:v9`, repoDigest: undefined });
    const phases: string[] = [];
    const onProgress = (step: Progress) => void (step.kind === 'layer' && phases.push(step.phase));
    const [pushed] = await world.images.push(`${registry.host}/copy/app:v9`, { onProgress, signal });
    assert.ok(pushed);
    assert.deepEqual([pushed.tag, pushed.digest], ['v9', row.manifest.digest]);
    assert.equal(phases.filter((phase) => phase === 'Mounted from team/app').length, 2);
    assert.equal((await at('copy/app', 'pull').manifest('v9', signal)).descriptor.digest, pushed.digest);
    phases.length = 0;
    await world.images.push(`${registry.host}/copy/app:v9`, { onProgress, signal });
    assert.equal(phases.filter((phase) => phase === 'Layer already exists').length, 2);

    await assert.rejects(world.pull(`${ref}:nope`), { code: 'registry.manifest_unknown', kind: 'not_found' });
    await assert.rejects(world.pull(`${registry.host}/nothing:here`), { kind: 'not_found' });
  } finally {
    await world[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    await registry.stop();
  }
});
