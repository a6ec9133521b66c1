// Plans that a native client carries out itself, in its own process tree (native/oci.c): frames L, and its answers.

import type { Socket } from 'node:net';
import type { AttachEnd } from '../cli/io.ts';
import { encodePlan } from '../plan/encode.ts';
import { k, type Plan } from '../plan/ops.ts';
import type { CarriedOut } from '../runtime/oci/world.ts';
import { type PlanResult, readAnswer } from '../sys/executor.ts';
import { encodeFrame } from './frames.ts';

export interface Carrier {
  readonly carryOut: (plan: Plan, follow: boolean) => Promise<CarriedOut>;
  /** An answer of the client's. */
  take(type: number, body: Buffer): void;
  /** The client is gone. */
  vanish(): void;
}

/** `nextEnd`: how the process that the client will wait for ends. One plan at a time. */
export function createCarrier(socket: Socket, nextEnd: () => Promise<AttachEnd>): Carrier {
  let waiting: ((result: PlanResult) => void) | undefined;
  let pid = 0;
  const gone: PlanResult = { ok: false, failure: { section: 'plan', index: 0, errno: k.EIO } };
  return {
    async carryOut(plan, follow) {
      pid = 0;
      const ended = nextEnd();
      const result = await new Promise<PlanResult>((resolve) => {
        waiting = resolve;
        if (socket.destroyed) resolve(gone);
        else socket.write(encodeFrame('L', Buffer.concat([Buffer.from([follow ? 1 : 0]), encodePlan(plan)])));
      });
      return { result, pid, ended };
    },
    take(type, body) {
      const answer = readAnswer(type, body);
      if ('stage' in answer) pid = answer.pid;
      else waiting?.(answer);
    },
    vanish: () => waiting?.(gone),
  };
}
