// From the flags of `run` and `create` to the document that asks the engine for a container. Reads the files that the
// flags name (env, labels, seccomp) and nothing else; what only the machine can know, the engine checks.

import { fail } from '../../base/errors.ts';
import { servicesAnnotation } from '../../plan/cgroup.ts';
import type { ContainerConfig, ContainerCreate, HostConfig } from '../../spec/docker/container.ts';
import type { FlagValues } from '../command.ts';
import { type ClientConfig, clientConfig } from '../config.ts';
import type { Io } from '../io.ts';
import { parseInt64 } from '../values.ts';
import { blockIo } from './blockio.ts';
import { networking } from './endpoints.ts';
import { environment, keyValues, labels, withProxies } from './environment.ts';
import { deviceRequests, isCdiName } from './gpus.ts';
import { healthcheck } from './health.ts';
import { ulimits } from './limits.ts';
import { mount, tmpfs, volumeFlags } from './mounts.ts';
import { extraHosts } from './network.ts';
import { type Ports, ports } from './ports.ts';
import { bytes, int, limits } from './resources.ts';
import { restartPolicy } from './restart.ts';
import { devices, mode, security, usernsMode } from './security.ts';

interface RequestOptions {
  readonly io: Io;
  readonly detach: boolean;
  readonly config?: ClientConfig;
}

/** `args`: the image and its command. `detach` (-d): nothing is attached. `config`: read already. */
export async function containerRequest(
  flags: FlagValues,
  args: readonly string[],
  options: RequestOptions,
): Promise<ContainerCreate> {
  const published = ports(flags.list('publish'), flags.list('expose'));
  refuseValues(flags);
  const { mode: network, endpoints } = networking(flags);
  return {
    Config: await containerConfig(flags, args, { ...options, published }),
    HostConfig: await hostConfig(flags, options.io, { published, network }),
    NetworkingConfig: { EndpointsConfig: endpoints },
  };
}

async function containerConfig(
  flags: FlagValues,
  args: readonly string[],
  { io, detach, published, config }: RequestOptions & { readonly published: Ports },
): Promise<ContainerConfig> {
  const [Image = '', ...Cmd] = args;
  const attach = flags.list('attach').map((name) => name.toLowerCase());
  const attached = (name: string): boolean =>
    !detach && (attach.length > 0 ? attach.includes(name) : name !== 'stdin' || flags.bool('interactive'));
  const AttachStdin = attached('stdin');
  const OpenStdin = flags.bool('interactive');
  const entrypoint = flags.string('entrypoint');
  const health = healthcheck(flags);
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
    Env: withProxies(await environment(flags, io), config ?? (await clientConfig(io)), io.env),
    Cmd: Cmd.length > 0 ? Cmd : null,
    Image,
    Volumes: volumeFlags(flags.list('volume'), io.cwd).volumes,
    WorkingDir: flags.string('workdir'),
    // `--entrypoint ''` takes the image's away: Docker sends one empty string for it.
    Entrypoint: flags.has('entrypoint') ? [entrypoint] : null,
    Labels: await labels(flags, io),
    ...(health === undefined ? {} : { Healthcheck: health }),
    ...(flags.has('stop-signal') ? { StopSignal: flags.string('stop-signal') } : {}),
    ...(flags.has('stop-timeout') ? { StopTimeout: int(flags, 'stop-timeout') } : {}),
  };
}

async function hostConfig(
  flags: FlagValues,
  io: Io,
  { published, network }: { readonly published: Ports; readonly network: string },
): Promise<HostConfig> {
  const size = flags.bool('tty') ? io.size() : undefined;
  const mounts = flags.list('mount').map((value) => mount(value, io.cwd));
  const log = flags.string('log-driver');
  return {
    ...resources(flags),
    Binds: nullable(volumeFlags(flags.list('volume'), io.cwd).binds),
    ContainerIDFile: flags.string('cidfile'),
    LogConfig: { Type: log, Config: keyValues(flags.list('log-opt')) },
    NetworkMode: network,
    PortBindings: published.bindings,
    RestartPolicy: restartPolicy(flags.string('restart')),
    AutoRemove: flags.bool('rm'),
    ConsoleSize: size === undefined ? [0, 0] : [size.rows, size.columns],
    ...(flags.has('annotation') || flags.has('systemd')
      ? {
          Annotations: {
            ...keyValues(flags.list('annotation')),
            ...(flags.has('systemd') ? { [servicesAnnotation]: flags.string('systemd') } : {}),
          },
        }
      : {}),
    CapAdd: nullable(capabilities(flags.list('cap-add'))),
    CapDrop: nullable(capabilities(flags.list('cap-drop'))),
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
    UsernsMode: usernsMode(flags.string('userns')),
    Links: nullable(flags.list('link')),
    Runtime: flags.string('runtime'),
    Isolation: flags.string('isolation'),
    Privileged: flags.bool('privileged'),
    PublishAllPorts: flags.bool('publish-all'),
    ReadonlyRootfs: flags.bool('read-only'),
    ...(await security(flags.list('security-opt'), io)),
    ...(flags.has('storage-opt') ? { StorageOpt: storageOptions(flags.list('storage-opt')) } : {}),
    ...(flags.has('tmpfs') ? { Tmpfs: tmpfs(flags.list('tmpfs')) } : {}),
    ...(flags.has('sysctl') ? { Sysctls: keyValues(flags.list('sysctl')) } : {}),
    ...(flags.has('init') ? { Init: flags.bool('init') } : {}),
    ...(mounts.length > 0 ? { Mounts: mounts } : {}),
    VolumeDriver: flags.string('volume-driver'),
    VolumesFrom: nullable(flags.list('volumes-from')),
  };
}

type Resources = Partial<HostConfig> &
  Pick<HostConfig, 'OomScoreAdj' | 'ShmSize' | 'Devices' | 'Ulimits'> &
  ReturnType<typeof limits>;

function resources(flags: FlagValues): Resources {
  const swappiness = parseInt64(flags.string('memory-swappiness'));
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    fail('invalid', 'cli.swappiness', `invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  }
  return {
    ...limits(flags),
    ...blockIo(flags),
    OomScoreAdj: int(flags, 'oom-score-adj'),
    ShmSize: bytes(flags, 'shm-size'),
    CgroupParent: flags.string('cgroup-parent'),
    Devices: nullable(devices(flags.list('device').filter((value) => !isCdiName(value)))),
    DeviceCgroupRules: nullable(flags.list('device-cgroup-rule')),
    DeviceRequests: deviceRequests(flags),
    MemorySwappiness: swappiness,
    OomKillDisable: flags.bool('oom-kill-disable'),
    Ulimits: nullable(ulimits(flags.list('ulimit'))),
  };
}

/** As Docker's client sends them: upper case, with `CAP_`, each once, in order. */
function capabilities(names: readonly string[]): readonly string[] {
  const long = names.map((name) => {
    const upper = name.trim().toUpperCase();
    return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  });
  return [...new Set(long)].sort();
}

function storageOptions(values: readonly string[]): Readonly<Record<string, string>> {
  if (values.some((value) => !value.includes('='))) fail('invalid', 'cli.storage_opt', 'invalid storage option');
  return keyValues(values);
}

/** What goes together wrongly, and what only the client could do. */
function refuseValues(flags: FlagValues): void {
  const restart = flags.string('restart');
  if (flags.bool('rm') && restart !== 'no' && restart !== '') {
    fail('invalid', 'cli.conflict', 'conflicting options: cannot specify both --restart and --rm');
  }
  if (flags.string('log-driver') === 'none' && flags.has('log-opt')) {
    fail('invalid', 'cli.log_opt', 'invalid logging opts for driver none');
  }
  const windows = ['cpu-count', 'cpu-percent', 'io-maxbandwidth', 'io-maxiops'].filter((name) => flags.has(name));
  if (windows.length > 0) {
    const only = 'is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux';
    fail('unsupported', 'cli.plain', windows.map((name) => `"--${name}" ${only}`).join('\n'));
  }
  if (flags.has('disable-content-trust') && !flags.bool('disable-content-trust')) {
    fail(
      'unsupported',
      'cli.refused',
      '--disable-content-trust=false is not supported: Docker Content Trust is at its end, and not built',
    );
  }
}

function nullable<T>(values: readonly T[]): readonly T[] | null {
  return values.length === 0 ? null : values;
}
