// --link on the default bridge, as Docker has kept it: the other container's names in /etc/hosts, its ports and environment
// in variables. (On networks of users links are aliases of their name service.)

import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { fail, isHoistError } from '../../base/errors.ts';
import type { HostsOptions } from '../../network/hosts.ts';
import type { HostConfig } from '../../spec/docker/container.ts';
import type { ContainerPool } from './deps.ts';
import { findContainer } from './find.ts';
import { type ContainerRecord, isUp, pathsOf } from './record.ts';

/** `web:db` -> `<id>:db`: a name may be given to another container later. Fails where nobody is called so. */
export function canonicalLinks(pool: ContainerPool, { Links, NetworkMode }: HostConfig): readonly string[] | null {
  if (!Links || Links.length === 0 || NetworkMode === 'none') return Links ?? null;
  if (NetworkMode === 'host' || NetworkMode.startsWith('container:')) {
    const kind = NetworkMode === 'host' ? 'host type networking' : 'container type network';
    fail(
      'invalid',
      'link.no_network',
      `conflicting options: ${kind} can't be used with links. This would result in undefined behavior`,
    );
  }
  return Links.map((link) => {
    const [ref = '', alias = ref.replace(/^\//, '')] = link.split(':');
    try {
      return `${findContainer(pool, ref).record.id}:${alias}`;
    } catch (error) {
      if (!isHoistError(error)) throw error;
      // not `not_found`: of a create that says the image is missing
      return fail('invalid', error.code, `could not get container for ${ref}: ${error.message}`);
    }
  });
}

interface Peer {
  readonly alias: string;
  readonly record: ContainerRecord;
}

function peersOf(pool: ContainerPool, { hostConfig }: ContainerRecord): readonly Peer[] {
  if (hostConfig.NetworkMode !== 'bridge') return [];
  return (hostConfig.Links ?? []).flatMap((link) => {
    const [id = '', alias = ''] = link.split(':');
    const live = pool.live.get(id);
    return live ? [{ alias, record: live.record }] : [];
  });
}

/** Fails where one that is linked does not run. */
export function requireLinks(pool: ContainerPool, record: ContainerRecord): void {
  for (const { alias, record: other } of peersOf(pool, record)) {
    if (!isUp(other.state))
      fail(
        'invalid',
        'link.not_running',
        `Cannot link to a non running container: /${other.name} AS /${record.name}/${alias}`,
      );
  }
}

/** As `inspect` shows them. */
export function shownLinks(pool: ContainerPool, record: ContainerRecord): ContainerRecord {
  if (!record.hostConfig.Links?.length) return record;
  const Links = peersOf(pool, record).map(({ alias, record: { name } }) => `/${name}:/${record.name}/${alias}`);
  return { ...record, hostConfig: { ...record.hostConfig, Links } };
}

function addressOf({ connections }: ContainerRecord): string {
  return connections.find(({ name }) => name === 'bridge')?.endpoint?.address ?? '';
}

/** Lines of /etc/hosts. */
export function linkHosts(pool: ContainerPool, record: ContainerRecord): HostsOptions['links'] {
  return peersOf(pool, record)
    .map(({ alias, record: other }) => ({
      address: addressOf(other),
      names: [...new Set([alias, other.config.Hostname, other.name])],
    }))
    .filter(({ address }) => address !== '');
}

/** `DB_PORT=tcp://172.17.0.2:5432` and its kin. */
export function linkVariables(pool: ContainerPool, record: ContainerRecord): readonly string[] {
  return peersOf(pool, record).flatMap(({ alias, record: other }) => {
    const prefix = alias.replace(/-/g, '_').toUpperCase();
    const address = addressOf(other);
    const ports = Object.keys(other.config.ExposedPorts ?? {})
      .map((key) => ({ port: Number.parseInt(key, 10), protocol: key.split('/')[1] ?? 'tcp' }))
      .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
    const [first] = ports;
    return [
      ...(first ? [`${prefix}_PORT=${first.protocol}://${address}:${first.port}`] : []),
      ...ports.flatMap(({ port, protocol }) => {
        const name = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
        return [
          `${name}=${protocol}://${address}:${port}`,
          `${name}_ADDR=${address}`,
          `${name}_PORT=${port}`,
          `${name}_PROTO=${protocol}`,
        ];
      }),
      `${prefix}_NAME=/${record.name}/${alias}`,
      ...other.config.Env.filter((entry) => !/^(HOME|PATH)=/.test(entry) && entry.includes('=')).map(
        (entry) => `${prefix}_ENV_${entry}`,
      ),
    ];
  });
}

/** A container has started: those that are linked to it learn its address. */
export function tellLinked(pool: ContainerPool, id: string, linking: Iterable<string>): void {
  for (const other of linking) {
    const record = pool.live.get(other)?.record;
    if (!record?.hostConfig.Links?.some((link) => link.startsWith(id)) || !isUp(record.state)) continue;
    const file = pathsOf(pool.deps.paths, other).hosts;
    for (const { address, names } of linkHosts(pool, record) ?? []) {
      const line = `\t${names.join(' ')}`;
      rewriteInPlace(file, (text) =>
        text
          .split('\n')
          .map((one) => (one.endsWith(line) ? `${address}${line}` : one))
          .join('\n'),
      );
    }
  }
}

/** In place: the file is mounted in the container as it is. `change` may say no: undefined. */
export function rewriteInPlace(path: string, change: (text: string) => string | undefined): void {
  try {
    const text = readFileSync(path, 'utf8');
    const next = change(text);
    if (next === undefined || next === text) return;
    const file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      ftruncateSync(file);
      writeSync(file, next, 0);
    } finally {
      closeSync(file);
    }
  } catch {} // it ends meanwhile
}
