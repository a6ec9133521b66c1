// What `hoist engine start` was told: kept beside the sockets, so that a restarted engine, or one after a crash, is the
// same. `hoist engine stop` and a reboot forget it. While there are settings, the engine does not leave by itself.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../base/errors.ts';
import { readJsonNow, writeJsonAtomic } from '../base/files.ts';
import type { FlagValues } from '../cli/command.ts';
import { flagTable } from '../cli/flags.ts';
import type { Place } from './place.ts';

export interface EngineSettings {
  readonly schema: 1;
  /** `tcp://127.0.0.1:2375`, `unix:///path`: beside docker.sock. */
  readonly hosts: readonly string[];
  /** Of docker.sock: a name or a number; '' is root's alone. */
  readonly group: string;
  /** Files in PEM. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** TCP without TLS beyond loopback. */
  readonly insecure: boolean;
}

export const settingFlags = flagTable(`
      --group string       Group that may use docker.sock (root alone without it)
  -H, --host list          Listen there as well: tcp://HOST:PORT or unix:///PATH
      --insecure           Serve TCP without TLS to everyone who can reach it: each of them is root here
      --tlscacert string   Serve TCP to clients with a certificate that this CA signed
      --tlscert string     The engine's certificate
      --tlskey string      The key of the engine's certificate
      --tlsverify          Serve TCP with TLS, to clients with certificates alone`);

const fileOf = (place: Place): string => path.join(place.run, 'engine.json');

export function readSettings(place: Place): EngineSettings | undefined {
  return readJsonNow(fileOf(place)) as EngineSettings | undefined;
}

export const hasSettings = (place: Place): boolean => existsSync(fileOf(place));

export function writeSettings(place: Place, settings: EngineSettings): Promise<void> {
  return writeJsonAtomic(fileOf(place), settings);
}

export function forgetSettings(place: Place): void {
  rmSync(fileOf(place), { force: true });
}

/** Whether anything was asked for beyond an engine that stays. */
export function asksForSettings(flags: FlagValues): boolean {
  return settingFlags.some(({ name }) => flags.has(name));
}

/** From the flags of start and restart; files are looked at, so that nothing wrong is kept. */
export function settingsOf(flags: FlagValues, cwd: string): EngineSettings {
  const hosts = flags.list('host');
  const verify = flags.bool('tlsverify') || flags.has('tlscacert') || flags.has('tlscert') || flags.has('tlskey');
  const file = (name: string): string => {
    const given = flags.string(name);
    if (given === '') fail('invalid', 'cli.engine_tls', `--tlsverify needs --${name}`);
    const full = path.resolve(cwd, given);
    try {
      readFileSync(full);
    } catch (cause) {
      fail('not_found', 'cli.engine_tls', `cannot read ${full} (--${name})`, { cause });
    }
    return full;
  };
  const settings: EngineSettings = {
    schema: 1,
    hosts,
    group: flags.string('group'),
    ...(verify ? { tls: { ca: file('tlscacert'), cert: file('tlscert'), key: file('tlskey') } } : {}),
    insecure: flags.bool('insecure'),
  };
  for (const host of hosts) listenAddress(host, settings);
  groupId(settings.group);
  return settings;
}

export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: boolean };

/** Plain TCP is root for whoever reaches the port: it stays on this machine, or somebody has said the word. */
export function listenAddress(
  host: string,
  { tls, insecure }: Pick<EngineSettings, 'tls' | 'insecure'>,
): ListenAddress {
  if (host.startsWith('unix://')) {
    const socket = host.slice('unix://'.length);
    if (!socket.startsWith('/'))
      fail('invalid', 'cli.engine_host', `${host}: a socket needs a path from the root: unix:///path`);
    return { kind: 'unix', path: socket };
  }
  const match = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^:/[\]]*)(?::(\d{1,5}))?\/?$/.exec(host);
  if (!match)
    return fail('invalid', 'cli.engine_host', `${host} is no address to listen at: tcp://HOST:PORT or unix:///PATH`);
  const name = (match[1] ?? '').replace(/^\[|\]$/g, '') || '127.0.0.1';
  const port = Number(match[2] ?? (tls ? 2376 : 2375));
  if (port > 65535) fail('invalid', 'cli.engine_host', `${host}: ${port} is no port`);
  const loopback = /^127\./.test(name) || name === '::1' || name === 'localhost';
  if (!tls && !loopback && !insecure)
    fail(
      'invalid',
      'cli.engine_insecure',
      `${host} without TLS would make everyone who can reach it root on this machine`,
      {
        hint: 'use --tlsverify with --tlscacert, --tlscert and --tlskey, or say --insecure',
      },
    );
  return { kind: 'tcp', host: name, port, tls: tls !== undefined };
}

export function groupId(group: string): number {
  if (group === '') return 0;
  if (/^\d{1,9}$/.test(group)) return Number(group);
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${group}:`));
  return line === undefined
    ? fail('invalid', 'cli.engine_group', `this machine has no group ${group} to give docker.sock to`)
    : Number(line.split(':')[2]);
}
