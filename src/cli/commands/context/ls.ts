// hoist context ls, show and inspect: which names there are for engines, and which of them is meant now.

import { goType } from '../../../base/template/values.ts';
import type { Command } from '../../command.ts';
import { contextName } from '../../contexts/resolve.ts';
import {
  type Context,
  contextPaths,
  defaultContext,
  defaultDescription,
  listContexts,
  readContext,
} from '../../contexts/store.ts';
import { flagTable } from '../../flags.ts';
import { documentFormatFlag, listFormatFlag } from '../../formatflag.ts';
import type { Io } from '../../io.ts';
import { renderListing } from '../../render/listing.ts';
import { inspectAll } from '../inspect.ts';

/** What the default context's address is: DOCKER_HOST, or the API's socket of this machine's engine. */
export function defaultHost({ env }: Pick<Io, 'env'>): string {
  return env['DOCKER_HOST'] || `unix://${env['HOIST_RUN_ROOT'] || '/run/hoist'}/docker.sock`;
}

export const listContextsCommand: Command = {
  names: [
    ['context', 'ls'],
    ['context', 'list'],
  ],
  summary: 'List contexts',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
${listFormatFlag}
  -q, --quiet           Only show context names`),
  async run({ io, flags }) {
    const current = await contextName(io);
    const contexts = await listContexts(io);
    const rows = [
      row(defaultContext, defaultDescription, defaultHost(io), current),
      ...contexts.map(({ document: { Name, Metadata, Endpoints } }) =>
        row(Name, String(Metadata['Description'] ?? ''), Endpoints.docker?.Host ?? '', current),
      ),
    ];
    if (!rows.some(({ Name }) => Name === current)) rows.push(await missing(io, current));
    const columns = '{{.Name}}{{if .Current}} *{{end}}\\t{{.Description}}\\t{{.DockerEndpoint}}\\t{{.Error}}';
    await io.stdout.write(
      renderListing({
        format: flags.bool('quiet') ? '{{.Name}}' : flags.string('format'),
        tableFormat: `table ${columns}`,
        rawFormat: '',
        complaints: ['template parsing error', 'template parsing error'],
        headers: { Name: 'NAME', Description: 'DESCRIPTION', DockerEndpoint: 'DOCKER ENDPOINT', Error: 'ERROR' },
        rows,
      }),
    );
    return 0;
  },
};

function row(Name: string, Description: string, DockerEndpoint: string, current: string) {
  return {
    [goType]: '*formatter.clientContextContext',
    Current: Name === current,
    Description,
    DockerEndpoint,
    Error: '',
    Name,
  };
}

/** The current one is shown although it is not there. */
async function missing(io: Io, name: string): Promise<ReturnType<typeof row>> {
  const why = await readContext(io, name).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return { ...row(name, '', '', name), Error: why.length > 45 ? `${why.slice(0, 44)}…` : why };
}

export const showContext: Command = {
  names: [['context', 'show']],
  summary: 'Print the name of the current context',
  usage: '',
  args: { min: 0, max: 0 },
  flags: [],
  async run({ io }) {
    await io.stdout.write(`${await contextName(io)}\n`);
    return 0;
  },
};

export const inspectContext: Command = {
  names: [['context', 'inspect']],
  summary: 'Display detailed information on one or more contexts',
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  args: { min: 0 },
  completes: 'context',
  flags: flagTable(documentFormatFlag),
  async run(invocation) {
    const { io, args } = invocation;
    const names = args.length > 0 ? args : [await contextName(io)];
    return await inspectAll({ ...invocation, args: names }, async (name) =>
      name === defaultContext ? defaultDocument(io) : contextDocument(io, await readContext(io, name)),
    );
  },
};

function contextDocument(io: Io, { document, tls }: Context) {
  const paths = contextPaths(io.env, document.Name);
  return {
    Name: document.Name,
    Metadata: document.Metadata,
    Endpoints: document.Endpoints,
    TLSMaterial: tls.size === 0 ? {} : { docker: [...tls.keys()].map((kind) => `${kind}.pem`).sort() },
    Storage: { MetadataPath: paths.meta, TLSPath: paths.tls },
  };
}

function defaultDocument(io: Io) {
  return {
    Name: defaultContext,
    Metadata: {},
    Endpoints: { docker: { Host: defaultHost(io), SkipTLSVerify: false } },
    TLSMaterial: {},
    Storage: { MetadataPath: '<IN MEMORY>', TLSPath: '<IN MEMORY>' },
  };
}
