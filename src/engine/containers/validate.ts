// What is refused before anything is made: Docker's rules in Docker's words, and what this machine cannot hold. Pure.

import { fail } from '../../base/errors.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { ContainerConfig, ContainerCreate, HostConfig } from '../../spec/docker/container.ts';
import type { HealthConfig } from '../../spec/oci/image.ts';
import { checkLogConfig } from '../logging/options.ts';
import { argumentsOf } from './merge.ts';
import { parseDeviceRule } from './resources.ts';
import { refuseUnsupported } from './unsupported.ts';
import { validateMounts } from './validate-mounts.ts';

type Refuse = (code: string, message: string) => never;

const namespacedSysctl =
  /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|domainname)|fs\.mqueue\..+|net\..+)$/;

/** Fails with kind invalid. `asked` is the user's part alone: an image's hostname is no conflict. */
export function validateCreate({ Config, HostConfig }: ContainerCreate, machine: HostFacts): void {
  const refuse: Refuse = (code, message) => fail('invalid', code, message);
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
  checkLogConfig(HostConfig.LogConfig);
  validateNamespaces(HostConfig, refuse);
  validateIdentity(Config, HostConfig, refuse);
  validateHealth(Config.Healthcheck, refuse);
  validateRestartPolicy(HostConfig.RestartPolicy, HostConfig.AutoRemove, refuse);
  validateMounts(HostConfig, Config, refuse);
  validateLimits(HostConfig, machine, refuse);
  refuseUnsupported(HostConfig);
  for (const rule of HostConfig.DeviceCgroupRules ?? []) parseDeviceRule(rule);
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

function validateHealth(health: HealthConfig | undefined, refuse: Refuse): void {
  for (const key of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const nanoseconds = health?.[key] ?? 0;
    if (nanoseconds !== 0 && nanoseconds < 1e6) refuse('health.time', `${key} in Healthcheck cannot be less than 1ms`);
  }
  if ((health?.Retries ?? 0) < 0) refuse('health.retries', 'Retries in Healthcheck cannot be negative');
}

export function validateRestartPolicy(policy: HostConfig['RestartPolicy'], autoRemove: boolean, refuse: Refuse): void {
  const { Name, MaximumRetryCount } = policy;
  const invalid = (words: string): never => refuse('restart.policy', `invalid restart policy: ${words}`);
  if (autoRemove && Name !== '' && Name !== 'no')
    refuse('restart.auto_remove', "can't create 'AutoRemove' container with restart policy");
  if (Name === 'on-failure') {
    if (MaximumRetryCount < 0) invalid('maximum retry count cannot be negative');
  } else if (['no', 'always', 'unless-stopped'].includes(Name)) {
    const also = MaximumRetryCount < 0 ? ' and cannot be negative' : '';
    if (MaximumRetryCount !== 0) invalid(`maximum retry count can only be used with 'on-failure'${also}`);
  } else if (Name !== '')
    invalid(`unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`);
}

const none = /^$/;

/** Whose namespaces: what is none of these would be nobody's wish. */
function validateNamespaces(host: HostConfig, refuse: Refuse): void {
  const known: readonly (readonly [mode: string, what: string, also: RegExp])[] = [
    [host.IpcMode, 'IPC', /^(none|private|shareable|container:.+)$/],
    [host.PidMode, 'PID', /^container:.+$/],
    [host.UTSMode, 'UTS', none],
    [host.CgroupnsMode ?? '', 'cgroup namespace', /^private$/],
  ];
  for (const [mode, what, also] of known)
    if (mode !== '' && mode !== 'host' && !also.test(mode)) refuse('namespace.mode', `invalid ${what} mode: ${mode}`);
}

function validateIdentity(config: ContainerConfig, host: HostConfig, refuse: Refuse): void {
  if (config.Hostname !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(config.Hostname))
    refuse('hostname.invalid', `invalid hostname format: ${config.Hostname}`);
  if (host.UTSMode === 'host' && config.Hostname !== '')
    refuse('hostname.conflict', 'conflicting options: hostname and the UTS mode');
  if (!host.NetworkMode.startsWith('container:')) return;
  const conflicts: [asked: boolean, what: string][] = [
    [config.Hostname !== '', 'hostname and the network mode'],
    [host.Dns.length > 0, 'dns and the network mode'],
    [(host.ExtraHosts?.length ?? 0) > 0, 'custom host-to-IP mapping and the network mode'],
    [
      Object.keys(host.PortBindings).length > 0 || host.PublishAllPorts,
      'port publishing and the container type network mode',
    ],
    [Object.keys(config.ExposedPorts ?? {}).length > 0, 'port exposing and the container type network mode'],
  ];
  for (const [asked, what] of conflicts) if (asked) refuse('network.conflict', `conflicting options: ${what}`);
}

/** `partly`: of an update, which says nothing of the limits that stay. */
export function validateLimits(host: HostConfig, machine: HostFacts, refuse: Refuse, partly = false): void {
  if (host.Memory !== 0 && host.Memory < 6 * 1024 * 1024)
    refuse('memory.too_small', 'Minimum memory limit allowed is 6MB');
  if (host.MemorySwap > 0 && host.Memory === 0 && !partly)
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
  if (host.NanoCpus > 0 && (host.CpuPeriod > 0 || host.CpuQuota > 0)) {
    const other = host.CpuPeriod > 0 ? 'Period' : 'Quota';
    refuse('cpus.conflict', `Conflicting options: Nano CPUs and CPU ${other} cannot both be set`);
  }
  if (host.CpuPeriod !== 0 && (host.CpuPeriod < 1000 || host.CpuPeriod > 1000000))
    refuse('cpu.period', 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  if (host.CpuQuota > 0 && host.CpuQuota < 1000)
    refuse('cpu.quota', 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
  const weights = [host.BlkioWeight ?? 0, ...(host.BlkioWeightDevice ?? []).map(({ Weight }) => Weight)];
  if (weights.some((weight) => weight !== 0 && (weight < 10 || weight > 1000)))
    refuse('blkio.weight', 'Range of blkio weight is from 10 to 1000');
  const swappiness = host.MemorySwappiness ?? -1;
  if (swappiness < -1 || swappiness > 100)
    refuse('memory.swappiness', `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  const [runtime, period] = [host.CpuRealtimeRuntime ?? 0, host.CpuRealtimePeriod ?? 0];
  if (runtime !== 0 && period !== 0 && runtime > period)
    refuse('cpu.realtime', 'cpu real-time runtime cannot be higher than cpu real-time period');
  if (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000)
    refuse('oom_score_adj.range', `Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  for (const cpu of cpuList(host.CpusetCpus, refuse)) {
    if (cpu >= machine.cpus)
      refuse(
        'cpuset.range',
        `Requested CPUs are not available - requested ${host.CpusetCpus}, available: 0-${machine.cpus - 1}`,
      );
  }
}

/** A limit that this machine cannot hold is refused, never passed over. */
export function requireControllers(host: HostConfig, { cgroup, userNamespace }: HostFacts, refuse: Refuse): void {
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
        `${flag} cannot hold here: ${userNamespace ? `no ${controller} cgroup controller is delegated to this user` : `this machine has no ${controller} cgroup controller mounted`}`,
      );
  }
}

function cpuList(text: string, refuse: Refuse): number[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!match) return refuse('cpuset.invalid', `Invalid value ${text} for cpuset cpus`);
    return Number(match[2] ?? match[1]);
  });
}
