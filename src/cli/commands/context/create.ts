// hoist context create and update: a name for an engine's address.

import { fail } from '../../../base/errors.ts';
import type { Command, Invocation } from '../../command.ts';
import {
  type Context,
  checkContextName,
  defaultContext,
  defaultDescription,
  readContext,
  writeContext,
} from '../../contexts/store.ts';
import { flagTable } from '../../flags.ts';
import type { Io } from '../../io.ts';
import { checkPairs, endpointHelp, endpointOf, exampleOf } from './endpoint.ts';
import { defaultHost } from './ls.ts';

const flags = flagTable(`
      --description string      Description of the context
      --docker stringToString   set the docker endpoint (default [])`).map((flag) =>
  flag.name === 'docker' ? { ...flag, list: true, check: checkPairs } : flag,
);

export const createContext: Command = {
  names: [['context', 'create']],
  summary: 'Create a context',
  description: `Create a context\n\n${endpointHelp}\n\n${exampleOf('create')}`,
  usage: '[OPTIONS] CONTEXT',
  args: { min: 1, max: 1 },
  flags: [...flags, ...flagTable('      --from string             create context from a named context')],
  async run(invocation) {
    const { io, args } = invocation;
    const name = args[0] ?? '';
    checkContextName(name);
    if (await exists(io, name)) fail('conflict', 'cli.plain', `context "${name}" already exists`);
    await writeContext(io, await newContext(invocation, name));
    await io.stdout.write(`${name}\n`);
    await io.stderr.write(`Successfully created context "${name}"\n`);
    return 0;
  },
};

export async function exists(io: Io, name: string): Promise<boolean> {
  return readContext(io, name).then(
    () => true,
    () => false,
  );
}

async function newContext({ io, flags: given }: Invocation, name: string): Promise<Context> {
  const endpoint = await endpointOf(io, given);
  const from = given.string('from');
  if (from !== '' && given.has('docker')) fail('invalid', 'cli.plain', 'cannot use --docker flag when --from is set');
  const copied = await source(io, from || endpoint.from || (given.has('docker') ? '' : defaultContext));
  const description = given.has('description') ? given.string('description') : (copied?.description ?? '');
  const docker = copied ?? { host: endpoint.host, skip: endpoint.skipTlsVerify, tls: endpoint.tls };
  if (docker.host === '')
    fail(
      'invalid',
      'cli.plain',
      'unable to create docker endpoint config: unable to apply docker endpoint options: no host',
    );
  return {
    document: {
      Name: name,
      Metadata: description === '' ? {} : { Description: description },
      Endpoints: { docker: { Host: docker.host, SkipTLSVerify: docker.skip } },
    },
    tls: docker.tls,
  };
}

interface Source {
  readonly description: string;
  readonly host: string;
  readonly skip: boolean;
  readonly tls: Context['tls'];
}

async function source(io: Io, name: string): Promise<Source | undefined> {
  if (name === '') return undefined;
  if (name === defaultContext)
    return { description: defaultDescription, host: defaultHost(io), skip: false, tls: new Map() };
  const { document, tls } = await readContext(io, name);
  const { Host: host = '', SkipTLSVerify: skip = false } = document.Endpoints.docker ?? {};
  return { description: String(document.Metadata['Description'] ?? ''), host, skip, tls };
}

export const updateContext: Command = {
  names: [['context', 'update']],
  summary: 'Update a context',
  description: `Update a context\n\n${endpointHelp}\n\n${exampleOf('update')}`,
  usage: '[OPTIONS] CONTEXT',
  args: { min: 1, max: 1 },
  completes: 'context',
  flags,
  async run({ io, flags: given, args }) {
    const name = args[0] ?? '';
    checkContextName(name);
    const { document, tls } = await readContext(io, name);
    const { Description: _, ...others } = document.Metadata;
    const description = given.has('description') ? given.string('description') : document.Metadata['Description'];
    const Metadata = description ? { Description: description, ...others } : others;
    const endpoint = given.has('docker') ? await endpointOf(io, given) : undefined;
    const copied = endpoint && (await source(io, endpoint.from));
    const Endpoints =
      endpoint === undefined
        ? document.Endpoints
        : {
            ...document.Endpoints,
            docker: {
              Host: copied?.host ?? endpoint.host,
              SkipTLSVerify: copied?.skip ?? endpoint.skipTlsVerify,
            },
          };
    await writeContext(io, {
      document: { ...document, Metadata, Endpoints },
      tls: copied?.tls ?? endpoint?.tls ?? tls,
    });
    await io.stdout.write(`${name}\n`);
    await io.stderr.write(`Successfully updated context "${name}"\n`);
    return 0;
  },
};
