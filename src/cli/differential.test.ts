// Hundreds of command lines that are wrong, made from the command tables, through the real Docker client and through ours:
// the exit code, the shape of stdout and the first line of stderr must be the same, but for the differences named here.

import assert from 'node:assert/strict';
import test from 'node:test';
import { runCli } from './app.ts';
import type { Command, Flag } from './command.ts';
import { allCommands } from './commands/index.ts';
import { realDocker } from './testing/dockerapi.ts';
import { fakeEngine } from './testing/engine.ts';
import { fakeIo } from './testing/io.ts';
import { hasRealDocker } from './testing/real.ts';

/** Commands that Docker has not, or has in another way: nothing to compare. */
const own: Readonly<Record<string, string>> = {
  bootstrap: 'makes a base image without a registry',
  explain: 'prints the plan of a run',
  completion: 'the scripts are our own, and take no flags',
  __complete: 'answers our own scripts',
  engine: 'our own engine',
  'dial-stdio': 'hidden in Docker, and without a help',
};

/** Lines that are told otherwise on purpose. */
const intended: readonly (readonly [line: RegExp, reason: string])[] = [
  [/^context use(?: a0 a1)?$/, "Docker forgot its own words here, and says cobra's"],
];

function lines(): readonly (readonly string[])[] {
  const commands = allCommands.filter(
    (command) => command.refused === undefined && !command.names.flat().some((word) => Object.hasOwn(own, word)),
  );
  return commands.flatMap((command) => {
    const [name = []] = command.names;
    return [...shapes(command).map((rest) => [...name, ...rest]), ...command.flags.flatMap((flag) => bad(name, flag))];
  });
}

/** Too few arguments, too many, and a flag that is not there. */
function shapes({ args: { min, max } }: Command): readonly (readonly string[])[] {
  return [
    ['--no-such-flag'],
    ['-!'],
    ...(min > 0 ? [Array.from({ length: min - 1 }, (_, i) => `a${i}`)] : []),
    ...(max === undefined ? [] : [Array.from({ length: max + 1 }, (_, i) => `a${i}`)]),
  ];
}

/** A value that the flag's type does not take, and none at all. */
function bad(name: readonly string[], flag: Flag): readonly (readonly string[])[] {
  if (flag.hidden === true || flag.name === 'help') return [];
  if (flag.type === undefined) return [[...name, `--${flag.name}=maybe`]];
  const typed = ['int', 'uint', 'uint16', 'bytes', 'decimal', 'duration', 'filter', 'ulimit', 'mount'];
  return [[...name, `--${flag.name}`], ...(typed.includes(flag.type) ? [[...name, `--${flag.name}`, 'x!']] : [])];
}

interface Told {
  readonly code: number;
  readonly printed: boolean;
  readonly first: string;
}

function told(out: string, err: string, code: number): Told {
  const first = (err.split('\n', 1)[0] ?? '').replaceAll('docker', 'hoist').replaceAll('Docker', 'Hoist');
  return { code, printed: out !== '', first };
}

test('wrong command lines are told as the Docker client tells them', { skip: hasRealDocker() }, async () => {
  const all = lines();
  assert.ok(all.length > 400, String(all.length));
  await using docker = await realDocker(() => ({ status: 404, body: { message: 'No such thing' } }));
  const differences: string[] = [];
  const queue = [...all];
  const compareSome = async (): Promise<void> => {
    for (let line = queue.shift(); line !== undefined; line = queue.shift()) {
      const text = line.join(' ');
      if (intended.some(([pattern]) => pattern.test(text))) continue;
      const real = await docker.run(line);
      const io = fakeIo();
      const code = await runCli(line, io, () => fakeEngine());
      const theirs = JSON.stringify(told(real.out, real.err, real.code));
      const ours = JSON.stringify(told(io.out(), io.err(), code));
      if (ours !== theirs) differences.push(`${text}\n  ours   ${ours}\n  Docker ${theirs}`);
    }
  };
  await Promise.all([compareSome(), compareSome()]);
  assert.ok(differences.length === 0, `${differences.length} of ${all.length}\n${differences.join('\n')}`);
});
