// The command line in a Node process of its own: `hoist engine …`, HOIST_NO_ENGINE=1, and other hosts.

import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import { openTransport } from '../api/client/transport.ts';
import { isHoistError } from '../base/errors.ts';
import { runCli } from '../cli/app.ts';
import type { FlagValues } from '../cli/command.ts';
import { allCommands } from '../cli/commands/index.ts';
import { resolveEngine } from '../cli/contexts/resolve.ts';
import { parseFlags } from '../cli/parse.ts';
import { rootFlags } from '../cli/root.ts';
import type { Engine } from '../engine/engine.ts';
import { engineCommands } from './control.ts';
import { dialCommand } from './dial.ts';
import { endNamespace } from './namespace.ts';
import { type OpenEngine, openEngine } from './open.ts';
import { dockerSocketOf, placeFrom } from './place.ts';
import { findPlugin, runPlugin } from './plugins.ts';
import { processIo } from './process-io.ts';
import { openRemote } from './remote.ts';

const place = placeFrom(process.env);
const argv = process.argv.slice(2);
let open: OpenEngine | undefined;
const io = { ...processIo(() => open?.pool.deps.executor()), plugin };

async function connect(): Promise<Engine> {
  const { args, flags } = parseFlags(rootFlags(''), argv, true);
  if (args[0] === 'context') nameContext(flags);
  if (args[0] === 'engine' || args[0] === 'context') return nobody;
  const connection = await resolveEngine(io, flags);
  if (connection !== undefined) return openRemote(connection, io);
  open = await openEngine(place, (message) => process.stderr.write(`hoist: ${message}\n`));
  return open.engine;
}

/** What -c and -H name is the current context of `hoist context …`, which hears of it from the environment. */
function nameContext(flags: FlagValues): void {
  const host = flags.list('host').at(-1);
  if (host !== undefined) process.env['DOCKER_HOST'] = host;
  if (flags.string('context') === '') return;
  process.env['DOCKER_CONTEXT'] = flags.string('context');
  delete process.env['DOCKER_HOST'];
}

/** A plugin asks the engine that this command would ask, through Docker's API. */
async function plugin(name: string, words: readonly string[]): Promise<number | undefined> {
  const { flags } = parseFlags(rootFlags(''), argv, true);
  const config = flags.has('config') ? { DOCKER_CONFIG: flags.string('config') } : {};
  const env = { ...process.env, ...config };
  const program = findPlugin(name, env);
  if (program === undefined) return undefined;
  const host = flags.list('host').at(-1) ?? (await localHost(flags));
  const context = flags.string('context');
  return await runPlugin(program, words, {
    ...env,
    ...(host === undefined ? {} : { DOCKER_HOST: host }),
    ...(context === '' ? {} : { DOCKER_CONTEXT: context }),
    DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: 'hoist',
  });
}

/** undefined: the user's environment or context names another engine, and the plugin reads that for itself. */
async function localHost(flags: FlagValues): Promise<string | undefined> {
  const remote = await resolveEngine(io, flags);
  return remote === undefined ? `unix://${dockerSocketOf(place)}` : undefined;
}

/** `hoist engine …` and `hoist context …` ask no engine for anything. */
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

/** Its connection to the API, for `system dial-stdio`. */
async function dial(): Promise<Duplex> {
  const { flags } = parseFlags(rootFlags(''), argv, true);
  const connection = await resolveEngine(io, flags);
  return connection === undefined ? createConnection(dockerSocketOf(place)) : openTransport(connection).dial();
}

let code = 1;
try {
  code = await runCli(argv, io, connect, [...allCommands, ...engineCommands(place), dialCommand(dial)]);
} catch (error) {
  process.stderr.write(
    `hoist: ${isHoistError(error) ? error.message : error instanceof Error ? error.stack : error}\n`,
  );
}
if (open) endNamespace(open.pool, place);
await open?.[Symbol.asyncDispose]();
process.exit(code);
