// All containers of a data root, read when an engine starts.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { readJsonNow } from '../../base/files.ts';
import { type ContainerPaths, type ContainerRecord, type EndpointRecord, recordSchema } from './record.ts';

/**
 * Every container on disk, the oldest first; removes what is half-made. Synchronous: an engine that starts has nothing
 * else to do, and thousands of small files read one after the other take a fifth of the time that threads need.
 */
export function loadRecords(paths: ContainerPaths): readonly ContainerRecord[] {
  const base = path.join(paths.root, 'containers');
  const runBase = path.join(paths.run, 'c');
  mkdirSync(base, { recursive: true, mode: 0o710 });
  mkdirSync(runBase, { recursive: true, mode: 0o700 });
  const kept = readdirSync(base).map((id) => path.join(base, id));
  const records = kept.map(loadOne).filter((one) => one !== undefined);
  const known = new Set(records.flatMap(({ id }) => [id, id.slice(0, 12)]));
  const running = readdirSync(runBase)
    .filter((short) => !known.has(short)) // an --rm container has its document there, or it is a rest
    .map((short) => path.join(runBase, short));
  for (const record of running.map(loadOne)) {
    if (!record) continue;
    records.push(record);
    known.add(record.id).add(record.id.slice(0, 12));
  }
  for (const dir of [...kept, ...running])
    if (!known.has(path.basename(dir))) rmSync(dir, { recursive: true, force: true });
  return records.sort((a, b) => (a.created < b.created ? -1 : 1));
}

function loadOne(dir: string): ContainerRecord | undefined {
  let document: unknown;
  try {
    document = readJsonNow(path.join(dir, 'container.json'));
  } catch {
    return undefined;
  }
  return isRecord(document) && document.id.startsWith(path.basename(dir)) ? withConnections(document) : undefined;
}

/** Documents that were written when there was one network alone say `endpoint` where newer ones have `connections`. */
function withConnections(document: ContainerRecord & { readonly endpoint?: Partial<EndpointRecord> }): ContainerRecord {
  if (Array.isArray(document.connections)) return document;
  const { endpoint: old, ...record } = document;
  const { NetworkMode: mode } = record.hostConfig;
  const endpoint: EndpointRecord = {
    id: randomBytes(32).toString('hex'),
    address: '',
    prefix: 0,
    gateway: '',
    host: old?.gateway ?? '',
    mac: '',
    ports: [],
    veth: '',
    place: 0,
    isGateway: true,
    ...old,
  };
  const connection = { name: mode, network: '', request: {}, ...(old ? { endpoint } : {}) };
  return { ...record, connections: mode.startsWith('container:') ? [] : [connection] };
}

function isRecord(document: unknown): document is ContainerRecord {
  return (
    typeof document === 'object' &&
    document !== null &&
    'schema' in document &&
    document.schema === recordSchema &&
    'id' in document
  );
}
