// What the values of flags and the names of things may be, for completion: a few words each, or what is there now.

import type { Engine } from '../engine/engine.ts';
import { capabilityNames } from '../plan/capabilities.ts';
import { signalName } from '../plan/signals.ts';
import { listContexts } from './contexts/store.ts';
import type { Io } from './io.ts';

export interface World {
  readonly engine: Engine;
  readonly io: Io;
}

export type Kind = 'container' | 'image' | 'network' | 'volume' | 'context';

const choices: Readonly<Record<string, readonly string[]>> = {
  attach: ['stdin', 'stdout', 'stderr'],
  cgroupns: ['host', 'private'],
  format: ['json', 'table'],
  ipc: ['host', 'none', 'private', 'shareable', 'container:'],
  'ipam-driver': ['default'],
  isolation: ['default'],
  'log-driver': ['fluentd', 'gelf', 'journald', 'json-file', 'local', 'none', 'syslog'],
  'log-level': ['debug', 'info', 'warn', 'error', 'fatal'],
  'log-opt': ['env=', 'labels=', 'max-file=', 'max-size=', 'mode=', 'tag='],
  pid: ['container:', 'host'],
  platform: [
    'linux/386',
    'linux/amd64',
    'linux/arm/v7',
    'linux/arm64',
    'linux/ppc64le',
    'linux/riscv64',
    'linux/s390x',
  ],
  pull: ['always', 'missing', 'never'],
  restart: ['always', 'no', 'on-failure', 'unless-stopped'],
  runtime: ['hoist'],
  'security-opt': [
    'apparmor=unconfined',
    'label=disable',
    'no-new-privileges',
    'seccomp=',
    'seccomp=unconfined',
    'systempaths=unconfined',
  ],
  type: ['container', 'image', 'network', 'volume'],
  userns: ['host', 'private', 'auto'],
  uts: ['host'],
};

/** Of `--driver`, by the noun. */
const drivers: Readonly<Record<string, readonly string[]>> = {
  network: ['bridge', 'host', 'ipvlan', 'macvlan', 'none'],
  volume: ['local'],
};

/** Keys of `--filter`, by what is listed. */
const filterKeys: Readonly<Record<string, string>> = {
  ps: 'ancestor before exited expose health id label name network publish since status volume',
  images: 'before dangling label reference since until',
  'network ls': 'dangling driver id label name scope type',
  'volume ls': 'dangling driver label name',
  events: 'container daemon event image label network type volume',
  prune: 'label label! until',
};

/** undefined: anything, also a file. */
export async function flagValues(
  name: string,
  path: readonly string[],
  world: World,
): Promise<readonly string[] | undefined> {
  if (name === 'signal' || name === 'stop-signal') return signals();
  if (name === 'cap-add' || name === 'cap-drop') return ['ALL', ...capabilityNames((1n << 41n) - 1n)];
  if (name === 'network') {
    const peers = await namesOf('container', world, path);
    return [...new Set([...(await namesOf('network', world, path)), 'bridge', 'host', 'none'])].concat(
      peers.map((peer) => `container:${peer}`),
    );
  }
  if (name === 'link' || name === 'volumes-from') return await namesOf('container', world, path);
  if (name === 'context') return await namesOf('context', world, path);
  if (name === 'driver') return drivers[path[0] ?? ''];
  if (name === 'filter') return filters(path)?.map((key) => `${key}=`);
  return choices[name];
}

function filters(path: readonly string[]): readonly string[] | undefined {
  const verb = path
    .join(' ')
    .replace(/^(container (ls|list|ps))$/, 'ps')
    .replace(/^image (ls|list)$/, 'images');
  const keys = filterKeys[verb] ?? filterKeys[path.at(-1) ?? ''] ?? '';
  return keys === '' ? undefined : keys.split(' ');
}

function signals(): readonly string[] {
  return Array.from({ length: 31 }, (_, i) => signalName(i + 1));
}

/** Verbs that make sense for containers in some states only. */
const states: Readonly<Record<string, readonly string[]>> = {
  attach: ['running'],
  exec: ['running'],
  kill: ['running', 'paused', 'restarting'],
  pause: ['running'],
  start: ['created', 'exited', 'dead'],
  stop: ['running', 'paused', 'restarting'],
  top: ['running'],
  unpause: ['paused'],
};

/** None where the engine does not answer: a completion has nobody to tell. */
export async function namesOf(kind: Kind, { engine, io }: World, path: readonly string[]): Promise<readonly string[]> {
  try {
    if (kind === 'context') return ['default', ...(await listContexts(io)).map(({ document }) => document.Name)];
    if (kind === 'network') return (await engine.networks.list({})).map(({ Name }) => Name);
    if (kind === 'volume') return (await engine.volumes.list({})).map(({ Name }) => Name);
    if (kind === 'image') {
      const all = await engine.images.list({ all: false, filters: {} });
      return all.flatMap(({ RepoTags }) => RepoTags.filter((tag) => !tag.startsWith('<none>')));
    }
    const status = states[path.at(-1) ?? ''];
    const filter = status === undefined ? {} : { status };
    const all = await engine.containers.list({ all: true, limit: 0, size: false, filters: filter });
    return all.flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, '')));
  } catch {
    return [];
  }
}
