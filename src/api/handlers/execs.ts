// Further processes in a container.

import { fail } from '../../base/errors.ts';
import { unbuilt } from '../../engine/unbuilt.ts';
import type { Handler } from '../call.ts';
import { sizeOf } from '../query.ts';

type Execs = 'ContainerExec' | 'ExecStart' | 'ExecResize' | 'ExecInspect';

export const execHandlers: { readonly [N in Execs]: Handler<N> } = {
  ContainerExec: async ({ engine, params, body }) => {
    if (body.Cmd.length === 0) fail('invalid', 'exec.no_command', 'No exec command specified');
    return { Id: await engine.execs.create(params.id, body) };
  },
  ExecStart: async () => unbuilt('exec start'),
  ExecResize: async ({ engine, params, query }) => {
    await engine.execs.resize(params.id, sizeOf(query));
    return undefined;
  },
  ExecInspect: ({ engine, params }) => engine.execs.inspect(params.id),
};
