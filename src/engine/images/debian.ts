// A minimal Debian as a tar stream, from mmdebstrap or debootstrap with the machine's own apt sources.

import { spawn } from 'node:child_process';
import { access, constants, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fail, HoistError } from '../../base/errors.ts';
import { throwIfCancelled } from '../../registry/client/retry.ts';

export interface DebianOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface DebianArchive {
  readonly suite: string;
  readonly tool: string;
  readonly tar: AsyncIterable<Uint8Array>;
}

const defaultMirror = 'http://deb.debian.org/debian';

/** `suite` undefined: this machine's own, where it is a Debian, else `stable`. */
export async function debianArchive(suite: string | undefined, options: DebianOptions): Promise<DebianArchive> {
  const own = await ownSuite();
  const wanted = suite ?? own ?? 'stable';
  if (!/^[a-z][a-z0-9-]*$/.test(wanted))
    fail('invalid', 'bootstrap.suite', `${JSON.stringify(wanted)} is no Debian suite`);
  const sources = await aptSources();
  const mmdebstrap = await findProgram('mmdebstrap', options.env);
  if (mmdebstrap !== undefined) {
    // Its own suite comes with the machine's whole sources (security updates, keys); another one from the same mirror.
    const mirrors = wanted === own && sources.files.length > 0 ? sources.files : [sources.mirror ?? defaultMirror];
    const args = ['--variant=minbase', '--format=tar', wanted, '-', ...mirrors];
    return { suite: wanted, tool: 'mmdebstrap', tar: outputOf(mmdebstrap, args, options) };
  }
  const debootstrap = await findProgram('debootstrap', options.env);
  if (debootstrap !== undefined) {
    const tar = debootstrapArchive(debootstrap, wanted, sources.mirror ?? defaultMirror, options);
    return { suite: wanted, tool: 'debootstrap', tar };
  }
  return fail('unavailable', 'bootstrap.tool', 'neither mmdebstrap nor debootstrap is installed', {
    hint: 'install one of them: apt-get install mmdebstrap',
  });
}

async function ownSuite(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=([a-z]+)$/m.exec(text)?.[1] : undefined;
}

/** The files of the machine's apt sources, and the first mirror in them. */
async function aptSources(): Promise<{ readonly files: readonly string[]; readonly mirror: string | undefined }> {
  const directory = '/etc/apt/sources.list.d';
  const names = (await readdir(directory).catch((): string[] => [])).sort();
  const candidates = ['/etc/apt/sources.list', ...names.map((name) => join(directory, name))];
  const files: string[] = [];
  let mirror: string | undefined;
  for (const path of candidates) {
    if (!/\.(list|sources)$/.test(path)) continue;
    const text = await readFile(path, 'utf8').catch(() => '');
    // Other vendors' repositories are no part of a base system.
    const found = /^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s*)?)(\S+\/debian\/?)(?:\s|$)/m.exec(text)?.[1];
    if (found === undefined) continue;
    files.push(path);
    mirror ??= found;
  }
  return { files, mirror };
}

async function findProgram(name: string, env: DebianOptions['env']): Promise<string | undefined> {
  for (const directory of searchPath(env).split(delimiter)) {
    const program = join(directory, name);
    if (
      await access(program, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return program;
  }
  return undefined;
}

/** The caller's PATH, and where such programs are where that says nothing of them. */
function searchPath(env: DebianOptions['env']): string {
  const given = (env['PATH'] ?? '').split(delimiter).filter((part) => part.startsWith('/'));
  return [...new Set([...given, '/usr/sbin', '/usr/bin', '/sbin', '/bin'])].join(delimiter);
}

/** debootstrap fills a directory; tar reads it out again. */
async function* debootstrapArchive(
  program: string,
  suite: string,
  mirror: string,
  options: DebianOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const root = await mkdtemp(join(tmpdir(), 'hoist-debian-'));
  try {
    const args = ['--variant=minbase', suite, root, mirror];
    for await (const line of outputOf(program, args, options))
      options.say(Buffer.from(line).toString('utf8').trimEnd());
    const leftOut = ['./proc/*', './sys/*', './dev/*', './var/cache/apt/archives/*.deb', './var/lib/apt/lists/*'];
    const tarArgs = [
      '-C',
      root,
      '--numeric-owner',
      '--xattrs',
      '--one-file-system',
      ...leftOut.map((path) => `--exclude=${path}`),
      '-cf',
      '-',
      '.',
    ];
    yield* outputOf('tar', tarArgs, options);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** What a program writes to stdout; its stderr is told line by line. Fails at the end when the program failed. */
async function* outputOf(
  program: string,
  args: readonly string[],
  options: DebianOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal } = options;
  throwIfCancelled(signal);
  const env = { ...options.env, PATH: searchPath(options.env), DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  // SIGTERM lets it unmount and clean up; it is waited for below.
  const stop = () => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const complaints: string[] = [];
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split(/[\r\n]+/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      if (/^(E:|W:|.*error)/i.test(line)) complaints.push(line);
      // Progress bars of apt are drawn for a terminal.
      if (!/%/.test(line)) options.say(line);
    }
  });
  const closed = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, name) => resolve(code ?? name ?? 'a signal'));
  });
  let finished = false;
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    finished = true;
  } finally {
    signal.removeEventListener('abort', stop);
    if (!finished) {
      stop();
      child.stdout.destroy();
      await closed;
    }
  }
  const result = await closed;
  throwIfCancelled(signal);
  if (result === 0) return;
  const said = complaints.filter((line) => /^E:/.test(line)).at(-1) ?? complaints.at(-1) ?? `it ended with ${result}`;
  throw new HoistError('unavailable', 'bootstrap.failed', `${program} failed: ${said}`);
}
