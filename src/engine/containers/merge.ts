// The image's words and the user's as one configuration, by Docker's rules; and what is refused before anything is made.

import { fail } from '../../base/errors.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { ContainerConfig, ContainerCreate, HostConfig } from '../../spec/docker/container.ts';
import type { ImageRunConfig } from '../../spec/oci/image.ts';

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
    ...(config.Volumes || image.Volumes ? { Volumes: { ...image.Volumes, ...config.Volumes } } : {}),
  };
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

const namespacedSysctl =
  /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|domainname)|fs\.mqueue\..+|net\..+)$/;

/** Fails with kind invalid and Docker's words for what it would refuse too. */
export function validateCreate({ Config, HostConfig }: ContainerCreate, machine: HostFacts): void {
  const refuse = (code: string, message: string): never => fail('invalid', code, message);
  if (argumentsOf(Config).length === 0) refuse('container.no_command', 'no command specified');
  if (Config.WorkingDir !== '' && !Config.WorkingDir.startsWith('/'))
    refuse(
      'workdir.relative',
      `the working directory '${Config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  const nul = [Config.User, Config.WorkingDir, Config.Hostname, ...Config.Env, ...argumentsOf(Config)].find((text) =>
    text.includes('\0'),
  );
  if (nul !== undefined)
    refuse('container.nul', 'a NUL byte cannot stand in a command, an environment variable or a name');
  validateLimits(HostConfig, machine, refuse);
  requireControllers(HostConfig, machine, refuse);
  for (const name of Object.keys(HostConfig.Sysctls ?? {})) {
    if (!namespacedSysctl.test(name))
      refuse(
        'sysctl.denied',
        `invalid argument "${name}" for "--sysctl": it would change the whole host, not the container`,
      );
    if (name.startsWith('net.') && HostConfig.NetworkMode === 'host')
      refuse('sysctl.denied', `sysctl '${name}' is not allowed with host networking: it would change the whole host`);
  }
}

function validateLimits(host: HostConfig, machine: HostFacts, refuse: (code: string, message: string) => never): void {
  if (host.Memory !== 0 && host.Memory < 6 * 1024 * 1024)
    refuse('memory.too_small', 'Minimum memory limit allowed is 6MB');
  if (host.MemorySwap > 0 && host.Memory === 0)
    refuse('memory.swap_alone', 'You should always set the Memory limit when using Memoryswap limit, see usage');
  if (host.MemorySwap > 0 && host.MemorySwap < host.Memory)
    refuse('memory.swap_small', 'Minimum memoryswap limit should be larger than memory limit, see usage');
  if (host.MemoryReservation > 0 && host.Memory > 0 && host.Memory < host.MemoryReservation)
    refuse('memory.reservation', 'Minimum memory limit can not be less than memory reservation limit, see usage');
  if (host.NanoCpus < 0 || host.NanoCpus > machine.cpus * 1e9) {
    refuse(
      'cpus.range',
      `range of CPUs is from 0.01 to ${machine.cpus}.00, as there are only ${machine.cpus} CPUs available`,
    );
  }
  if (host.NanoCpus > 0 && (host.CpuPeriod > 0 || host.CpuQuota > 0))
    refuse('cpus.conflict', 'Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (host.CpuPeriod !== 0 && (host.CpuPeriod < 1000 || host.CpuPeriod > 1000000))
    refuse('cpu.period', 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  if (host.CpuQuota > 0 && host.CpuQuota < 1000)
    refuse('cpu.quota', 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
  for (const cpu of cpuList(host.CpusetCpus, refuse)) {
    if (cpu >= machine.cpus)
      refuse(
        'cpuset.range',
        `Requested CPUs are not available - requested ${host.CpusetCpus}, available: 0-${machine.cpus - 1}`,
      );
  }
}

/** A limit that this machine cannot hold is refused, never passed over. */
function requireControllers(
  host: HostConfig,
  { cgroup }: HostFacts,
  refuse: (code: string, message: string) => never,
): void {
  const there = (controller: string): boolean =>
    cgroup.version === 2 ? cgroup.controllers.includes(controller) : cgroup.mounts[controller] !== undefined;
  const wanted: [controller: string, asked: boolean, flag: string][] = [
    ['memory', host.Memory !== 0 || host.MemoryReservation !== 0, '--memory'],
    ['cpu', host.NanoCpus !== 0 || host.CpuQuota !== 0 || host.CpuShares !== 0, '--cpus'],
    ['cpuset', host.CpusetCpus !== '' || host.CpusetMems !== '', '--cpuset-cpus'],
    ['pids', (host.PidsLimit ?? 0) > 0, '--pids-limit'],
  ];
  for (const [controller, asked, flag] of wanted) {
    if (asked && !there(controller))
      refuse(
        'limit.unavailable',
        `${flag} cannot hold here: this machine has no ${controller} cgroup controller mounted`,
      );
  }
}

function cpuList(text: string, refuse: (code: string, message: string) => never): number[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!match) return refuse('cpuset.invalid', `Invalid value ${text} for cpuset cpus`);
    return Number(match[2] ?? match[1]);
  });
}
