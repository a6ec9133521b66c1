// The resident engine: opens the data root, listens for native clients, goes away by itself when nothing needs it.
// Started by the native client (native/start.c), which waits for a word on --ready-fd: `R`, or why not.

import { existsSync, rmSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import path from 'node:path';
import { isHoistError } from '../base/errors.ts';
import { runCli } from '../cli/app.ts';
import { allCommands } from '../cli/commands/index.ts';
import { isUp } from '../engine/containers/record.ts';
import { buildId } from './build.ts';
import { engineCommands } from './control.ts';
import { dialCommand } from './dial.ts';
import { encodeFrame, type Frame } from './frames.ts';
import { type HostedRun, serveClient } from './hosted.ts';
import { listenForApi } from './listen.ts';
import { endNamespace } from './namespace.ts';
import { runOciHere } from './oci-here.ts';
import { openEngine } from './open.ts';
import { dockerSocketOf, type Place, placeFrom, socketOf } from './place.ts';
import { type EngineSettings, hasSettings, readSettings } from './settings.ts';
import { localTrees } from './trees.ts';

/** How long an engine without containers and commands waits for the next one. */
const idleSeconds = Number(process.env['HOIST_IDLE_SECONDS'] ?? 300);

/** After such a silence the garbage of the work before is collected. */
const tidyMs = 2000;

function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`);
}

const readyFlag = process.argv.indexOf('--ready-fd');
const readyFd = readyFlag < 0 ? undefined : Number(process.argv[readyFlag + 1]);

try {
  await main(placeFrom(process.env));
} catch (error) {
  const hint = isHoistError(error) && error.hint ? `hint: ${error.hint}\n` : '';
  const text = `hoist: ${error instanceof Error ? error.message : error}\n${hint}`;
  if (readyFd !== undefined) writeSync(readyFd, text);
  log(text.trim());
  process.exit(1);
}

function settingsFor(place: Place): EngineSettings {
  const kept = readSettings(place) ?? { schema: 1, hosts: [], group: '', insecure: false };
  return { ...kept, group: kept.group || (process.env['HOIST_GROUP'] ?? '') };
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: wiring: each thing made once, in order
async function main(place: Place): Promise<void> {
  process.title = 'hoist-engine';
  process.umask(0o022); // not that of the shell that happened to start it
  process.on('unhandledRejection', (reason) => log(`unhandled: ${reason instanceof Error ? reason.stack : reason}`));
  const open = await openEngine(place, log, readyFd === undefined ? undefined : process.pid); // a unit's own stays in it
  const commands = [
    ...allCommands,
    ...engineCommands(place),
    dialCommand(() => createConnection(dockerSocketOf(place))),
  ];
  const trees = localTrees(open.pool.deps.executor);
  let connections = 0;
  let last = Date.now();

  const runOne = async (run: HostedRun): Promise<number> => {
    const { hello, io } = run;
    if (hello.argv[0] === 'oci') return await runOciHere(run, open.pool.deps);
    if (hello.build !== buildId) {
      await io.stderr.write(
        `hoist: this command is version ${hello.build}, the engine that runs is ${buildId}\nhint: hoist engine restart (running containers go on)\n`,
      );
      return 125;
    }
    if (hello.root !== place.root) {
      await io.stderr.write(
        `hoist: the engine at ${place.run} keeps its data in ${place.root}, not in ${hello.root}\nhint: name another --run-root as well, or stop it with: hoist engine stop\n`,
      );
      return 125;
    }
    try {
      return await runCli(hello.argv, io, () => open.engine, commands);
    } catch (error) {
      log(`bug: ${error instanceof Error ? error.stack : error}`);
      await io.stderr
        .write(`hoist: internal error: ${error instanceof Error ? error.message : error}\n`)
        .catch(() => {});
      return 125;
    }
  };

  const server = createServer((socket) => {
    connections++;
    last = Date.now();
    socket.on('close', () => {
      connections--;
      last = Date.now();
    });
    const other = ({ type }: Frame): void => {
      if (type === 'T') socket.end(encodeFrame('T', Buffer.from(JSON.stringify(status()))));
      else if (type === 'Q') void leave('stopped by a command');
    };
    serveClient(socket, runOne, other, trees);
  });

  const leftIdle = path.join(place.run, 'left-idle');
  const running = (): number => [...open.pool.live.values()].filter(({ record }) => isUp(record.state)).length;
  const status = () => ({
    pid: process.pid,
    build: buildId,
    root: place.root,
    run: place.run,
    running: running(),
    containers: open.pool.live.size,
    startedAt,
    memory: process.memoryUsage().rss,
  });
  const startedAt = new Date().toISOString();

  const leave = async (why: string): Promise<void> => {
    log(`leaving: ${why}`);
    endNamespace(open.pool, place); // while nobody can start the next engine, which would come into it
    server.close();
    api.close();
    if (existsSync(socketOf(place))) unlinkSync(socketOf(place));
    await open[Symbol.asyncDispose]();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void leave(signal));
  let tidied = last;
  setInterval(
    () => {
      if (api.connections() > 0) last = Date.now();
      const quiet = Date.now() - last;
      if (
        connections + api.connections() === 0 &&
        running() === 0 &&
        quiet > idleSeconds * 1000 &&
        !hasSettings(place)
      ) {
        writeFileSync(leftIdle, ''); // the next one is no restart: who was stopped stays stopped
        void leave('nothing to do');
      }
      if (connections + api.connections() > 0 || quiet < tidyMs || tidied === last) return;
      tidied = last;
      globalThis.gc?.(); // once after each busy time
    },
    Math.min(idleSeconds * 1000, tidyMs),
  ).unref();

  const api = await listenForApi({ place, engine: () => open.engine, log, settings: settingsFor(place) });
  const old = process.umask(0o177);
  if (existsSync(socketOf(place))) unlinkSync(socketOf(place)); // of an engine that was killed: the lock is ours
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketOf(place), resolve));
  process.umask(old);
  log(`engine ${buildId} on ${place.root}, pid ${process.pid}`);
  if (readyFd !== undefined) writeSync(readyFd, 'R');
  const { noWayOut } = open.pool.deps.facts.userNamespace ?? {};
  if (noWayOut !== undefined) log(noWayOut);
  open.warmUp();
  open.supervise({ afterIdle: existsSync(leftIdle) });
  rmSync(leftIdle, { force: true });
}
