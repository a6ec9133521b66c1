// `image bootstrap`: a base image made of this machine's own packages, where there is no registry.
// busybox comes from its one static binary; Debian from mmdebstrap or debootstrap with the machine's own apt sources.

import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errnoOf, fail } from '../../base/errors.ts';
import type { BootstrapOptions, Images } from '../engine.ts';
import { debianArchive } from './debian.ts';
import { type TarMember, tarball } from './tarball.ts';

/** `what`: `busybox`, `debian` or `debian:SUITE`. Returns the image's name and id. */
export async function bootstrapImage(
  images: Pick<Images, 'import'>,
  what: string,
  options: BootstrapOptions & { readonly env: Readonly<Record<string, string | undefined>> },
): Promise<{ readonly reference: string; readonly id: string }> {
  const [kind, suite] = what.split(':', 2);
  const say = (text: string) => options.onProgress({ kind: 'message', text });
  const importAs = async (
    name: string,
    tar: AsyncIterable<Uint8Array>,
    message: string,
    changes: readonly string[],
  ) => {
    const reference = options.tag ?? name;
    const id = await images.import(tar, { reference, message, changes, platform: '', signal: options.signal });
    return { reference, id };
  };
  if (kind === 'busybox' && suite === undefined) {
    say('packing /bin/busybox with its applets');
    return importAs('busybox:latest', busyboxArchive(), 'Bootstrapped from busybox-static', ['CMD ["sh"]']);
  }
  if (kind === 'debian' && suite !== '') {
    const archive = await debianArchive(suite, { env: options.env, say, signal: options.signal });
    const message = `Bootstrapped from Debian ${archive.suite} with ${archive.tool}`;
    return importAs(`debian:${archive.suite}`, archive.tar, message, ['CMD ["bash"]']);
  }
  return fail(
    'invalid',
    'bootstrap.unknown',
    `cannot bootstrap ${JSON.stringify(what)}: must be busybox, debian or debian:SUITE`,
  );
}

async function* busyboxArchive(path = '/bin/busybox'): AsyncGenerator<Uint8Array, void, undefined> {
  const { data, mtime } = await readBusybox(path);
  const { stdout } = await promisify(execFile)(path, ['--list-full'], { maxBuffer: 1 << 20 });
  const applets = stdout.split('\n').filter((line) => /^(s?bin|usr\/s?bin)\/[^/\s]+$/.test(line));
  if (!applets.includes('bin/sh')) {
    fail('unavailable', 'bootstrap.busybox', `${path} was built without a shell`);
  }
  // The binary's own time: the same package gives the same layer on every machine.
  yield* tarball(busyboxMembers(data, applets), mtime);
}

async function readBusybox(path: string): Promise<{ readonly data: Uint8Array; readonly mtime: number }> {
  const hint = 'install the package busybox-static';
  try {
    const data = await readFile(path);
    if (!isStatic(data)) fail('unavailable', 'bootstrap.busybox', `${path} needs shared libraries`, { hint });
    return { data, mtime: Math.floor((await stat(path)).mtimeMs / 1000) };
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return fail('unavailable', 'bootstrap.busybox', `there is no ${path} on this machine`, { hint });
  }
}

/** A static program has no interpreter segment (elf(5), PT_INTERP); only 64-bit little-endian files are looked into. */
function isStatic(elf: Buffer): boolean {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46) return false;
  if (elf[4] !== 2 || elf[5] !== 1) return true;
  const [table, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  for (let i = 0; i < count; i++) {
    const at = table + i * size;
    if (at + 4 <= elf.length && elf.readUInt32LE(at) === 3) return false;
  }
  return true;
}

function* busyboxMembers(busybox: Uint8Array, applets: readonly string[]): Generator<TarMember, void, undefined> {
  const directory = (path: string, mode = 0o755): TarMember => ({ kind: 'directory', path, mode });
  const file = (path: string, text: string): TarMember => ({
    kind: 'file',
    path,
    mode: 0o644,
    data: Buffer.from(text),
  });
  for (const path of [
    'bin',
    'dev',
    'etc',
    'home',
    'mnt',
    'opt',
    'proc',
    'run',
    'sbin',
    'srv',
    'sys',
    'usr',
    'usr/bin',
    'usr/sbin',
    'var',
    'var/log',
    'var/spool',
    'var/www',
  ]) {
    yield directory(path);
  }
  yield directory('root', 0o700);
  yield directory('tmp', 0o1777);
  yield directory('var/tmp', 0o1777);
  yield { kind: 'symlink', path: 'var/run', to: '../run' };
  yield { kind: 'file', path: 'bin/busybox', mode: 0o755, data: busybox };
  for (const path of applets) {
    if (path !== 'bin/busybox') yield { kind: 'link', path, to: 'bin/busybox' };
  }
  yield file(
    'etc/passwd',
    accounts.map(([name, uid, home, shell]) => `${name}:x:${uid}:${uid}:${name}:${home}:${shell}\n`).join(''),
  );
  yield file('etc/group', groups.map(([name, gid]) => `${name}:x:${gid}:\n`).join(''));
  yield file('etc/shadow', accounts.map(([name]) => `${name}:*:::::::\n`).join(''));
  yield file('etc/nsswitch.conf', 'hosts: files dns\n');
  yield file('etc/profile', 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
}

const accounts: readonly (readonly [name: string, uid: number, home: string, shell: string])[] = [
  ['root', 0, '/root', '/bin/sh'],
  ['daemon', 1, '/usr/sbin', '/bin/false'],
  ['bin', 2, '/bin', '/bin/false'],
  ['sys', 3, '/dev', '/bin/false'],
  ['mail', 8, '/var/mail', '/bin/false'],
  ['www-data', 33, '/var/www', '/bin/false'],
  ['operator', 37, '/var', '/bin/false'],
  ['nobody', 65534, '/home', '/bin/false'],
];

const groups: readonly (readonly [name: string, gid: number])[] = [
  ['root', 0],
  ['daemon', 1],
  ['bin', 2],
  ['sys', 3],
  ['adm', 4],
  ['tty', 5],
  ['disk', 6],
  ['mail', 8],
  ['wheel', 10],
  ['utmp', 43],
  ['audio', 29],
  ['video', 44],
  ['www-data', 33],
  ['operator', 37],
  ['users', 100],
  ['nogroup', 65534],
];
