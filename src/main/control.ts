// `hoist engine …`: what is done to an engine from outside. Works across versions: frames Q and T never change.

import { spawn } from 'node:child_process';
import { createReadStream, existsSync, statSync, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { fail } from '../base/errors.ts';
import type { Command, Invocation } from '../cli/command.ts';
import { encodeFrame, readFrames } from './frames.ts';
import { nativeBinary } from './native.ts';
import { engineLogOf, type Place, socketOf } from './place.ts';
import {
  asksForSettings,
  type EngineSettings,
  forgetSettings,
  readSettings,
  settingFlags,
  settingsOf,
  writeSettings,
} from './settings.ts';

interface EngineStatus {
  readonly pid: number;
  readonly build: string;
  readonly root: string;
  readonly run: string;
  readonly running: number;
  readonly containers: number;
  readonly startedAt: string;
  readonly memory: number;
}

export function engineCommands(place: Place): readonly Command[] {
  const command = (
    verb: string,
    summary: string,
    run: (invocation: Invocation) => Promise<number>,
    flags: Command['flags'] = [],
  ): Command => ({
    names: [['engine', verb]],
    summary,
    usage: flags.length > 0 ? '[OPTIONS]' : '',
    args: { min: 0, max: 0 },
    flags,
    run,
  });
  return [
    command(
      'start',
      'Start the engine; it stays until it is stopped',
      (invocation) => startOne(place, invocation),
      settingFlags,
    ),
    command('stop', 'Stop the engine; running containers go on', async ({ io }) => {
      const ran = await stopEngine(place);
      forgetSettings(place);
      await io.stdout.write(ran ? 'engine stopped\n' : 'no engine runs\n');
      return 0;
    }),
    command(
      'restart',
      'Stop the engine and start it again; running containers go on',
      async (invocation) => {
        const { flags, io } = invocation;
        const settings = asksForSettings(flags) ? settingsOf(flags, io.cwd) : readSettings(place);
        await stopEngine(place);
        return startWith(place, settings, io);
      },
      settingFlags,
    ),
    command('status', 'Show whether an engine runs, and what it does', async ({ io }) => {
      const status = await askStatus(place);
      if (!status) {
        await io.stdout.write(`no engine runs for ${place.root}\n`);
        return 3; // as systemctl status does for a unit that is not active
      }
      const rows = [
        ['Engine', status.build],
        ['PID', String(status.pid)],
        ['Started', status.startedAt],
        ['Root', status.root],
        ['Run root', status.run],
        ['Containers', `${status.containers} (${status.running} running)`],
        ['Memory', `${Math.round(status.memory / 1e6)}MB`],
      ];
      await io.stdout.write(rows.map(([name, value]) => `${`${name}:`.padEnd(12)}${value}\n`).join(''));
      return 0;
    }),
    command('logs', "Show the engine's own log", (invocation) => showLog(place, invocation), [
      { name: 'follow', short: 'f', help: 'Follow log output' },
      { name: 'help', help: 'Print usage', hidden: true },
    ]),
  ];
}

async function startOne(place: Place, { io, flags }: Invocation): Promise<number> {
  const asked = settingsOf(flags, io.cwd);
  if (asksForSettings(flags) && (await askStatus(place)))
    fail('conflict', 'cli.engine_runs', 'an engine runs already, with the settings that it was started with', {
      hint: 'give the flags to: hoist engine restart (running containers go on)',
    });
  return startWith(place, asksForSettings(flags) ? asked : (readSettings(place) ?? asked), io);
}

/** Settings that an engine cannot start with are not kept: every command after this one would fail over them. */
async function startWith(place: Place, settings: EngineSettings | undefined, io: Invocation['io']): Promise<number> {
  await mkdir(place.run, { recursive: true, mode: 0o711 });
  const before = readSettings(place);
  if (settings) await writeSettings(place, settings);
  try {
    await startEngine();
  } catch (error) {
    if (before) await writeSettings(place, before);
    else forgetSettings(place);
    throw error;
  }
  const status = await askStatus(place);
  await io.stdout.write(`engine ${status?.build ?? ''} runs, pid ${status?.pid ?? '?'}\n`);
  return 0;
}

/** undefined: no engine answers. */
function askStatus(place: Place): Promise<EngineStatus | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(socketOf(place), () => socket.write(encodeFrame('T')));
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
    readFrames(socket, ({ type, payload }) => {
      if (type === 'T') resolve(JSON.parse(payload.toString()) as EngineStatus);
    });
  });
}

/** False: none was there. Resolves when it is gone and its lock is free. */
function stopEngine(place: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(socketOf(place), () => socket.write(encodeFrame('Q')));
    socket.on('error', () => resolve(false));
    socket.on('close', (hadError) => {
      if (!hadError) resolve(true);
    });
    socket.resume();
  });
}

/** The native client knows how: any command of it starts an engine where there is none. */
async function startEngine(): Promise<void> {
  const { HOIST_NO_ENGINE: _, DOCKER_HOST: __, DOCKER_CONTEXT: ___, ...env } = process.env;
  const child = spawn(nativeBinary(), ['version', '--format', '{{.Server.Version}}'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  if (code !== 0)
    fail('unavailable', 'engine.start', text.trim().replace(/^hoist: /, '') || 'the engine did not start');
}

async function showLog(place: Place, { io, flags }: Invocation): Promise<number> {
  const file = engineLogOf(place);
  if (!existsSync(file)) fail('not_found', 'engine.no_log', `there is no log at ${file}: no engine was started there`);
  let position = 0;
  const more = async (): Promise<void> => {
    const size = statSync(file).size;
    if (size <= position) return;
    for await (const chunk of createReadStream(file, { start: position, end: size - 1 }))
      await io.stdout.write(chunk as Uint8Array);
    position = size;
  };
  await more();
  if (!flags.bool('follow')) return 0;
  const watcher = watch(file, () => void more());
  await new Promise((resolve) => io.signal.addEventListener('abort', resolve));
  watcher.close();
  return 130;
}
