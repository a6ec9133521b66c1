// A network as the engine keeps it: <root>/networks/<id>/network.json, replaced atomically. bridge, host and none have one
// too, made when an engine first opens the root: their ids stay.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { IpamConfig } from '../../spec/docker/network.ts';

export const networkSchema = 1;

export type NetworkDriver = 'bridge' | 'host' | 'null';

export interface NetworkRecord {
  readonly schema: typeof networkSchema;
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly driver: NetworkDriver;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly configOnly: boolean;
  /** Name of the network that this one has its configuration of; ''. */
  readonly configFrom: string;
  /** As `inspect` shows it: what was asked for, or the default pool that was chosen. */
  readonly ipam: {
    readonly driver: string;
    readonly options: Readonly<Record<string, string>> | null;
    readonly config: readonly IpamConfig[];
  };
  /** Whether the user chose the subnet: only then may containers choose addresses. */
  readonly ownSubnet: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** bridge, host, none. */
export function isPredefined({ name }: Pick<NetworkRecord, 'name'>): boolean {
  return Object.hasOwn(predefined, name);
}

const predefined: Readonly<Record<string, NetworkDriver>> = { bridge: 'bridge', host: 'host', none: 'null' };

export function newNetworkId(taken: (id: string) => boolean): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (!/^\d{12}/.test(id) && !taken(id)) return id;
  }
}

/** All networks of a root, the predefined ones made where they are missing. A directory without a document is half-made. */
export function loadNetworks(root: string, now: string): readonly NetworkRecord[] {
  const base = path.join(root, 'networks');
  mkdirSync(base, { recursive: true, mode: 0o710 });
  const found: NetworkRecord[] = [];
  for (const name of readdirSync(base)) {
    const record = readOne(path.join(base, name, 'network.json'));
    if (record === undefined) rmSync(path.join(base, name), { recursive: true, force: true });
    else if (record !== 'unknown' && record.id === name) found.push(record);
  }
  for (const [name, driver] of Object.entries(predefined)) {
    if (found.some((one) => one.name === name)) continue;
    const record: NetworkRecord = {
      schema: networkSchema,
      id: newNetworkId(() => false),
      name,
      created: now,
      driver,
      internal: false,
      attachable: false,
      configOnly: false,
      configFrom: '',
      ipam: { driver: 'default', options: null, config: [] },
      ownSubnet: false,
      options: {},
      labels: {},
    };
    saveNetwork(root, record, false);
    found.push(record);
  }
  return found;
}

/** undefined: there is no whole document; one of a later version is left alone. */
function readOne(file: string): NetworkRecord | 'unknown' | undefined {
  try {
    const document: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isNetwork(document) ? document : 'unknown';
  } catch {
    return undefined;
  }
}

function isNetwork(document: unknown): document is NetworkRecord {
  return typeof document === 'object' && document !== null && 'schema' in document && document.schema === networkSchema;
}

/** `flush`: survive a power cut. */
export function saveNetwork(root: string, record: NetworkRecord, flush = true): void {
  const dir = path.join(root, 'networks', record.id);
  const target = path.join(dir, 'network.json');
  mkdirSync(dir, { recursive: true, mode: 0o710 });
  writeFileSync(`${target}.tmp`, JSON.stringify(record), { mode: 0o600, flush });
  renameSync(`${target}.tmp`, target);
}

export function removeNetworkFiles(root: string, id: string): void {
  rmSync(path.join(root, 'networks', id), { recursive: true, force: true });
}
