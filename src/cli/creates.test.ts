// `create` over the same command lines as the real Docker client: the documents that ask for a container are compared.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { runCli } from './app.ts';
import { creates } from './testing/creates.ts';
import { realDocker } from './testing/dockerapi.ts';
import { fakeEngine } from './testing/engine.ts';
import { fakeIo } from './testing/io.ts';
import { hasRealDocker } from './testing/real.ts';

const files = {
  'vars.env': '# comment\nA=1\nB=two words\nMISSING\nC=\n',
  'labels.txt': 'x=1\ny\n',
  'seccomp.json': '{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}\n',
};

/** What is not set is `null`, '', 0, false or empty in Docker's documents, or left out: the same to an engine. */
function meaning(value: unknown, key = ''): unknown {
  if (key === 'Env' && Array.isArray(value)) return [...value].sort(); // Docker's client keeps them in no order
  if (Array.isArray(value)) return value.map((item) => meaning(item));
  if (typeof value !== 'object' || value === null) return value;
  const keep = ['EndpointsConfig', 'Labels', 'LogConfig', 'Tmpfs', 'ExposedPorts', 'Volumes', 'Options'].includes(key);
  const entries = Object.entries(value)
    .map(([name, item]) => [name, meaning(item, name)] as const)
    .filter(([name, item]) => keep || (item !== null && told.includes(name)) || !empty(item));
  return Object.fromEntries(entries);
}

/** Empty is not the same as not said. */
const told = ['MaskedPaths', 'ReadonlyPaths', 'Cmd', 'Entrypoint'];

function empty(value: unknown): boolean {
  if (value === null || value === '' || value === 0 || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

test('create asks for what the Docker client asks for', { skip: hasRealDocker() }, async () => {
  assert.ok(creates.length > 150);
  const cwd = mkdtempSync(path.join(tmpdir(), 'hoist-creates-'));
  let sent: unknown;
  const answer = (route: string, body: string) => {
    if (route.startsWith('/containers/create')) sent = JSON.parse(body);
    return { status: 201, body: { Id: 'c', Warnings: [] } };
  };
  await using docker = await realDocker(answer, { cwd });
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(cwd, name), text);
    const differences: string[] = [];
    for (const line of creates) {
      const words = line.split(' ').map((word) => word.replaceAll('~', ' '));
      sent = undefined;
      const real = await docker.run(['create', ...words]);
      const io = { ...fakeIo({ files }), cwd };
      const engine = fakeEngine();
      const code = await runCli(['create', ...words], io, () => engine);
      const [, request] = engine.calls.find(([name]) => name === 'create') ?? [];
      const mine = { code, document: flat(request) };
      const theirs = { code: real.code, document: meaning(sent) };
      try {
        assert.deepEqual(mine, theirs);
      } catch {
        differences.push(`${line}
  ours   ${JSON.stringify(mine)} ${io.err()}
  Docker ${JSON.stringify(theirs)} ${real.err}`);
      }
    }
    assert.ok(differences.length === 0, differences.join('\n'));
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

/** The body has the configuration's fields at its top. */
function flat(request: unknown): unknown {
  if (typeof request !== 'object' || request === null) return undefined;
  const { Config, ...rest } = request as { readonly Config: object };
  return meaning({ ...Config, ...rest });
}
