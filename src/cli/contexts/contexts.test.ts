import assert from 'node:assert/strict';
import test from 'node:test';
import { isHoistError } from '../../base/errors.ts';
import { runCli } from '../app.ts';
import { parseFlags } from '../parse.ts';
import { rootFlags } from '../root.ts';
import { type FakeIo, fakeIo } from '../testing/io.ts';
import { resolveEngine } from './resolve.ts';
import { contextPaths, documentOf } from './store.ts';

// the command line connects before each command; contexts need nobody
const offline = async (io: FakeIo, ...args: readonly string[]): Promise<number> =>
  runCli(['context', ...args], io, () => ({}) as never);

async function addressOf(io: FakeIo, argv: readonly string[]): Promise<string> {
  const { flags } = parseFlags(rootFlags('/root'), [...argv, 'ps'], true);
  try {
    return (await resolveEngine(io, flags))?.address.text ?? 'here';
  } catch (error) {
    if (isHoistError(error)) return error.message;
    throw error;
  }
}

test('a context lies where Docker keeps it, byte for byte', async () => {
  const io = fakeIo({ files: { '/k.pem': '-----BEGIN PRIVATE KEY-----\n' } });
  const docker = 'host=tcp://h:2376,key=/k.pem,skip-tls-verify=true';
  assert.equal(await offline(io, 'create', 'xx', '--docker', docker, '--description', 'd'), 0);
  const { meta, tls } = contextPaths(io.env, 'xx');
  assert.equal(meta, '/root/.docker/contexts/meta/5dde896887f6754c9b15bfe3a441ae4806df2fde94001311e08bf110622e0bbe');
  assert.equal(
    io.files.get(`${meta}/meta.json`),
    '{"Name":"xx","Metadata":{"Description":"d"},"Endpoints":{"docker":{"Host":"tcp://h:2376","SkipTLSVerify":true}}}',
  );
  assert.equal(io.files.get(`${tls}/docker/key.pem`), '-----BEGIN PRIVATE KEY-----\n');
  assert.equal(await offline(io, 'rm', 'xx'), 0);
  assert.deepEqual([...io.files.keys()], ['/k.pem']);
});

test('what a context keeps beyond what we know stays', async () => {
  const { meta } = contextPaths(fakeIo().env, 'xx');
  const text = '{"Name":"xx","Metadata":{"Other":1},"Endpoints":{"docker":{"Host":"unix:///x"},"kubernetes":{"a":1}}}';
  const io = fakeIo({ files: { [`${meta}/meta.json`]: text } });
  assert.equal(await offline(io, 'update', 'xx', '--description', 'new'), 0);
  const { Metadata, Endpoints } = documentOf(io.files.get(`${meta}/meta.json`) ?? '');
  assert.deepEqual(Metadata, { Description: 'new', Other: 1 });
  assert.deepEqual(Endpoints, { docker: { Host: 'unix:///x' }, kubernetes: { a: 1 } });
});

test('the current context: the rest of config.json stays as it is', async () => {
  const config = '/root/.docker/config.json';
  const io = fakeIo({ files: { [config]: '{"auths":{"a":{"auth":"x"}},"currentContext":"old"}' } });
  await offline(io, 'create', 'xx', '--docker', 'host=unix:///x');
  assert.equal(await offline(io, 'use', 'xx'), 0);
  assert.equal(
    io.files.get(config),
    '{\n\t"auths": {\n\t\t"a": {\n\t\t\t"auth": "x"\n\t\t}\n\t},\n\t"currentContext": "xx"\n}',
  );
  assert.equal(await addressOf(io, []), 'unix:///x');
  assert.equal(await offline(io, 'rm', 'xx'), 1);
  assert.match(io.err(), /context "xx" is in use, set -f flag to force remove\n$/);
  assert.equal(await offline(io, 'use', 'default'), 0);
  assert.equal(await addressOf(io, []), 'here');
});

test('names that are no names, and files outside of the archive, go nowhere', async () => {
  const io = fakeIo({ files: { '/evil.tar': 'PK\x03\x04' } });
  for (const name of ['../x', 'a', 'a/b', '-x.', 'default', ''])
    assert.equal(await offline(io, 'create', '--docker', 'host=unix:///x', '--', name), 1, name);
  assert.equal(await offline(io, 'import', 'good', '/evil.tar'), 1);
  assert.deepEqual([...io.files.keys()], ['/evil.tar']);
});

test('TLS of the flags: files that nobody named may be missing', async () => {
  const files = { '/root/.docker/ca.pem': 'ca', '/certs/ca.pem': 'other' };
  const tlsOf = async (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { flags } = parseFlags(rootFlags('/root'), ['-H', 'tcp://h:2376', ...argv, 'ps'], true);
    const tls = (await resolveEngine(fakeIo({ files, env }), flags))?.tls;
    return tls && { verify: tls.verify, ca: String(tls.ca) };
  };
  assert.equal(await tlsOf([]), undefined);
  assert.deepEqual(await tlsOf(['--tlsverify']), { verify: true, ca: 'ca' });
  assert.deepEqual(await tlsOf(['--tls']), { verify: false, ca: 'ca' });
  assert.deepEqual(await tlsOf([], { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' }), {
    verify: true,
    ca: 'other',
  });
  assert.equal(
    await addressOf(fakeIo(), ['-H', 'tcp://h:2376', '--tlsverify', '--tlscert', '/none']),
    'Failed to initialize: unable to resolve docker endpoint: open /none: no such file or directory',
  );
});
