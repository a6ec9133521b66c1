// Attach: the streams of a container's first process, also before it is started: the docker command attaches, then starts.

import { fail } from '../../base/errors.ts';
import type { Containers } from '../../engine/engine.ts';
import { detachKeyByte } from '../../spec/docker/detach-keys.ts';
import { type Client, carry, clientOf, type StreamSession } from './carry.ts';
import { logFrames } from './logs.ts';
import type { SpoolLimits } from './spool.ts';

export interface AttachQuery {
  readonly detachKeys: string;
  /** What was written so far, first. */
  readonly logs: boolean;
  readonly stream: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface AttachOptions extends SpoolLimits {
  /** A websocket has frames of its own. */
  readonly raw?: boolean;
}

/** Fails as the API answers before the stream begins. A start waits for this client from the moment when it is served. */
export async function attachSession(
  containers: Containers,
  ref: string,
  query: AttachQuery,
  options: AttachOptions,
): Promise<StreamSession> {
  const detachKeys = detachKeysOf(query.detachKeys);
  const { Id, State, Config } = await containers.inspect(ref);
  if (State.Paused)
    fail('conflict', 'container.paused', `container ${Id} is paused, unpause the container before attach`);
  if (State.Restarting)
    fail('conflict', 'container.restarting', `container ${Id} is restarting, wait until the container is running`);
  const tty = Config.Tty;
  const request = {
    stdin: query.stdin && Config.OpenStdin,
    stdout: query.stdout,
    stderr: query.stderr,
    detachKeys: tty ? detachKeys : new Uint8Array(0),
  };
  return {
    tty,
    async serve(wire) {
      const client = clientOf(wire, !tty && options.raw !== true, options);
      const point = query.stream ? containers.attach(Id, { wait: client.gone }) : undefined;
      point?.catch(() => undefined); // told below
      try {
        if (query.logs) await replay(client, containers, Id, query);
        if (point !== undefined) await carry(client, await point, request);
      } catch {
        // the start failed, or the container is gone: whoever asked for that was told
      }
      client.spool.end();
      await client.spool.done;
    },
  };
}

async function replay(client: Client, containers: Containers, id: string, query: AttachQuery): Promise<void> {
  const lines = containers.logs(id, {
    follow: false,
    since: 0,
    until: 0,
    stdout: query.stdout,
    stderr: query.stderr,
    signal: client.gone,
  });
  for await (const [stream, bytes] of logFrames(lines, { timestamps: false, details: false })) {
    if (client.gone.aborted) return;
    if (!client.put(stream, bytes)) await client.room();
  }
}

const defaultDetachKeys = Uint8Array.of(16, 17);

/** `ctrl-p,ctrl-q` where nothing is said. */
export function detachKeysOf(text: string): Uint8Array {
  if (text === '') return defaultDetachKeys;
  return Uint8Array.from(
    text
      .split(',')
      .map(
        (key) => detachKeyByte(key) ?? fail('invalid', 'detach_keys.invalid', `Invalid detach keys (${text}) provided`),
      ),
  );
}
