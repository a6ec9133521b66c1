// The sockets of Docker's Engine API: docker.sock beside hoist.sock, those that were asked for, and those of systemd.

import { chownSync, lstatSync, readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import type { ListenOptions } from 'node:net';
import path from 'node:path';
import { createApiServer } from '../api/server.ts';
import { errnoOf, fail } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { dockerSocketOf, type Place } from './place.ts';
import { type EngineSettings, groupId, listenAddress } from './settings.ts';

export interface ApiListeners {
  /** Open connections: while there are any, the engine stays. */
  readonly connections: () => number;
  close(): void;
}

export interface ApiOptions {
  readonly place: Place;
  readonly engine: () => Engine;
  readonly log: (message: string) => void;
  readonly settings: EngineSettings;
}

export async function listenForApi({ place, engine, log, settings }: ApiOptions): Promise<ApiListeners> {
  const options = { engine, log, spool: { directory: path.join(place.root, 'tmp') } };
  const servers: Server[] = [];
  const sockets: string[] = [];
  let open = 0;
  const add = (tls: EngineSettings['tls']): Server => {
    const server = createApiServer(options, tls && readTls(tls));
    server.on('connection', (connection) => {
      open++;
      connection.once('close', () => open--);
    });
    servers.push(server);
    return server;
  };
  const close = (): void => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    for (const socket of sockets) unlinkQuietly(socket);
  };
  try {
    const passed = await takePassed(() => add(undefined));
    for (const socket of [dockerSocketOf(place), ...unixPaths(settings)]) {
      if (passed.includes(socket)) continue;
      await listenAtPath(add(undefined), socket, groupId(settings.group));
      sockets.push(socket);
    }
    for (const host of settings.hosts) {
      const address = listenAddress(host, settings);
      if (address.kind !== 'tcp') continue;
      await listening(add(settings.tls), { host: address.host, port: address.port }, host);
      log(`listening at ${host}${settings.tls ? ' with TLS' : ''}`);
    }
  } catch (error) {
    close();
    throw error;
  }
  return { connections: () => open, close };
}

const unixPaths = (settings: EngineSettings): readonly string[] =>
  settings.hosts.flatMap((host) => {
    const address = listenAddress(host, settings);
    return address.kind === 'unix' ? [address.path] : [];
  });

function readTls({ ca, cert, key }: NonNullable<EngineSettings['tls']>) {
  return { ca: readFileSync(ca, 'utf8'), cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** Sockets that systemd made (sd_listen_fds): descriptors from 3 on. Returns the paths of those that have one. */
async function takePassed(add: () => Server): Promise<readonly string[]> {
  const { LISTEN_PID, LISTEN_FDS } = process.env;
  if (LISTEN_PID !== String(process.pid)) return [];
  const paths: string[] = [];
  for (let fd = 3; fd < 3 + Number(LISTEN_FDS ?? 0); fd++) {
    const server = add();
    const at = pathOfSocket(fd);
    await listening(server, { fd }, `descriptor ${fd} of systemd`);
    if (at !== undefined) paths.push(at);
  }
  return paths;
}

/** Where a unix socket of this network namespace is bound; Node does not know it of one that it did not bind itself. */
function pathOfSocket(fd: number): string | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? '-';
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return lines.map((line) => /^(?:\S+ +){6}(\d+) (.+)$/.exec(line)).find((match) => match?.[1] === inode)?.[2];
}

async function listenAtPath(server: Server, socket: string, gid: number): Promise<void> {
  unlinkQuietly(socket); // of an engine that was killed: the lock is ours
  const old = process.umask(0o117);
  try {
    await listening(server, { path: socket }, `unix://${socket}`);
  } finally {
    process.umask(old);
  }
  if (gid !== 0) chownSync(socket, 0, gid);
}

/** Never anything but a socket. */
function unlinkQuietly(socket: string): void {
  if (lstatSync(socket, { throwIfNoEntry: false })?.isSocket()) unlinkSync(socket);
}

function listening(server: Server, at: ListenOptions | { readonly fd: number }, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (cause: Error): void => {
      try {
        fail('unavailable', 'engine.listen', `cannot listen at ${name}: ${errnoOf(cause) ?? cause.message}`, {
          hint: 'hoist engine stop forgets what an engine was told to listen at',
          cause,
        });
      } catch (error) {
        reject(error);
      }
    };
    server.once('error', refused).listen(at, () => {
      server.off('error', refused);
      resolve();
    });
  });
}
