// The streams of one more process in a container.

import { fail } from '../../base/errors.ts';
import type { Containers, Execs } from '../../engine/engine.ts';
import { detachKeysOf } from './attach.ts';
import { carry, clientOf, type StreamSession } from './carry.ts';
import type { SpoolLimits } from './spool.ts';

/** The body of ExecStart, as far as it concerns the streams. */
export interface ExecStreams {
  /** Says, for the client, whether the bytes are raw; the exec itself was told when it was made. */
  readonly Tty: boolean;
  readonly ConsoleSize?: readonly [height: number, width: number];
}

/** Fails as the API answers before the stream begins: no such exec, a container that does not run. */
export async function execSession(
  engine: { readonly containers: Containers; readonly execs: Execs },
  id: string,
  body: ExecStreams,
  limits: SpoolLimits,
): Promise<StreamSession> {
  const exec = await engine.execs.inspect(id);
  await checkContainer(engine.containers, exec.ContainerID);
  const size = body.ConsoleSize;
  const tty = exec.ProcessConfig.tty;
  const request = {
    stdin: exec.OpenStdin,
    stdout: exec.OpenStdout,
    stderr: exec.OpenStderr,
    detachKeys: tty ? detachKeysOf(exec.DetachKeys ?? '') : new Uint8Array(0),
  };
  return {
    tty: body.Tty,
    async serve(wire) {
      const client = clientOf(wire, !body.Tty, limits);
      let carried: Promise<unknown> | undefined;
      try {
        const onAttachable = (point: Parameters<typeof carry>[1]): void => {
          carried = carry(client, point, request);
        };
        await engine.execs.start(id, { onAttachable });
        if (size !== undefined && tty) await engine.execs.resize(id, { rows: size[0], columns: size[1] });
      } catch (error) {
        client.put(1, Buffer.from(`${error instanceof Error ? error.message : error}\r\n`));
      }
      await carried;
      client.spool.end();
      await client.spool.done;
    },
  };
}

async function checkContainer(containers: Containers, id: string): Promise<void> {
  const { State } = await containers.inspect(id);
  if (State.Paused)
    fail('conflict', 'container.paused', `container ${id} is paused, unpause the container before exec`);
  if (State.Restarting)
    fail('conflict', 'container.restarting', `container ${id} is restarting, wait until the container is running`);
  if (!State.Running) fail('conflict', 'container.not_running', `container ${id} is not running`);
}
