// ps: rows, newest first, with Docker's filters.

import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../../base/errors.ts';
import type { ContainerSummary } from '../../spec/docker/container.ts';
import { parseReference, withDefaultTag } from '../../spec/oci/reference.ts';
import type { Filters } from '../engine.ts';
import { hasLabel } from '../filters.ts';
import { resolveImage } from '../images/resolve.ts';
import type { ContainerPool, Live } from './deps.ts';
import { fixedRow, type Sizes, statusText } from './describe.ts';
import { findContainer } from './find.ts';
import { type ContainerRecord, isUp, pathsOf, publishedPorts } from './record.ts';

export interface ListOptions {
  readonly all: boolean;
  readonly limit: number;
  readonly size: boolean;
  readonly filters: Filters;
}

type Test = (record: ContainerRecord) => boolean;

const known = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];
const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const healths = ['none', 'starting', 'healthy', 'unhealthy'];

export async function listContainers(
  pool: ContainerPool,
  { all, limit, size, filters }: ListOptions,
): Promise<readonly ContainerSummary[]> {
  const tests = await testsOf(pool, filters);
  const everything =
    all || limit > 0 || ['status', 'exited', 'before', 'since'].some((key) => (filters[key]?.length ?? 0) > 0);
  const now = Date.now();
  const rows: ContainerSummary[] = [];
  for (const { record } of newestFirst(pool, everything)) {
    if (limit > 0 && rows.length >= limit) break;
    if (tests.every((test) => test(record))) rows.push(rowOf(pool, record, now));
  }
  return size ? Promise.all(rows.map(async (row) => ({ ...row, ...(await sizesOf(pool, row.Id)) }))) : rows;
}

/** They came in that order, but for those that were made at the same moment. Most are not up: those are passed over first. */
function newestFirst({ live }: ContainerPool, everything: boolean): readonly Live[] {
  const all: Live[] = [];
  for (const one of live.values()) if (everything || isUp(one.record.state)) all.push(one);
  all.reverse();
  const sorted = all.every(({ record }, i) => i === 0 || record.created <= (all[i - 1]?.record.created ?? ''));
  return sorted ? all : all.sort((a, b) => (a.record.created < b.record.created ? 1 : -1));
}

function rowOf(pool: ContainerPool, record: ContainerRecord, now: number): ContainerSummary {
  let fixed = pool.rows.get(record);
  if (!fixed) {
    fixed = fixedRow(record);
    pool.rows.set(record, fixed);
  }
  return { ...fixed, Image: imageName(pool, record), Status: statusText(record.state, now) };
}

/** What the user called the image; its id where that name stands for another image by now. */
function imageName(pool: ContainerPool, record: ContainerRecord): string {
  const text = record.config.Image;
  if (/^(sha256:)?[0-9a-f]{12,64}$/.test(text)) return text;
  let canonical = pool.canonical.get(text);
  if (canonical === undefined) {
    canonical = canonicalOf(text);
    if (pool.canonical.size > 1000) pool.canonical.clear();
    pool.canonical.set(text, canonical);
  }
  const row = canonical === '' ? undefined : pool.deps.store.images.named(canonical);
  return row === undefined || row.manifest.digest === record.image.manifest ? text : record.image.id.slice(7, 19);
}

/** '' where it is no name. */
function canonicalOf(text: string): string {
  try {
    const reference = withDefaultTag(parseReference(text));
    return `${reference.domain}/${reference.path}:${reference.tag}`;
  } catch {
    return '';
  }
}

async function testsOf(pool: ContainerPool, filters: Filters): Promise<Test[]> {
  const tests: Test[] = [];
  for (const [key, values] of Object.entries(filters)) {
    if (!known.includes(key)) fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
    if (values.length > 0) tests.push(await testOf(pool, key, values));
  }
  return tests;
}

async function testOf(pool: ContainerPool, key: string, values: readonly string[]): Promise<Test> {
  switch (key) {
    case 'status':
      for (const value of values)
        if (!statuses.includes(value))
          fail(
            'invalid',
            'filter.status',
            `invalid filter 'status=${value}': invalid value for state (${value}): must be one of ${statuses.join(', ')}`,
          );
      return ({ state }) => values.includes(state.status);
    case 'exited': {
      const codes = values.map((value) =>
        /^-?\d+$/.test(value) ? Number(value) : fail('invalid', 'filter.exited', `invalid filter 'exited=${value}'`),
      );
      return ({ state }) => state.status === 'exited' && codes.includes(state.exitCode);
    }
    case 'id':
      return ({ id }) => values.some((value) => id.startsWith(value) || matches(id, value));
    case 'name':
      return ({ name }) =>
        values.some((value) => matches(name, value.replace(/^(\^?)\//, '$1')) || matches(`/${name}`, value));
    case 'label':
      return ({ config }) => values.every((value) => hasLabel(config.Labels, value));
    case 'ancestor': {
      const ids = new Set(
        (await Promise.all(values.map((value) => resolveImage(pool.deps.store, value).catch(() => undefined)))).map(
          (image) => image?.id,
        ),
      );
      return ({ image, config }) => ids.has(image.id) || values.includes(config.Image);
    }
    case 'before':
    case 'since':
      return byAge(
        key,
        values.map((value) => findContainer(pool, value)),
      );
    case 'volume':
      return ({ mounts }) =>
        values.some((value) =>
          mounts.some((mount) => mount.Destination === value || mount.Source === value || mount.Name === value),
        );
    case 'network':
      return ({ connections }) =>
        connections.some(({ name, network }) =>
          values.some((value) => value === name || (network !== '' && network.startsWith(value))),
        );
    case 'publish':
    case 'expose':
      return byPort(key, values);
    case 'health':
      for (const value of values)
        if (!healths.includes(value))
          fail(
            'invalid',
            'filter.health',
            `invalid filter 'health=${value}': invalid value for health (${value}): must be one of ${healths.join(', ')}`,
          );
      return ({ state }) => values.includes(state.health?.Status ?? 'none');
    default:
      return () => values.includes('false'); // is-task: there are no tasks without Swarm
  }
}

/** Docker's filters are regular expressions; one that is none is taken as text. */
function matches(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return text.includes(pattern);
  }
}

function byAge(key: 'before' | 'since', others: readonly Live[]): Test {
  return ({ created }) =>
    others.every(({ record }) => (key === 'before' ? created < record.created : created > record.created));
}

function byPort(key: 'publish' | 'expose', values: readonly string[]): Test {
  const ranges = values.map((value) => {
    const [, from, to, protocol] =
      /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(value) ??
      fail('invalid', 'filter.port', `invalid filter '${key}=${value}'`);
    return { from: Number(from), to: Number(to ?? from), protocol: protocol ?? 'tcp' };
  });
  return (record) => {
    const { config } = record;
    const ports =
      key === 'publish'
        ? publishedPorts(record).map(({ hostPort, protocol }) => ({ port: hostPort, protocol: protocol as string }))
        : Object.keys(config.ExposedPorts ?? {}).map((one) => ({
            port: Number.parseInt(one, 10),
            protocol: one.split('/')[1] ?? 'tcp',
          }));
    return ports.some(({ port, protocol }) =>
      ranges.some((range) => port >= range.from && port <= range.to && protocol === range.protocol),
    );
  };
}

export async function sizesOf(pool: ContainerPool, id: string): Promise<Sizes> {
  const live = pool.live.get(id);
  const layers = live?.record.image.layers ?? [];
  const infos = await Promise.all(layers.map((diffId) => pool.deps.store.layers.info(diffId)));
  const SizeRw = await treeSize(pathsOf(pool.deps.paths, id).upper);
  return { SizeRw, SizeRootFs: SizeRw + infos.reduce((sum, { size }) => sum + size, 0) };
}

async function treeSize(dir: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    const full = path.join(dir, entry.name);
    if (entry.isDirectory()) sum += await treeSize(full);
    else if (entry.isFile()) sum += (await lstat(full).catch(() => undefined))?.size ?? 0;
  }
  return sum;
}
