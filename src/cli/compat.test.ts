// The real Docker client is the authority: its --help, its complaints and its tables are compared with ours, over the
// same documents. Skipped where there is no client of the version that the command line follows.

import assert from 'node:assert/strict';
import test from 'node:test';
import { runCli } from './app.ts';
import { allCommands } from './commands/index.ts';
import { complaints } from './testing/complaints.ts';
import { type Answer, realDocker } from './testing/dockerapi.ts';
import * as documents from './testing/documents.ts';
import { fakeEngine, id64 } from './testing/engine.ts';
import { fakeIo } from './testing/io.ts';
import { listings } from './testing/listings.ts';
import { hasRealDocker } from './testing/real.ts';
import { templates } from './testing/templates.ts';
import * as world from './testing/world.ts';

const skip = hasRealDocker();

const now = Math.floor(Date.now() / 1000);

/** What does not depend on names. Deletions of the prune routes are the fake engine's. */
const fixed: Readonly<Record<string, unknown>> = {
  '/info': {},
  '/networks': world.networks,
  '/plugins': [],
  '/system/df': world.usage(now),
  '/events': world.events.map((event) => `${JSON.stringify(event)}\n`).join(''),
  '/containers/web/stats': world.stats,
  '/containers/web/top': { Titles: ['PID', 'CMD'], Processes: [['1', 'sh']] },
  '/containers/web/pause': '',
  '/containers/web/unpause': '',
  '/containers/web/update': { Warnings: [] },
  '/containers/prune': { ContainersDeleted: [id64('c')], SpaceReclaimed: 1_234_000 },
  '/networks/prune': { NetworksDeleted: ['old'] },
  '/volumes/prune': { VolumesDeleted: ['old'], SpaceReclaimed: 1_234_000 },
  '/images/prune': { ImagesDeleted: [{ Deleted: `sha256:${id64('1')}` }], SpaceReclaimed: 1_234_000 },
  '/build/prune': { CachesDeleted: [], SpaceReclaimed: 0 },
};

function answer(path: string): Answer {
  const [route = ''] = path.split('?');
  const found = (body: unknown): Answer => ({ status: 200, body });
  if (Object.hasOwn(fixed, route)) return found(fixed[route]);
  if (route === '/containers/json') return found(documents.summaries(now));
  if (route === '/images/json') return found(documents.imageSummaries(now));
  const [, noun, name = ''] = /^\/(container|image|network)s\/(.+?)(?:\/\w+)?$/.exec(route) ?? [];
  const ref = decodeURIComponent(name);
  if (noun === 'network') {
    const network = world.networks.find(({ Name }) => Name === ref);
    return network === undefined ? { status: 404, body: { message: `network ${ref} not found` } } : found(network);
  }
  if (noun === 'container' && route.endsWith('/json') && ['web', documents.container.Id].includes(ref))
    return found(documents.container);
  if (noun === 'image' && route.endsWith('/json') && documents.image.RepoTags.includes(ref))
    return found(documents.image);
  return { status: 404, body: { message: `No such ${noun}: ${ref}` } };
}

interface Told {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

async function ours(args: readonly string[]): Promise<Told> {
  const io = fakeIo({ env: { TZ: 'UTC' } });
  const engine = fakeEngine({
    containers: [documents.container],
    images: [documents.image],
    summaries: documents.summaries(now),
    imageSummaries: documents.imageSummaries(now),
    networks: world.networks,
    usage: world.usage(now),
    events: world.events,
    stats: [world.stats],
  });
  const code = await runCli(args, io, () => engine);
  return { out: io.out(), err: io.err(), code };
}

function named(text: string): string {
  return text.replaceAll('docker', 'hoist').replaceAll('Docker', 'Hoist');
}

/** Runs every line through both, a few at a time, and compares what `pick` keeps. */
async function compare(
  lines: readonly (readonly string[])[],
  pick: (told: Told) => unknown,
  served = true,
): Promise<void> {
  await using docker = await realDocker(served ? answer : undefined);
  const differences: unknown[] = [];
  for (const args of lines) {
    const real = await docker.run(args);
    const theirs = pick({ out: named(real.out), err: named(real.err), code: real.code });
    const own = await ours(args);
    const mine = pick({ out: named(own.out), err: named(own.err), code: own.code });
    try {
      assert.deepEqual(mine, theirs);
    } catch {
      differences.push({ args, theirs, mine });
    }
  }
  assert.deepEqual(differences, []);
}

test("every --help is the Docker client's, but for the name", { skip }, async () => {
  const own = new Set(['bootstrap', 'explain', 'completion', 'engine', 'version', 'info']);
  const lines = allCommands
    .filter((command) => command.hidden !== true && !command.names.flat().some((name) => own.has(name)))
    .flatMap((command) => command.names.map((name) => [...name, '--help']));
  assert.ok(lines.length > 30);
  const groups = ['container', 'context', 'network', 'system', 'volume'].map((name) => [name, '--help']);
  await compare([...lines, ...groups, ['info', '--help'], ['help', 'run'], ['network']], (told) => told, false);
});

test("a hundred bad command lines get the Docker client's words and exit codes", { skip }, async () => {
  assert.ok(complaints.length >= 100);
  await compare(
    complaints.map(({ args }) => args),
    ({ err, code }) => ({ err, code }),
  );
});

test("lists print the Docker client's tables, templates and JSON", { skip }, async () => {
  await compare(listings, (told) => told);
});

test("inspect templates print, and fail, as Go's do", { skip }, async () => {
  await compare(
    templates.map(([template]) => ['inspect', '-f', template, 'web']),
    (told) => told,
  );
});

test('inspect prints documents as the Docker client does, and says what it did not find', { skip }, async () => {
  const lines = [
    ['inspect', 'web'],
    ['inspect', 'nginx:1.27'],
    ['inspect', 'nope'],
    ['inspect', 'web', 'nope'],
    ['inspect', '-f', 'json', 'web', 'nope'],
    ['inspect', '-f', '{{.Name}}', 'web', 'web'],
    ['inspect', '--type', 'image', 'web'],
    ['inspect', '--type', 'container', 'nope'],
    ['inspect', '--type', 'x', 'web'],
    ['inspect', '-s', '--type', 'image', 'nginx:1.27'],
    ['container', 'inspect', 'nope'],
    ['image', 'inspect', 'nope'],
    ['image', 'inspect', '-f', '{{.Author}} {{index .RepoDigests 0}} {{.Config.ExposedPorts}}', 'nginx:1.27'],
    ['container', 'inspect', 'web', '-f', '{{.HostConfig.Sysctls}} {{json .HostConfig.Sysctls}} {{.HostConfig.Init}}'],
  ];
  await compare(lines, (told) => told);
});
