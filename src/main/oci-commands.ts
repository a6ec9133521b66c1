// What each command of `hoist oci` does with its words.

import { existsSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../base/errors.ts';
import { parseSignal } from '../plan/signals.ts';
import { createContainer, startContainer } from '../runtime/oci/create.ts';
import { featuresDocument, specDocument } from '../runtime/oci/documents.ts';
import { execInContainer } from '../runtime/oci/exec.ts';
import { listContainers, processesIn, psOf, setPaused, stateOf, statsEvent } from '../runtime/oci/look.ts';
import { type OciPaths, ociPaths } from '../runtime/oci/records.ts';
import { deleteContainer, killContainer } from '../runtime/oci/remove.ts';
import { limitFlags, resourcesOf, updateContainer } from '../runtime/oci/update.ts';
import { type CarriedOut, wholeNumber } from '../runtime/oci/world.ts';
import { parseOciResources } from '../spec/oci/config.ts';
import type { OciCall, OciWords } from './oci-flags.ts';

type Run = (call: OciCall) => Promise<number>;

export const commands: Readonly<Record<string, Run>> = {
  create: (call) => create(call, true),
  run: (call) => create(call, false),
  exec,
  spec,
  list,
  ps,
  events,
  update,
  checkpoint: () => withoutCriu('checkpoint'),
  restore: () => withoutCriu('restore'),
  async start({ world, words }) {
    await startContainer(world, one(words));
    return 0;
  },
  async state({ io, world, words }) {
    await io.stdout.write(`${JSON.stringify(stateOf(world.root, one(words)), null, 2)}\n`);
    return 0;
  },
  async kill({ world, words }) {
    const [id = '', signal = 'SIGTERM', ...more] = words.args;
    if (id === '' || more.length > 0) fail('invalid', 'oci.args', 'kill needs a container ID and, at most, a signal');
    await killContainer(world, id, parseSignal(signal), words.has('all'));
    return 0;
  },
  async delete({ world, words }) {
    await deleteContainer(world, one(words), words.has('force'));
    return 0;
  },
  async pause({ world, words }) {
    await setPaused(world.root, one(words), true);
    return 0;
  },
  async resume({ world, words }) {
    await setPaused(world.root, one(words), false);
    return 0;
  },
  async features({ io }) {
    await io.stdout.write(`${JSON.stringify(featuresDocument(), null, 2)}\n`);
    return 0;
  },
};

function one({ args }: OciWords): string {
  const [id, ...more] = args;
  if (id === undefined || id === '') return fail('invalid', 'oci.args', 'container id cannot be empty');
  if (more.length > 0) fail('invalid', 'oci.args', 'one container ID is needed, not more');
  return id;
}

function termsOf({ io, words }: OciCall): { consoleSocket: string; passFds: number } {
  const socket = words.value('console-socket');
  const listening = Number(io.env['LISTEN_FDS'] ?? 0) || 0;
  return {
    consoleSocket: socket === '' ? '' : path.resolve(io.cwd, socket),
    passFds: wholeNumber(words.value('preserve-fds') || '0', '--preserve-fds') + listening,
  };
}

async function create(call: OciCall, wait: boolean): Promise<number> {
  const { io, world, words, global } = call;
  const id = one(words);
  const follow = !wait && !words.has('detach');
  const carried = await createContainer(world, {
    id,
    bundle: path.resolve(io.cwd, words.value('bundle') || '.'),
    wait,
    follow,
    terms: termsOf(call),
    systemdCgroup: global.has('systemd-cgroup'),
  });
  await notePid(call, carried, ociPaths(world.root, id));
  if (!follow) return 0;
  const code = await codeOf(carried);
  if (!words.has('keep')) await deleteContainer(world, id, true);
  return code;
}

async function codeOf({ ended }: CarriedOut): Promise<number> {
  const end = await ended;
  return end.reason === 'exited' ? end.code : 1;
}

/** --pid-file appears whole, or the process goes with the failure. */
async function notePid({ io, world, words }: OciCall, { pid }: CarriedOut, paths: OciPaths | undefined): Promise<void> {
  const named = words.value('pid-file');
  if (named === '') return;
  const file = path.resolve(io.cwd, named);
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}`);
  try {
    writeFileSync(temporary, String(pid), { mode: 0o644 });
    renameSync(temporary, file);
  } catch (cause) {
    if (paths !== undefined) await deleteContainer(world, path.basename(paths.dir), true);
    fail('system', 'pid_file', `cannot write the pid file ${file}`, { cause });
  }
}

async function exec(call: OciCall): Promise<number> {
  const { io, world, words } = call;
  const [id = '', ...args] = words.args;
  if (id === '') fail('invalid', 'oci.args', 'container id cannot be empty');
  const file = words.value('process');
  const follow = !words.has('detach');
  const list = (name: string): readonly string[] => words.values.get(name) ?? [];
  const carried = await execInContainer(world, {
    id,
    process: file === '' ? undefined : Buffer.from(await io.readFile(path.resolve(io.cwd, file))).toString('utf8'),
    args,
    cwd: words.value('cwd'),
    env: list('env'),
    user: words.value('user'),
    tty: words.has('tty'),
    additionalGids: list('additional-gids'),
    capabilities: list('cap'),
    noNewPrivileges: words.has('no-new-privs'),
    ignorePaused: words.has('ignore-paused'),
    follow,
    terms: termsOf(call),
  });
  await notePid(call, carried, undefined);
  return follow ? await codeOf(carried) : 0;
}

async function spec({ io, words }: OciCall): Promise<number> {
  const file = path.resolve(io.cwd, words.value('bundle') || '.', 'config.json');
  if (existsSync(file)) fail('conflict', 'file.exists', 'file config.json exists. Remove it first');
  const ids = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  writeFileSync(file, `${JSON.stringify(specDocument(words.has('rootless') ? ids : undefined), null, '\t')}\n`, {
    mode: 0o666,
  });
  return 0;
}

async function list({ io, world, words }: OciCall): Promise<number> {
  const all = listContainers(world.root);
  const format = words.value('format') || 'table';
  if (!['table', 'json'].includes(format)) fail('invalid', 'oci.format', 'invalid format option');
  if (words.has('quiet')) await io.stdout.write(all.map(({ id }) => `${id}\n`).join(''));
  else if (format === 'json') await io.stdout.write(all.length === 0 ? 'null' : JSON.stringify(all));
  else {
    const rows = [
      ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
      ...all.map(({ id, pid, status, bundle, created, owner }) => [id, String(pid), status, bundle, created, owner]),
    ];
    const widths =
      rows[0]?.map((_, column) => Math.max(12, ...rows.map((row) => (row[column]?.length ?? 0) + 3))) ?? [];
    const lines = rows.map((row) =>
      row.map((cell, column) => (column === 5 ? cell : cell.padEnd(widths[column] ?? 0))).join(''),
    );
    await io.stdout.write(`${lines.join('\n')}\n`);
  }
  return 0;
}

async function ps({ io, world, words }: OciCall): Promise<number> {
  const [id = '', ...rest] = words.args;
  if (id === '') fail('invalid', 'oci.args', 'container id cannot be empty');
  const pids = processesIn(world.root, id);
  const format = words.value('format') || 'table';
  if (format === 'json') await io.stdout.write(`${JSON.stringify(pids)}\n`);
  else if (format === 'table') await io.stdout.write(await psOf(pids, rest));
  else fail('invalid', 'oci.format', 'invalid format option');
  return 0;
}

async function events({ io, world, words }: OciCall): Promise<number> {
  const id = one(words);
  if (words.has('stats')) {
    await io.stdout.write(`${statsEvent(world.root, id, world.facts)}\n`);
    return 0;
  }
  const [, amount = '5', unit = 's'] =
    /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(words.value('interval') || '5s') ??
    fail('invalid', 'oci.interval', 'the interval must be a duration greater than 0, like 5s');
  const pause = Number(amount) * ({ ms: 1, s: 1000, m: 60_000 }[unit] ?? 1000);
  if (pause <= 0) fail('invalid', 'oci.interval', 'duration interval must be greater than 0');
  for (; !io.signal.aborted; ) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (stateOf(world.root, id).status === 'stopped') break;
    await io.stdout.write(`${statsEvent(world.root, id, world.facts)}\n`);
  }
  return 0;
}

async function update({ io, world, words }: OciCall): Promise<number> {
  const id = one(words);
  const file = words.value('resources');
  if (words.has('l3-cache-schema') || words.has('mem-bw-schema'))
    fail('unsupported', 'update.rdt', 'update does not change intelRdt (--l3-cache-schema, --mem-bw-schema)');
  const values = new Map(
    Object.keys(limitFlags).flatMap((name) => (words.has(name) ? [[name, words.value(name)] as const] : [])),
  );
  const document = file === '' ? undefined : await textOf(io, file);
  await updateContainer(world, id, document === undefined ? resourcesOf(values) : parseOciResources(document));
  return 0;
}

async function textOf(io: OciCall['io'], file: string): Promise<string> {
  const parts: Uint8Array[] = [];
  if (file === '-') for await (const part of io.stdin.read()) parts.push(part);
  else parts.push(await io.readFile(path.resolve(io.cwd, file)));
  return Buffer.concat(parts).toString('utf8');
}

function withoutCriu(verb: string): never {
  const dirs = (process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin').split(':');
  if (dirs.some((dir) => existsSync(`${dir}/criu`)))
    return fail('unsupported', 'criu.unbuilt', `${verb}: Hoist does not drive CRIU yet`);
  return fail('unavailable', 'criu.missing', `${verb} needs CRIU, which is not installed here (package criu)`);
}
