// hoist context use and rm.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { contextName } from '../../contexts/resolve.ts';
import { defaultContext, deleteContext, readContext, setCurrentContext } from '../../contexts/store.ts';
import { eachRef } from '../../each.ts';
import { flagTable } from '../../flags.ts';
import { exists } from './create.ts';

export const useContext: Command = {
  names: [['context', 'use']],
  summary: 'Set the current docker context',
  usage: 'CONTEXT',
  args: { min: 1, max: 1 },
  completes: 'context',
  flags: [],
  async run({ io, args }) {
    const name = args[0] ?? '';
    if (name !== defaultContext) await readContext(io, name);
    await setCurrentContext(io, name === defaultContext ? '' : name);
    await io.stdout.write(`${name}\n`);
    await io.stderr.write(`Current context is now "${name}"\n`);
    if (name !== defaultContext && io.env['DOCKER_HOST'])
      await io.stderr.write(
        'Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set the global --context flag, or unset DOCKER_HOST environment variable.\n',
      );
    return 0;
  },
};

export const removeContexts: Command = {
  names: [
    ['context', 'rm'],
    ['context', 'remove'],
  ],
  summary: 'Remove one or more contexts',
  usage: 'CONTEXT [CONTEXT...]',
  args: { min: 1 },
  completes: 'context',
  flags: flagTable('  -f, --force   Force the removal of a context in use'),
  async run(invocation) {
    const { io, flags } = invocation;
    const force = flags.bool('force');
    const current = await contextName({ ...io, env: { ...io.env, DOCKER_HOST: undefined } });
    return await eachRef(invocation, async (name) => {
      if (name === defaultContext) fail('invalid', 'cli.plain', 'context "default" cannot be removed');
      if (!force && !(await exists(io, name))) fail('not_found', 'cli.plain', `context "${name}" does not exist`);
      if (name === current) {
        if (!force) fail('conflict', 'cli.plain', `context "${name}" is in use, set -f flag to force remove`);
        await setCurrentContext(io, '');
      }
      await deleteContext(io, name);
      return name;
    });
  },
};
