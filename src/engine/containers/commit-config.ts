// The configuration of an image that is made of a container, by Docker's rules. Pure.

import type { ContainerConfig } from '../../spec/docker/container.ts';
import type { ImageRunConfig } from '../../spec/oci/image.ts';

/** What of a container's configuration an image can have. */
export function runConfigOf(config: ContainerConfig): ImageRunConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal } = config;
  return {
    ...(User ? { User } : {}),
    ...(filled(ExposedPorts) ? { ExposedPorts: emptied(ExposedPorts) } : {}),
    ...(Env.length > 0 ? { Env } : {}),
    ...(Entrypoint !== null && Entrypoint.length > 0 ? { Entrypoint } : {}),
    ...(Cmd !== null && Cmd.length > 0 ? { Cmd } : {}),
    ...(filled(Volumes) ? { Volumes: emptied(Volumes) } : {}),
    ...(WorkingDir ? { WorkingDir } : {}),
    ...(filled(Labels) ? { Labels } : {}),
    ...(StopSignal ? { StopSignal } : {}),
    ...(config.Shell ? { Shell: config.Shell } : {}),
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    ...(config.OnBuild && config.OnBuild.length > 0 ? { OnBuild: config.OnBuild } : {}),
  };
}

/** What was asked for, and for the rest what the container has. */
export function mergeRunConfig(asked: ImageRunConfig, own: ImageRunConfig): ImageRunConfig {
  const names = new Set((asked.Env ?? []).map((line) => line.split('=', 1)[0]));
  const env = [...(asked.Env ?? []), ...(own.Env ?? []).filter((line) => !names.has(line.split('=', 1)[0]))];
  const ownCommand = asked.Entrypoint === undefined && asked.Cmd === undefined && own.Cmd ? { Cmd: own.Cmd } : {};
  return {
    ...own,
    ...asked,
    ...withoutCommand(own, asked),
    ...ownCommand,
    ...(env.length > 0 ? { Env: env } : {}),
    ...merged('ExposedPorts', own, asked),
    ...merged('Volumes', own, asked),
    ...merged('Labels', own, asked),
  };
}

/** An entrypoint of its own takes the container's command away. */
function withoutCommand(own: ImageRunConfig, asked: ImageRunConfig): ImageRunConfig {
  return asked.Entrypoint !== undefined && asked.Cmd === undefined && own.Cmd !== undefined ? { Cmd: [] } : {};
}

function merged<K extends 'ExposedPorts' | 'Volumes' | 'Labels'>(
  key: K,
  own: ImageRunConfig,
  asked: ImageRunConfig,
): Pick<ImageRunConfig, K> | Record<string, never> {
  const both: object = { ...own[key], ...asked[key] };
  return Object.keys(both).length > 0 ? ({ [key]: both } as Pick<ImageRunConfig, K>) : {};
}

function filled(value: object | null | undefined): value is object {
  return value !== null && value !== undefined && Object.keys(value).length > 0;
}

function emptied(value: object): Readonly<Record<string, Record<string, never>>> {
  return Object.fromEntries(Object.keys(value).map((key) => [key, {}]));
}
