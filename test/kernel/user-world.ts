// A world for tests without root: a network namespace with a neighbour, a throw-away user with or without subordinate ids,
// and copies of bin/ and dist/ that this user can read. Engines start as that user's own, with the places that users have.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { whyNoContainers, whyNot } from '../machine.ts';
import type { Result, RunOptions } from './program.ts';
import { eventually, openWorld, repository, type World } from './world.ts';

export interface UserWorld extends AsyncDisposable {
  readonly world: World;
  readonly uid: number;
  readonly binary: string;
  /** $XDG_RUNTIME_DIR/hoist */
  readonly run: string;
  readonly home: string;
  hoist(args: readonly string[], options?: RunOptions): Promise<Result>;
  ok(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Any program as the user. */
  program(argv: readonly string[], options?: RunOptions): Promise<Result>;
  /** Processes of the user by the names in their `comm`. */
  processes(name: string): readonly number[];
  log(): string;
}

/** A neighbour that containers may reach, at the other end of a cable. */
export const neighbour = '10.77.31.2';
export const ownAddress = '10.77.31.1';

/** What these tests need of the machine. */
export const whyNoUsers = (): string | undefined =>
  whyNoContainers() ?? whyNot('ip', 'nsenter', 'busybox', 'setpriv', 'useradd', 'newuidmap');

export async function openUserWorld({ subordinate }: { readonly subordinate: boolean }): Promise<UserWorld> {
  const world = await openWorld();
  const name = `ht${randomInt(1e8)}`;
  if (subordinate) execFileSync('useradd', ['--no-create-home', '--home-dir', world.dir, name]);
  const uid = subordinate ? Number(execFileSync('id', ['-u', name], { encoding: 'utf8' })) : 61000 + randomInt(4000);
  if (subordinate) assert.match(readFileSync('/etc/subuid', 'utf8'), new RegExp(`^${name}:`, 'm'));
  chmodSync(world.dir, 0o711);
  const [home, runtime, copy] = ['home', 'xdg', 'hoist'].map((one) => path.join(world.dir, one)) as [
    string,
    string,
    string,
  ];
  for (const dir of [home, runtime]) {
    mkdirSync(dir, { mode: 0o700 });
    chownSync(dir, uid, uid);
  }
  for (const part of ['bin', 'dist', 'package.json'])
    if (existsSync(path.join(repository, part)))
      cpSync(path.join(repository, part), path.join(copy, part), { recursive: true });
  cable(world);
  const env = { HOME: home, XDG_RUNTIME_DIR: runtime, PATH: world.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' };
  // /dev/net/tun is everybody's on most machines: where it is not, in a mount namespace of the test's own
  const tun = path.join(world.dir, 'tun');
  spawnSync('mknod', ['-m', '666', tun, 'c', '10', '200']);
  chmodSync(tun, 0o666);
  const as = (argv: readonly string[]): string[] => [
    ...['unshare', '--mount', 'sh', '-c', `[ ! -e /dev/net/tun ] || mount --bind ${tun} /dev/net/tun; exec "$@"`, 'sh'],
    ...['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups', 'env', '-i'],
    ...Object.entries(env).map(([key, value]) => `${key}=${value}`),
    ...argv,
  ];
  const binary = path.join(copy, 'bin/hoist');
  const user: UserWorld = {
    world,
    uid,
    binary,
    home,
    run: path.join(runtime, 'hoist'),
    program: (argv, options) => world.program(as(argv), options),
    hoist: (args, options) => user.program([binary, ...args], options),
    async ok(args, options) {
      const result = await user.hoist(args, options);
      assert.equal(result.code, 0, `hoist ${args.join(' ')} -> ${result.code}\n${result.stderr}${result.stdout}`);
      return result.stdout.replace(/\n$/, '');
    },
    processes(wanted) {
      const found = spawnSync('ps', ['-o', 'pid=,stat=,comm=', '-u', String(uid)], { encoding: 'utf8' }).stdout;
      return found
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, state, comm]) => state !== undefined && !state.startsWith('Z') && comm?.startsWith(wanted))
        .map(([pid]) => Number(pid));
    },
    log() {
      const file = path.join(runtime, 'hoist/engine.log');
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    },
    async [Symbol.asyncDispose]() {
      const ids = (await user.hoist(['ps', '-aq'])).stdout.split('\n').filter((id) => id !== '');
      if (ids.length > 0) await user.hoist(['rm', '-f', ...ids]);
      await user.hoist(['engine', 'stop']);
      await eventually('no process of the user is left', () => user.processes('').length === 0, 5).catch(() => {
        for (const pid of user.processes('')) process.kill(pid, 'SIGKILL');
      });
      spawnSync('ip', ['netns', 'del', `${world.network}n`]);
      await world[Symbol.asyncDispose]();
      if (subordinate) execFileSync('userdel', [name]);
    },
  };
  return user;
}

/** The world's network gets a neighbour, and its default route by it. */
function cable({ network }: World): void {
  const other = `${network}n`;
  const run = (...args: string[]): void => void execFileSync('ip', args);
  run('netns', 'add', other);
  run('-n', network, 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', other);
  run('-n', network, 'address', 'add', `${ownAddress}/24`, 'dev', 'up0');
  run('-n', other, 'address', 'add', `${neighbour}/24`, 'dev', 'up0');
  for (const one of [network, other]) run('-n', one, 'link', 'set', 'up0', 'up');
  run('-n', other, 'link', 'set', 'lo', 'up');
  run('-n', network, 'route', 'add', 'default', 'via', neighbour);
}
