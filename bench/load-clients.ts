// API clients that keep an engine busy, and what an engine holds of descriptors and memory meanwhile.
// Shared by the bench and by the test that runs it for some seconds.

import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export type Ask = (method: string, url: string, body?: unknown) => Promise<Answer>;

/** A client with one connection of its own, as programs have it. */
export function connection(socketPath: string): { readonly ask: Ask; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask: Ask = (method, url, body) =>
    new Promise((resolve, reject) => {
      const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const headers = bytes ? { 'Content-Type': 'application/json', 'Content-Length': bytes.length } : {};
      const message = request({ socketPath, path: `/v1.47${url}`, method, agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      });
      message.on('error', reject);
      message.end(bytes);
    });
  return { ask, close: () => agent.destroy() };
}

export interface Load {
  readonly requests: number;
  /** What went wrong, and how often. */
  readonly errors: ReadonlyMap<string, number>;
  /** Milliseconds by kind of request. */
  readonly byKind: ReadonlyMap<string, number[]>;
}

/** `clients` at once, each going round: create, inspect, list, remove, until `seconds` are over. */
export async function loadEngine(
  socketPath: string,
  { clients, seconds }: { readonly clients: number; readonly seconds: number },
): Promise<Load> {
  const errors = new Map<string, number>();
  const byKind = new Map<string, number[]>();
  const end = Date.now() + seconds * 1000;
  let requests = 0;
  const timed = async (ask: Ask, kind: string, want: number, ...call: Parameters<Ask>): Promise<Answer> => {
    const begin = performance.now();
    const answer = await ask(...call);
    const times = byKind.get(kind) ?? [];
    byKind.set(kind, times);
    times.push(performance.now() - begin);
    requests++;
    if (answer.status !== want) throw new Error(`${kind}: ${answer.status} ${answer.body.slice(0, 200)}`);
    return answer;
  };
  const client = async (number: number): Promise<void> => {
    const { ask, close } = connection(socketPath);
    for (let round = 0; Date.now() < end; round++) {
      try {
        const name = `load-${number}-${round}`;
        const create = { Image: 'busybox', Cmd: ['sleep', '60'], Labels: { load: String(number) } };
        const made = await timed(ask, 'create', 201, 'POST', `/containers/create?name=${name}`, create);
        const { Id } = JSON.parse(made.body) as { Id: string };
        await timed(ask, 'inspect', 200, 'GET', `/containers/${Id}/json`);
        await timed(ask, 'list', 200, 'GET', '/containers/json?all=1');
        await timed(ask, 'list own', 200, 'GET', `/containers/json?all=1&filters={"label":["load=${number}"]}`);
        await timed(ask, 'remove', 204, 'DELETE', `/containers/${name}`);
      } catch (error) {
        const message =
          error instanceof Error ? error.message.replace(/[0-9a-f]{12,}|load-\d+-\d+/g, '…') : String(error);
        errors.set(message, (errors.get(message) ?? 0) + 1);
      }
    }
    close();
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return { requests, errors, byKind };
}

export function percentile(times: readonly number[], percent: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

/** Open descriptors and resident memory of a process, some seconds after its last work. */
export async function held(pid: number): Promise<{ readonly fds: number; readonly rssMb: number }> {
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const rss = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { fds: readdirSync(`/proc/${pid}/fd`).length, rssMb: Math.round(Number(rss) / 1024) };
}
