// Containers: started, stopped, waited for. What is so already is answered with 304.

import { fail } from '../../base/errors.ts';
import type { WaitCondition } from '../../engine/engine.ts';
import type { Call, Handler } from '../call.ts';
import { Refusal } from '../failure.ts';
import type { Response } from '../routes.ts';

type Names =
  | 'ContainerStart'
  | 'ContainerStop'
  | 'ContainerRestart'
  | 'ContainerKill'
  | 'ContainerPause'
  | 'ContainerUnpause'
  | 'ContainerWait';

const conditions: readonly WaitCondition[] = ['not-running', 'next-exit', 'removed'];

function stopOptions({ signal, t }: { readonly signal: string; readonly t: number | undefined }): {
  readonly signal?: string;
  readonly timeout?: number;
} {
  return { ...(signal === '' ? {} : { signal }), ...(t === undefined ? {} : { timeout: t }) };
}

export const lifeHandlers: { readonly [N in Names]: Handler<N> } = {
  ContainerStart: async ({ engine, params, query }) => {
    if (query.checkpoint !== '') throw new Refusal(501, 'checkpoints are not supported');
    const { State } = await engine.containers.inspect(params.id);
    if (State.Running && !State.Paused) throw new Refusal(304, '');
    await engine.containers.start(params.id);
    return undefined;
  },
  ContainerStop: async ({ engine, params, query }) => {
    const { State } = await engine.containers.inspect(params.id);
    if (!State.Running && !State.Restarting) throw new Refusal(304, '');
    await engine.containers.stop(params.id, stopOptions(query));
    return undefined;
  },
  ContainerRestart: async ({ engine, params, query }) => {
    await engine.containers.restart(params.id, stopOptions(query));
    return undefined;
  },
  ContainerKill: async ({ engine, params, query }) => {
    await engine.containers.kill(params.id, query.signal);
    return undefined;
  },
  ContainerPause: async ({ engine, params }) => {
    await engine.containers.pause(params.id);
    return undefined;
  },
  ContainerUnpause: async ({ engine, params }) => {
    await engine.containers.unpause(params.id);
    return undefined;
  },
  ContainerWait: waitForEnd,
};

/** The header goes out as soon as it is known that there is something to wait for: clients start the container only then. */
async function waitForEnd({
  engine,
  params,
  query,
  signal,
  response,
}: Call<'ContainerWait'>): Promise<Response<'ContainerWait'>> {
  const condition = conditions.find((one) => one === (query.condition || 'not-running'));
  if (condition === undefined) fail('invalid', 'wait.condition', `invalid condition: "${query.condition}"`);
  const end = engine.containers.wait(params.id, condition, signal);
  await Promise.race([end, new Promise((resolve) => setImmediate(resolve))]);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
  return end;
}
