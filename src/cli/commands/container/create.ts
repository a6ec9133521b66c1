// hoist create: make a container and print its id.

import type { Command } from '../../command.ts';
import { containerFlags } from '../../run/flags.ts';
import { containerRequest } from '../../run/request.ts';
import { makeContainer, pullFlag } from './launch.ts';

export const create: Command = {
  names: [['create'], ['container', 'create']],
  summary: 'Create a new container',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  args: { min: 1 },
  flags: [...containerFlags, ...pullFlag('Pull image before creating ("always", "|missing", "never")')],
  stopAtFirstArg: true,
  launches: true,
  completes: 'image',
  async run(invocation) {
    const request = await containerRequest(invocation.flags, invocation.args, { io: invocation.io, detach: false });
    await invocation.io.stdout.write(`${await makeContainer(invocation, request)}\n`);
    return 0;
  },
};
