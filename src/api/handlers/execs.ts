// Further processes in a container.

import { fail } from '../../base/errors.ts';
import type { Call, Handler } from '../call.ts';
import { sizeOf } from '../query.ts';
import { execSession } from '../stream/exec.ts';
import { wireOf } from './wire.ts';

type Execs = 'ContainerExec' | 'ExecStart' | 'ExecResize' | 'ExecInspect';

export const execHandlers: { readonly [N in Execs]: Handler<N> } = {
  ContainerExec: async ({ engine, params, body }) => {
    if (body.Cmd.length === 0) fail('invalid', 'exec.no_command', 'No exec command specified');
    return { Id: await engine.execs.create(params.id, body) };
  },
  ExecStart: startExec,
  ExecResize: async ({ engine, params, query }) => {
    await engine.execs.resize(params.id, sizeOf(query));
    return undefined;
  },
  ExecInspect: ({ engine, params }) => engine.execs.inspect(params.id),
};

async function startExec(call: Call<'ExecStart'>): Promise<undefined> {
  const { engine, params, body, response, spool } = call;
  if (body.Detach) {
    await engine.execs.start(params.id, {});
    response.writeHead(200, { 'Content-Length': 0 }).end();
    return undefined;
  }
  const session = await execSession(engine, params.id, body, spool);
  await session.serve(wireOf(call, session.tty));
  return undefined;
}
