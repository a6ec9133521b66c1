// hoist explain run|create|exec …: the plan that the command would carry out, with its reasons. Nothing runs.

import { fail } from '../../../base/errors.ts';
import type { ExplainedPlan } from '../../../engine/engine.ts';
import { diffAround, differencesToJson, diffPlans, printDifferences } from '../../../plan/diff.ts';
import type { Command, Invocation } from '../../command.ts';
import { tellFailure } from '../../failures.ts';
import { flagTable } from '../../flags.ts';
import { findCommand } from '../../lookup.ts';
import { parseFlags } from '../../parse.ts';
import { checkPlatform } from '../../run/platform.ts';
import { containerRequest } from '../../run/request.ts';
import { isQuit, steppingEngine } from '../../stepping.ts';
import { execRequest } from '../container/exec.ts';

export const explain: Command = {
  names: [['explain']],
  summary: 'Print what a run, create or exec would ask of the kernel, without running it',
  description: `Print what a run, create or exec would ask of the kernel, without running it.
With --diff: what differs between two of them, as in
  hoist explain --diff run busybox true -- run --network none busybox true
With --step: run it, stopping before each step`,
  usage: '[OPTIONS] COMMAND [ARG...]',
  args: { min: 1 },
  flags: flagTable(`
      --diff   Compare the plans of two command lines, with -- between them
      --json   Print in JSON format
      --step   Run or exec, stopping before each step`),
  stopAtFirstArg: true,
  async run(invocation) {
    const { flags, io, args } = invocation;
    const [json, diff, step] = [flags.bool('json'), flags.bool('diff'), flags.bool('step')];
    if (step && (json || diff)) fail('invalid', 'cli.explain', '--step goes without --json and --diff');
    if (step) return await stepThrough(invocation);
    if (diff) {
      const [before, after] = splitWords(args);
      const [one, two] = [await planOf(invocation, before), await planOf(invocation, after)];
      const [differences, around] = [diffPlans(one, two), diffAround(one, two)];
      const text = json
        ? `${JSON.stringify(differencesToJson(differences, around), null, 2)}\n`
        : printDifferences(differences, around, io.stdout.isTTY ? painted : undefined);
      await io.stdout.write(text);
      return 0;
    }
    const plan = await planOf(invocation, args);
    const text = json ? `${JSON.stringify(plan.json, null, 2)}\n` : plan.text;
    await io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    return 0;
  },
};

const verbs = ['run', 'create', 'exec'];

/** The `--` that a command follows: a program's own arguments may have others. */
function splitWords(words: readonly string[]): readonly [readonly string[], readonly string[]] {
  const at = words.findIndex((word, index) => {
    const [first = '', second = ''] = words.slice(index + 1);
    return word === '--' && (verbs.includes(first) || (first === 'container' && verbs.includes(second)));
  });
  if (at < 0) {
    return fail('invalid', 'cli.explain', '--diff compares two command lines, with -- between them', {
      hint: 'hoist explain --diff run busybox true -- run --network none busybox true',
    });
  }
  return [words.slice(0, at), words.slice(at + 1)];
}

const painted = (line: string): string => `\u001b[${line.startsWith('-') ? 31 : 32}m${line}\u001b[0m`;

/** The command itself, over an engine whose starts ask before each op. */
async function stepThrough(invocation: Invocation): Promise<number> {
  const { io, args: words, commands, engine } = invocation;
  const { command, path, verb } = planned(commands, words);
  if (verb === 'create') fail('invalid', 'cli.explain', 'create runs nothing: --step is for run and exec');
  const { flags, args } = parseFlags(command.flags, words.slice(path.length), true);
  if (args.length < command.args.min) fail('invalid', 'cli.explain', `hoist explain ${verb} needs ${command.usage}`);
  try {
    return await command.run({ ...invocation, path, flags, args, engine: steppingEngine(engine, io) });
  } catch (error) {
    const told = isQuit(error) ? { text: 'nothing of it is left\n', code: 0 } : tellFailure(error, command, path);
    await io.stderr.write(told.text);
    return told.code;
  }
}

function planned(
  commands: readonly Command[],
  words: readonly string[],
): { readonly command: Command; readonly path: readonly string[]; readonly verb: string } {
  const found = findCommand(commands, words);
  const verb = found?.path.at(-1) ?? words.join(' ');
  if (found === undefined || !verbs.includes(verb)) {
    return fail('invalid', 'cli.explain', `there is no plan for "${verb}": run, create and exec have one`);
  }
  return { ...found, verb };
}

async function planOf(
  { io, commands, engine }: Pick<Invocation, 'io' | 'commands' | 'engine'>,
  words: readonly string[],
): Promise<ExplainedPlan> {
  const { command, path, verb } = planned(commands, words);
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
