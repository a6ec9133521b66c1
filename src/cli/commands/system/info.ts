// hoist info: what the engine is, where it keeps things, and what this machine can do.

import { hoistVersion } from '../../../base/version.ts';
import type { SystemInfo } from '../../../spec/docker/info.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { documentFormatFlag } from '../../formatflag.ts';
import { goDocument, parseFormat, templateFailure } from '../../render/document.ts';
import { bytesSize } from '../../render/size.ts';

export const info: Command = {
  names: [['info'], ['system', 'info']],
  summary: 'Display system-wide information',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
${documentFormatFlag}`),
  async run({ io, flags, engine }) {
    const format = flags.string('format');
    const template = format === '' || format === 'json' ? undefined : parseFormat(format, '');
    const facts = await engine.system.info();
    const document = { ...facts, ClientInfo: { Debug: false, Version: hoistVersion, Context: 'default' } };
    if (format === '') {
      await io.stdout.write(infoText(facts));
      for (const warning of facts.Warnings ?? []) await io.stderr.write(`${warning}\n`);
    } else if (template === undefined) await io.stdout.write(`${JSON.stringify(document)}\n`);
    else {
      try {
        await io.stdout.write(`${template.execute(goDocument(document))}\n`);
      } catch (error) {
        await io.stderr.write(`${templateFailure(error)}\n`);
        return 1;
      }
    }
    return 0;
  },
};

function infoText(facts: SystemInfo): string {
  const lines = [
    'Client:',
    ` Version:    ${hoistVersion}`,
    ' Context:    default',
    ' Debug Mode: false',
    '',
    'Server:',
    ` Containers: ${facts.Containers}`,
    `  Running: ${facts.ContainersRunning}`,
    `  Paused: ${facts.ContainersPaused}`,
    `  Stopped: ${facts.ContainersStopped}`,
    ` Images: ${facts.Images}`,
    ` Server Version: ${facts.ServerVersion}`,
    ` Storage Driver: ${facts.Driver}`,
    ...(facts.DriverStatus ?? []).map(([name, value]) => `  ${name}: ${value}`),
    ` Logging Driver: ${facts.LoggingDriver}`,
    ` Cgroup Driver: ${facts.CgroupDriver}`,
    ` Cgroup Version: ${facts.CgroupVersion}`,
    ...parts(facts),
    ...securityLines(facts.SecurityOptions ?? []),
    ` Kernel Version: ${facts.KernelVersion}`,
    ` Operating System: ${facts.OperatingSystem}`,
    ` OSType: ${facts.OSType}`,
    ` Architecture: ${facts.Architecture}`,
    ` CPUs: ${facts.NCPU}`,
    ` Total Memory: ${bytesSize(facts.MemTotal)}`,
    ` Name: ${facts.Name}`,
    ` ID: ${facts.ID}`,
    ` Docker Root Dir: ${facts.DockerRootDir}`,
    ...settings(facts),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function parts(facts: SystemInfo): readonly string[] {
  const { Plugins, Runtimes, ContainerdCommit, RuncCommit, InitCommit } = facts;
  const said = (name: string, value: string | undefined): readonly string[] => (value ? [` ${name}: ${value}`] : []);
  return [
    ' Plugins:',
    `  Volume: ${(Plugins?.Volume ?? []).join(' ')}`,
    `  Network: ${(Plugins?.Network ?? []).join(' ')}`,
    ...(Plugins?.Authorization?.length ? [`  Authorization: ${Plugins.Authorization.join(' ')}`] : []),
    `  Log: ${(Plugins?.Log ?? []).join(' ')}`,
    ...section('CDI spec directories', facts.CDISpecDirs ?? []),
    ...section(
      'Discovered Devices',
      (facts.DiscoveredDevices ?? []).map(({ Source, ID }) => `${Source}: ${ID}`),
    ),
    ...said('Swarm', facts.Swarm?.LocalNodeState),
    ...said('Runtimes', Object.keys(Runtimes ?? {}).join(' ')),
    ...said('Default Runtime', facts.DefaultRuntime),
    ...said('Init Binary', facts.InitBinary),
    // Docker's own parts, which an engine may be without
    ...said('containerd version', ContainerdCommit?.ID),
    ...said('runc version', RuncCommit?.ID),
    ...said('init version', InitCommit?.ID),
  ];
}

function settings(facts: SystemInfo): readonly string[] {
  const { RegistryConfig: registries } = facts;
  const insecure = Object.values(registries?.IndexConfigs ?? {}).filter(({ Secure }) => !Secure);
  const proxy = (name: string, value: string | undefined): readonly string[] => (value ? [` ${name}: ${value}`] : []);
  return [
    ` Debug Mode: ${facts.Debug}`,
    ...(facts.Debug
      ? [
          `  File Descriptors: ${facts.NFd}`,
          `  Goroutines: ${facts.NGoroutines}`,
          `  System Time: ${facts.SystemTime}`,
          `  EventsListeners: ${facts.NEventsListener}`,
        ]
      : []),
    ...proxy('HTTP Proxy', facts.HttpProxy),
    ...proxy('HTTPS Proxy', facts.HttpsProxy),
    ...proxy('No Proxy', facts.NoProxy),
    ...section('Labels', facts.Labels ?? []),
    ` Experimental: ${facts.ExperimentalBuild}`,
    ...section('Insecure Registries', [
      ...insecure.map(({ Name }) => Name),
      ...(registries?.InsecureRegistryCIDRs ?? []),
    ]),
    ...section('Registry Mirrors', registries?.Mirrors ?? []),
    ` Live Restore Enabled: ${facts.LiveRestoreEnabled}`,
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [` ${title}:`, ...lines.map((line) => `  ${line}`)];
}

/** `name=seccomp,profile=builtin` as two lines. */
function securityLines(options: readonly string[]): readonly string[] {
  if (options.length === 0) return [];
  const lines = options.flatMap((option) => {
    const pairs = option.split(',').map((pair) => pair.split('=', 2));
    const name = pairs.find(([key]) => key === 'name')?.[1] ?? option;
    const rest = pairs.filter(([key, value]) => key !== 'name' && value !== undefined);
    return [
      `  ${name}`,
      ...rest.map(([key = '', value = '']) => `   ${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}`),
    ];
  });
  return [' Security Options:', ...lines];
}
