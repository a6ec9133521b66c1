// hoist version: of the command and of the engine.

import { hoistVersion } from '../../../base/version.ts';
import type { SystemVersion } from '../../../spec/docker/info.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { documentFormatFlag } from '../../formatflag.ts';
import { goDocument, parseFormat, templateFailure } from '../../render/document.ts';

export const version: Command = {
  names: [['version']],
  summary: 'Show the Hoist version information',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
${documentFormatFlag}`),
  async run({ io, flags, engine }) {
    const format = flags.string('format');
    const template = format === '' || format === 'json' ? undefined : parseFormat(format, 'version');
    const server = await engine.system.version();
    const versions = { Client: clientOf(server), Server: serverOf(server) };
    if (format === '') await io.stdout.write(versionText(versions));
    else if (template === undefined) await io.stdout.write(`${JSON.stringify(versions)}\n`);
    else {
      try {
        await io.stdout.write(`${template.execute(goDocument(versions))}\n`);
      } catch (error) {
        await io.stderr.write(`${templateFailure(error)}\n`);
        return 1;
      }
    }
    return 0;
  },
};

interface Versions {
  readonly Client: ReturnType<typeof clientOf>;
  readonly Server: ReturnType<typeof serverOf>;
}

/** The command line is a part of the program that is the engine: what differs is only where it runs. */
function clientOf(server: SystemVersion) {
  const { ApiVersion, GitCommit, Os, Arch, BuildTime } = server;
  return {
    Platform: { Name: 'Hoist' },
    Version: hoistVersion,
    ApiVersion,
    DefaultAPIVersion: ApiVersion,
    GitCommit,
    GoVersion: server.GoVersion,
    Os,
    Arch,
    BuildTime,
    Context: 'default',
  };
}

function serverOf(server: SystemVersion) {
  return { ...server, Experimental: false };
}

function versionText({ Client, Server }: Versions): string {
  const rows = (indent: string, width: number, pairs: readonly (readonly [string, string])[]): string =>
    pairs
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `${indent}${`${name}:`.padEnd(width)}${value}\n`)
      .join('');
  const client = rows(' ', 19, [
    ['Version', Client.Version],
    ['API version', Client.ApiVersion],
    ['Go version', Client.GoVersion],
    ['Git commit', Client.GitCommit],
    ['Built', Client.BuildTime],
    ['OS/Arch', `${Client.Os}/${Client.Arch}`],
    ['Context', Client.Context],
  ]);
  const server = rows('  ', 18, [
    ['Version', Server.Version],
    ['API version', `${Server.ApiVersion} (minimum version ${Server.MinAPIVersion})`],
    ['Go version', Server.GoVersion],
    ['Git commit', Server.GitCommit],
    ['Built', Server.BuildTime],
    ['OS/Arch', `${Server.Os}/${Server.Arch}`],
    ['Experimental', 'false'],
  ]);
  return `Client: ${Client.Platform.Name}\n${client}\nServer: ${Server.Platform.Name}\n Engine:\n${server}`;
}
