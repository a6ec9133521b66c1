// Health checks: a probe every so often in a container that runs, as an exec without a terminal.

import { pause } from '../../base/pause.ts';
import { joinStream } from '../../runtime/keeper-stream.ts';
import type { HealthResult } from '../../spec/docker/container.ts';
import type { ContainerPool, Live, Supervisor } from './deps.ts';
import { endExec, newExec, startExec } from './execs.ts';
import { afterProbe, nextProbeIn, type Probing, probingOf, unhealthyWhileAway } from './health-state.ts';
import { now, saveQuietly } from './record.ts';
import { tell } from './tell.ts';

/** What is kept of a probe's output. */
const outputLimit = 4096;

export function superviseHealth(pool: ContainerPool): { watch: Supervisor['watchHealth']; stop(): void } {
  const watched = new Map<Live, AbortController>();
  return {
    watch(live) {
      const { state, config } = live.record;
      const probing = state.health && state.status === 'running' ? probingOf(config.Healthcheck) : undefined;
      watched.get(live)?.abort();
      watched.delete(live);
      if (!probing) {
        live.record = { ...live.record, state: { ...state, ...unhealthyWhileAway(state.health) } };
        return;
      }
      const controller = new AbortController();
      watched.set(live, controller);
      void watchOne(pool, live, probing, controller.signal).catch((error) =>
        pool.deps.warn(`health check of ${live.record.id}: ${error instanceof Error ? error.stack : error}`),
      );
    },
    stop() {
      for (const [live, controller] of watched) {
        controller.abort();
        saveQuietly(pool, live.record); // its last results
      }
      watched.clear();
    },
  };
}

async function watchOne(pool: ContainerPool, live: Live, probing: Probing, signal: AbortSignal): Promise<void> {
  const startedAt = Date.parse(live.record.state.startedAt);
  for (;;) {
    const { health } = live.record.state;
    if (!health) return;
    await pause(nextProbeIn(health, probing, Date.now() - startedAt), signal);
    if (signal.aborted) return;
    const result = await probe(pool, live, probing, signal);
    if (signal.aborted) return;
    note(pool, live, result, probing, Date.parse(result.Start) - startedAt);
  }
}

/** Only a change is told, and written down at once. */
function note(pool: ContainerPool, live: Live, result: HealthResult, probing: Probing, sinceStart: number): void {
  const { state } = live.record;
  if (!state.health) return;
  const health = afterProbe(state.health, result, probing, sinceStart);
  live.record = { ...live.record, state: { ...state, health } };
  if (health.Status === state.health.Status) return;
  saveQuietly(pool, live.record);
  tell(pool, live.record, `health_status: ${health.Status}`);
}

async function probe(pool: ContainerPool, live: Live, probing: Probing, signal: AbortSignal): Promise<HealthResult> {
  const Start = now();
  const result = (ExitCode: number, Output: string): HealthResult => ({ Start, End: now(), ExitCode, Output });
  const output = boundedOutput();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), probing.timeout).unref();
  try {
    const exec = newExec(pool, live, {
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      Env: [],
      Cmd: commandOf(live, probing),
      User: '',
      WorkingDir: '',
      Privileged: false,
    });
    const request = { stdin: false, stdout: true, stderr: true, detachKeys: new Uint8Array() };
    let reading: Promise<unknown> | undefined;
    await startExec(pool, exec, {
      onAttachable({ socket }) {
        reading = joinStream(socket, request).read((_stream, bytes) => output.add(bytes));
      },
    });
    const kill = (): void => endExec(pool, exec);
    const ending = AbortSignal.any([late.signal, signal]);
    ending.addEventListener('abort', kill);
    if (ending.aborted) kill();
    const code = (await exec.ended) ?? -1;
    await reading;
    ending.removeEventListener('abort', kill);
    if (!late.signal.aborted) return result(code, output.text());
    const words = `Health check exceeded timeout (${goDuration(probing.timeout)})`;
    return result(-1, output.text() === '' ? words : `${words}: ${output.text()}`);
  } catch (error) {
    return result(-1, error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(timer);
  }
}

function commandOf({ record }: Live, { test }: Probing): readonly string[] {
  const [kind, ...rest] = test;
  if (kind !== 'CMD-SHELL') return rest;
  const shell = record.config.Shell ?? [];
  return [...(shell.length > 0 ? shell : ['/bin/sh', '-c']), ...rest];
}

/** Everything is taken, so that the probe never waits for us; the first part is kept. */
function boundedOutput(): { add(bytes: Buffer): void; text(): string } {
  const parts: Buffer[] = [];
  let size = 0;
  let cut = false;
  return {
    add(bytes) {
      const part = bytes.subarray(0, outputLimit - size);
      cut ||= part.length < bytes.length;
      if (part.length > 0) parts.push(Buffer.from(part));
      size += part.length;
    },
    text: () => Buffer.concat(parts).toString('utf8') + (cut ? '...' : ''),
  };
}

/** As Go writes a time.Duration: `1s`, `1m30s`, `500ms`. */
export function goDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor(milliseconds / 60_000) % 60;
  const seconds = (milliseconds % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}
