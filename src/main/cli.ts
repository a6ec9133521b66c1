// The command line in a Node process of its own: `hoist engine …`, HOIST_NO_ENGINE=1, and other hosts.

import { fail, isHoistError } from '../base/errors.ts';
import { runCli } from '../cli/app.ts';
import { allCommands } from '../cli/commands/index.ts';
import { parseFlags } from '../cli/parse.ts';
import { rootFlags } from '../cli/root.ts';
import type { Engine } from '../engine/engine.ts';
import { engineCommands } from './control.ts';
import { type OpenEngine, openEngine } from './open.ts';
import { placeFrom } from './place.ts';
import { processIo } from './process-io.ts';

const place = placeFrom(process.env);
const argv = process.argv.slice(2);
const io = processIo();
let open: OpenEngine | undefined;

async function connect(): Promise<Engine> {
  if (parseFlags(rootFlags(''), argv, true).args[0] === 'engine') return nobody;
  const other = otherHost();
  if (other)
    fail('unsupported', 'host.remote', `cannot reach ${other}: other engines are not supported yet`, {
      hint: 'unset DOCKER_HOST and DOCKER_CONTEXT, and leave -H and --context away, to use the engine of this machine',
    });
  open = await openEngine(place, (message) => process.stderr.write(`hoist: ${message}\n`));
  return open.engine;
}

/** The address of -H or DOCKER_HOST, or the context's name, where the command names one: before the command's own words. */
function otherHost(): string | undefined {
  const { args, flags } = parseFlags(rootFlags(''), argv, true);
  if (args[0] === undefined) return undefined;
  const context = flags.string('context') || process.env['DOCKER_CONTEXT'];
  return (
    flags.list('host').at(-1) ||
    process.env['DOCKER_HOST'] ||
    (context === 'default' ? undefined : context) ||
    undefined
  );
}

/** `hoist engine …` asks no engine for anything. */
const nobody: Engine = {
  get images(): never {
    throw new Error('no engine');
  },
  get containers(): never {
    throw new Error('no engine');
  },
  get execs(): never {
    throw new Error('no engine');
  },
  get networks(): never {
    throw new Error('no engine');
  },
  get volumes(): never {
    throw new Error('no engine');
  },
  get system(): never {
    throw new Error('no engine');
  },
};

let code = 1;
try {
  code = await runCli(argv, io, connect, [...allCommands, ...engineCommands(place)]);
} catch (error) {
  process.stderr.write(
    `hoist: ${isHoistError(error) ? error.message : error instanceof Error ? error.stack : error}\n`,
  );
}
await open?.[Symbol.asyncDispose]();
process.exit(code);
