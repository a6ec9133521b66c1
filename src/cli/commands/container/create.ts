// hoist create: make a container and print its id.

import type { Command } from '../../command.ts';
import { plainFailure } from '../../failures.ts';
import { containerFlags } from '../../run/flags.ts';
import { containerRequest } from '../../run/request.ts';
import { checkPullPolicy, makeContainer, pullFlag } from './launch.ts';

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
    checkPullPolicy(invocation.flags);
    const request = await containerRequest(invocation.flags, invocation.args, { io: invocation.io, detach: false });
    let id: string;
    try {
      id = await makeContainer(invocation, request);
    } catch (error) {
      // Docker's create tells mistakes in its flags as run does, and everything after them like any other command.
      throw plainFailure(error);
    }
    await invocation.io.stdout.write(`${id}\n`);
    return 0;
  },
};
