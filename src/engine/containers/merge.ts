// The image's words and the user's as one configuration, by Docker's rules. Pure.

import type { ContainerConfig } from '../../spec/docker/container.ts';
import type { HealthConfig, ImageRunConfig } from '../../spec/oci/image.ts';

/** `--entrypoint` given: the image's command goes with its entrypoint. */
export function mergeConfig(config: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const ownEntrypoint = config.Entrypoint !== null;
  const entrypoint = ownEntrypoint ? config.Entrypoint : (image.Entrypoint ?? null);
  const command =
    config.Cmd !== null && config.Cmd.length > 0 ? config.Cmd : ownEntrypoint ? config.Cmd : (image.Cmd ?? null);
  return {
    ...config,
    User: config.User || (image.User ?? ''),
    Env: mergeEnv(image.Env ?? [], config.Env),
    Cmd: command,
    Entrypoint: entrypoint !== null && entrypoint.length === 1 && entrypoint[0] === '' ? null : entrypoint,
    WorkingDir: config.WorkingDir || (image.WorkingDir ?? ''),
    Labels: { ...image.Labels, ...config.Labels },
    ...(image.ExposedPorts || config.ExposedPorts
      ? { ExposedPorts: { ...image.ExposedPorts, ...config.ExposedPorts } }
      : {}),
    ...(config.StopSignal || image.StopSignal ? { StopSignal: config.StopSignal || (image.StopSignal ?? '') } : {}),
    ...healthcheckOf(config.Healthcheck, image.Healthcheck),
    ...(config.Volumes || image.Volumes ? { Volumes: { ...image.Volumes, ...config.Volumes } } : {}),
  };
}

/** What the user leaves out of a health check, the image says. */
function healthcheckOf(
  own: HealthConfig | undefined,
  image: HealthConfig | undefined,
): Pick<ContainerConfig, 'Healthcheck'> {
  if (!own || !image) return own || image ? { Healthcheck: own ?? image ?? {} } : {};
  const given = Object.entries(own).filter(([key, value]) => (key === 'Test' ? (own.Test?.length ?? 0) > 0 : value));
  return { Healthcheck: { ...image, ...Object.fromEntries(given) } };
}

/** Later words win; a name alone takes one away. */
export function mergeEnv(first: readonly string[], second: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of [...first, ...second]) {
    const equals = entry.indexOf('=');
    const name = equals < 0 ? entry : entry.slice(0, equals);
    if (equals < 0) merged.delete(name);
    else merged.set(name, entry);
  }
  return [...merged.values()];
}

export function argumentsOf(config: ContainerConfig): readonly string[] {
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
}
