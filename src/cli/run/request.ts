// From the flags of `run` and `create` to the document that asks the engine for a container. Reads the files that the
// flags name (env, labels, seccomp) and nothing else; what only the machine can know, the engine checks.

import { fail } from '../../base/errors.ts';
import type { ContainerConfig, ContainerCreate, HostConfig } from '../../spec/docker/container.ts';
import type { FlagValues } from '../command.ts';
import type { Io } from '../io.ts';
import { parseBytes, parseCpus, parseInt64 } from '../values.ts';
import { environment, keyValues, labels } from './environment.ts';
import { memorySwap, ulimits } from './limits.ts';
import { mount, tmpfs, volumeFlags } from './mounts.ts';
import { extraHosts, networkMode } from './network.ts';
import { type Ports, ports } from './ports.ts';
import { devices, mode, securityOpts } from './security.ts';

/** `args`: the image and its command. `detach` (-d): nothing is attached. */
export async function containerRequest(
  flags: FlagValues,
  args: readonly string[],
  options: { readonly io: Io; readonly detach: boolean },
): Promise<ContainerCreate> {
  const published = ports(flags.list('publish'), flags.list('expose'));
  refuseValues(flags);
  return {
    Config: await containerConfig(flags, args, { ...options, published }),
    HostConfig: await hostConfig(flags, options.io, published),
  };
}

async function containerConfig(
  flags: FlagValues,
  args: readonly string[],
  { io, detach, published }: { readonly io: Io; readonly detach: boolean; readonly published: Ports },
): Promise<ContainerConfig> {
  const [Image = '', ...Cmd] = args;
  const attach = flags.list('attach').map((name) => name.toLowerCase());
  const attached = (name: string): boolean =>
    !detach && (attach.length > 0 ? attach.includes(name) : name !== 'stdin' || flags.bool('interactive'));
  const AttachStdin = attached('stdin');
  const OpenStdin = flags.bool('interactive');
  const entrypoint = flags.string('entrypoint');
  return {
    Hostname: flags.string('hostname'),
    Domainname: flags.string('domainname'),
    User: flags.string('user'),
    AttachStdin,
    AttachStdout: attached('stdout'),
    AttachStderr: attached('stderr'),
    ExposedPorts: published.exposed,
    Tty: flags.bool('tty'),
    OpenStdin,
    StdinOnce: OpenStdin && AttachStdin,
    Env: await environment(flags, io),
    Cmd: Cmd.length > 0 ? Cmd : null,
    Image,
    Volumes: volumeFlags(flags.list('volume'), io.cwd).volumes,
    WorkingDir: flags.string('workdir'),
    // `--entrypoint ''` takes the image's away: Docker sends one empty string for it.
    Entrypoint: flags.has('entrypoint') ? [entrypoint] : null,
    Labels: await labels(flags, io),
    ...(flags.bool('no-healthcheck') ? { Healthcheck: { Test: ['NONE'] } } : {}),
    ...(flags.has('stop-signal') ? { StopSignal: flags.string('stop-signal') } : {}),
    ...(flags.has('stop-timeout') ? { StopTimeout: int(flags, 'stop-timeout') } : {}),
  };
}

async function hostConfig(flags: FlagValues, io: Io, published: Ports): Promise<HostConfig> {
  const size = flags.bool('tty') ? io.size() : undefined;
  const mounts = flags.list('mount').map((value) => mount(value, io.cwd));
  const log = flags.string('log-driver');
  return {
    ...resources(flags),
    Binds: nullable(volumeFlags(flags.list('volume'), io.cwd).binds),
    ContainerIDFile: flags.string('cidfile'),
    LogConfig: { Type: log, Config: keyValues(flags.list('log-opt')) },
    NetworkMode: networkMode(flags.list('network')),
    PortBindings: published.bindings,
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    AutoRemove: flags.bool('rm'),
    ConsoleSize: size === undefined ? [0, 0] : [size.rows, size.columns],
    ...(flags.has('annotation') ? { Annotations: keyValues(flags.list('annotation')) } : {}),
    CapAdd: nullable(flags.list('cap-add')),
    CapDrop: nullable(flags.list('cap-drop')),
    CgroupnsMode: mode(flags.string('cgroupns'), ['private', 'host'], '--cgroupns: invalid CGROUP mode'),
    Dns: flags.list('dns').map((address) => address.trim()),
    DnsOptions: flags.list('dns-option'),
    DnsSearch: flags.list('dns-search'),
    ExtraHosts: nullable(extraHosts(flags.list('add-host'))),
    GroupAdd: nullable(flags.list('group-add')),
    IpcMode: mode(
      flags.string('ipc'),
      ['private', 'shareable', 'host', 'none', 'container:'],
      '--ipc: invalid IPC mode',
    ),
    PidMode: mode(flags.string('pid'), ['host', 'container:'], '--pid: invalid PID mode'),
    UTSMode: mode(flags.string('uts'), ['host'], '--uts: invalid UTS mode'),
    Privileged: flags.bool('privileged'),
    PublishAllPorts: flags.bool('publish-all'),
    ReadonlyRootfs: flags.bool('read-only'),
    SecurityOpt: nullable(await securityOpts(flags.list('security-opt'), io)),
    ...(flags.has('tmpfs') ? { Tmpfs: tmpfs(flags.list('tmpfs')) } : {}),
    ...(flags.has('sysctl') ? { Sysctls: keyValues(flags.list('sysctl')) } : {}),
    ...(flags.has('init') ? { Init: flags.bool('init') } : {}),
    ...(mounts.length > 0 ? { Mounts: mounts } : {}),
    VolumeDriver: flags.string('volume-driver'),
    VolumesFrom: nullable(flags.list('volumes-from')),
  };
}

type Resources = Pick<
  HostConfig,
  | 'OomScoreAdj'
  | 'ShmSize'
  | 'CpuShares'
  | 'Memory'
  | 'NanoCpus'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'Devices'
  | 'MemoryReservation'
  | 'MemorySwap'
  | 'PidsLimit'
  | 'Ulimits'
>;

function resources(flags: FlagValues): Resources {
  return {
    OomScoreAdj: int(flags, 'oom-score-adj'),
    ShmSize: bytes(flags, 'shm-size'),
    CpuShares: int(flags, 'cpu-shares'),
    Memory: bytes(flags, 'memory'),
    NanoCpus: flags.has('cpus') ? parseCpus(flags.string('cpus')) : 0,
    CpuPeriod: int(flags, 'cpu-period'),
    CpuQuota: int(flags, 'cpu-quota'),
    CpusetCpus: flags.string('cpuset-cpus'),
    CpusetMems: flags.string('cpuset-mems'),
    Devices: nullable(devices(flags.list('device'))),
    MemoryReservation: bytes(flags, 'memory-reservation'),
    MemorySwap: memorySwap(flags.string('memory-swap')),
    PidsLimit: flags.has('pids-limit') ? int(flags, 'pids-limit') : null,
    Ulimits: nullable(ulimits(flags.list('ulimit'))),
  };
}

/** Flags of which some values are built: the rest are told apart here, never ignored. */
function refuseValues(flags: FlagValues): void {
  const restart = flags.string('restart');
  if (flags.bool('rm') && restart !== 'no' && restart !== '') {
    fail('invalid', 'cli.conflict', 'conflicting options: cannot specify both --restart and --rm');
  }
  const notYet = (what: string): never => fail('unsupported', 'cli.refused', what);
  if (restart !== 'no' && restart !== '')
    notYet(`--restart ${restart} is not supported yet: restart policies are not built`);
  const runtime = flags.string('runtime');
  if (runtime !== '' && runtime !== 'hoist')
    notYet(`--runtime ${runtime} is not supported yet: hoist is the only runtime`);
  const userns = flags.string('userns');
  if (userns !== '' && userns !== 'host') fail('invalid', 'cli.mode', '--userns: invalid USER mode');
  const driver = flags.string('log-driver');
  if (!['', 'json-file', 'local', 'none'].includes(driver)) {
    notYet(`--log-driver ${driver} is not supported yet: json-file, local and none are`);
  }
  if (driver === 'none' && flags.has('log-opt')) fail('invalid', 'cli.log_opt', 'invalid logging opts for driver none');
  for (const [name, value] of Object.entries(keyValues(flags.list('log-opt')))) checkLogOption(name, value);
  if (flags.has('disable-content-trust') && !flags.bool('disable-content-trust')) {
    notYet('--disable-content-trust=false is not supported: content trust is not built');
  }
}

function checkLogOption(name: string, value: string): void {
  if (name === 'max-file') {
    if (!/^[1-9]\d{0,3}$/.test(value))
      fail('invalid', 'cli.log_opt', `invalid value for log option max-file: ${value}`);
  } else if (name === 'max-size') {
    if (value !== '-1' && !/^[1-9]\d*[kmg]?b?$/i.test(value))
      fail('invalid', 'cli.log_opt', `invalid size for log option max-size: '${value}'`);
  } else fail('unsupported', 'cli.refused', `--log-opt ${name} is not supported yet: max-size and max-file are`);
}

function int(flags: FlagValues, name: string): number {
  const text = flags.string(name);
  return text === '' ? 0 : parseInt64(text);
}

function bytes(flags: FlagValues, name: string): number {
  const text = flags.string(name);
  return text === '' ? 0 : parseBytes(text);
}

function nullable<T>(values: readonly T[]): readonly T[] | null {
  return values.length === 0 ? null : values;
}
