// hoist explain run|create|exec …: the plan that the command would carry out, with its reasons. Nothing runs.

import { fail } from '../../../base/errors.ts';
import type { ExplainedPlan } from '../../../engine/engine.ts';
import type { Command, Invocation } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { findCommand } from '../../lookup.ts';
import { parseFlags } from '../../parse.ts';
import { checkPlatform } from '../../run/platform.ts';
import { containerRequest } from '../../run/request.ts';
import { execRequest } from '../container/exec.ts';

export const explain: Command = {
  names: [['explain']],
  summary: 'Print what a run, create or exec would ask of the kernel, without running it',
  usage: '[OPTIONS] COMMAND [ARG...]',
  args: { min: 1 },
  flags: flagTable(`
      --json   Print in JSON format`),
  stopAtFirstArg: true,
  async run(invocation) {
    const plan = await planOf(invocation);
    const text = invocation.flags.bool('json') ? `${JSON.stringify(plan.json, null, 2)}\n` : plan.text;
    await invocation.io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    return 0;
  },
};

async function planOf({ io, args: words, commands, engine }: Invocation): Promise<ExplainedPlan> {
  const found = findCommand(commands, words);
  const verb = found?.path.at(-1) ?? words.join(' ');
  if (found === undefined || !['run', 'create', 'exec'].includes(verb)) {
    return fail('invalid', 'cli.explain', `there is no plan for "${verb}": run, create and exec have one`);
  }
  const { command, path } = found;
  const { flags, args } = parseFlags(command.flags, words.slice(path.length), true);
  if (args.length < command.args.min) fail('invalid', 'cli.explain', `hoist explain ${verb} needs ${command.usage}`);
  if (verb === 'exec') {
    const [container = '', ...rest] = args;
    return await engine.execs.explain(container, await execRequest(flags, rest, io));
  }
  const detach = verb === 'run' && flags.bool('detach');
  const request = await containerRequest(flags, args, { io, detach });
  return await engine.containers.explain(request, { platform: checkPlatform(flags.string('platform')) });
}
