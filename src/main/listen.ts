// The sockets of Docker's Engine API: docker.sock beside hoist.sock.

import { chownSync, existsSync, readFileSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import path from 'node:path';
import { createApiServer } from '../api/server.ts';
import { fail } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { dockerSocketOf, type Place } from './place.ts';

export interface ApiListeners {
  /** Open connections: while there are any, the engine stays. */
  readonly connections: () => number;
  close(): void;
}

export interface ListenOptions {
  readonly place: Place;
  readonly engine: () => Engine;
  readonly log: (message: string) => void;
  /** Name or number of the group that may use docker.sock; '' is root's alone. */
  readonly group: string;
}

export async function listenForApi({ place, engine, log, group }: ListenOptions): Promise<ApiListeners> {
  const socket = dockerSocketOf(place);
  const gid = groupId(group);
  let open = 0;
  const server = createApiServer({ engine, log, spool: { directory: path.join(place.root, 'tmp') } });
  server.on('connection', (connection) => {
    open++;
    connection.once('close', () => open--);
  });
  if (existsSync(socket)) unlinkSync(socket); // of an engine that was killed: the lock is ours
  const old = process.umask(0o117);
  try {
    await listening(server, socket);
  } finally {
    process.umask(old);
  }
  if (gid !== 0) chownSync(socket, 0, gid);
  return {
    connections: () => open,
    close() {
      server.close();
      server.closeAllConnections();
      if (existsSync(socket)) unlinkSync(socket);
    },
  };
}

function listening(server: Server, at: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(at, resolve);
  });
}

function groupId(group: string): number {
  if (group === '') return 0;
  if (/^\d+$/.test(group)) return Number(group);
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${group}:`));
  return line === undefined
    ? fail('invalid', 'engine.group', `this machine has no group ${group} to give docker.sock to`)
    : Number(line.split(':')[2]);
}
