// From a record to the input of its plan: looks up what the plan depends on (layers, user, files, devices, other
// containers). Shared by start, which carries the plan out, and explain, which prints it.

import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../../base/errors.ts';
import {
  hostnameFile,
  hostsFile,
  hostsFileOfHost,
  resolvFile,
  resolvFileOfEngine,
  resolvFileOfHost,
} from '../../network/hosts.ts';
import type { ContainerInput, PlannedFile } from '../../plan/input.ts';
import type { OciConfig, OciMount, OciNamespace } from '../../spec/oci/runtime.ts';
import type { LayerInfo } from '../../store/store.ts';
import { cdiChanges } from '../cdi/edits.ts';
import { logFilesOf } from '../logging/options.ts';
import { blockIoOf } from './block-io.ts';
import { bundleFile } from './bundle.ts';
import type { Attachment, ContainerPool, ContainersDeps, Live } from './deps.ts';
import { hostDevices, mappedDevices } from './devices.ts';
import { findContainer } from './find.ts';
import { linkHosts, linkVariables, requireLinks } from './links.ts';
import { type Lookup, ociConfig, ownsNetwork } from './oci.ts';
import { type ContainerRecord, gatewayEndpoint, isAlive, pathsOf } from './record.ts';
import { withServices } from './services.ts';
import { type ResolvedUser, requireMapped, resolveUser } from './user.ts';

const fileLimit = 1 << 20;

export interface Prepared {
  readonly input: ContainerInput;
  readonly config: OciConfig;
}

/** `network`: what its networks gave it. `expect`: who must join before it is read from. */
export async function prepare(
  pool: ContainerPool,
  record: ContainerRecord,
  network: Attachment,
  expect: number,
): Promise<Prepared> {
  const { deps } = pool;
  requireLinks(pool, record);
  const paths = pathsOf(deps.paths, record.id);
  const layers = await Promise.all(record.image.layers.map((diffId) => deps.store.layers.info(diffId)));
  const [names, lookup, changes] = await Promise.all([
    deps.layers.mounted(layers),
    lookUp(pool, record, layers),
    cdiChanges(record.hostConfig.DeviceRequests),
  ]);
  const plain = withServices(ociConfig(record, lookup, deps.facts), record, deps.facts.cgroup.version);
  const config = changes?.(plain) ?? plain;
  const mountpoint = path.join(deps.paths.run, 'rootfs');
  const files = filesOf(pool, { ...record, connections: network.connections });
  return {
    config,
    input: {
      config,
      facts: deps.facts,
      root: {
        layersDir: deps.layers.directory,
        // the top one first; at the bottom the mount points that every container needs, so that none is made in its layer
        layers: [...[...names].reverse(), 'init'],
        upper: paths.upper,
        work: paths.work,
        mountpoint,
        volatile: record.hostConfig.AutoRemove,
      },
      files: config.hooks ? [...files, bundleFile(paths.data, config, mountpoint)] : files,
      subject: { id: record.id, bundle: paths.data },
      runDirectory: paths.run,
      dataDirectory: paths.data,
      keeper: {
        title: `hoist-keeper ${record.id.slice(0, 12)}`,
        socket: paths.socket,
        log: {
          path: record.hostConfig.LogConfig.Type === 'none' ? '' : paths.log,
          ...logFilesOf(record.hostConfig.LogConfig),
        },
        exitPath: paths.exit,
        stdin: record.config.OpenStdin,
        stdinOnce: record.config.StdinOnce,
        expect,
      },
      network: network.ops,
      init: record.hostConfig.Init ?? false,
      sourceKind: (mount) => kindOf(pool, record, mount),
      compileSeccomp: deps.compileSeccomp,
    },
  };
}

/** Volumes and images are directories, also where they are not made yet (explain); a part of one may be a file. */
function kindOf(
  { deps }: ContainerPool,
  { mounts }: ContainerRecord,
  { source, subpath }: OciMount,
): 'directory' | 'file' {
  const own = mounts.some(({ Type, Source }) => Type !== 'bind' && Source === source);
  if (!own) return sourceKind(source);
  if (subpath === undefined) return 'directory';
  // as the executor sees it; whatever a symlink there leads to, only the kind of mount point depends on it
  const seen = `/proc/${deps.executor().pid}/root${source}/${subpath}`;
  return existsSync(seen) ? sourceKind(seen) : 'directory';
}

function sourceKind(source: string): 'directory' | 'file' {
  try {
    return statSync(source).isDirectory() ? 'directory' : 'file';
  } catch {
    return 'file'; // the plan's own open says what is wrong with it
  }
}

async function lookUp(pool: ContainerPool, record: ContainerRecord, layers: readonly LayerInfo[]): Promise<Lookup> {
  const { hostConfig: host } = record;
  const paths = pathsOf(pool.deps.paths, record.id);
  const asked = await mappedDevices(host.Devices ?? []);
  return {
    user: userOf(pool.deps, record, layers, record.config.User),
    files: { hosts: paths.hosts, hostname: paths.hostname, resolvConf: paths.resolvConf },
    devices: host.Privileged ? [...hostDevices(), ...asked.devices] : asked.devices,
    deviceRules: asked.rules,
    ...blockIoOf(host),
    joined: joinedNamespaces(pool, record),
    linked: linkVariables(pool, record),
  };
}

/** Looks a user up as the container will see its passwd and group: a mount over the file, the writable layer, the image. */
export function userOf(
  deps: ContainersDeps,
  record: ContainerRecord,
  layers: readonly LayerInfo[],
  user: string,
): ResolvedUser {
  const found = resolveUser(
    user,
    record.hostConfig.GroupAdd ?? [],
    fileOf(deps, record, layers, 'etc/passwd'),
    fileOf(deps, record, layers, 'etc/group'),
  );
  requireMapped(found, deps.facts);
  return found;
}

function fileOf(deps: ContainersDeps, record: ContainerRecord, layers: readonly LayerInfo[], name: string): string {
  const mount = record.mounts.find(({ Destination }) => Destination === `/${name}` || Destination === '/etc');
  const changed = mount
    ? mount.Destination === '/etc'
      ? path.join(mount.Source, path.basename(name))
      : mount.Source
    : path.join(pathsOf(deps.paths, record.id).upper, name);
  if (mount && mount.Source === '') return '';
  const own = readPlainFile(changed);
  if (own !== undefined) return own;
  if (mount) return '';
  for (const layer of [...layers].reverse()) {
    const text = layer.files[name];
    if (text === null) return '';
    if (text !== undefined) return text;
  }
  return '';
}

/**
 * A regular file of sensible size, and no symlink on the way: a container that runs can change its layer under our eyes,
 * and must not make the engine read something else. Each step is taken from what is open already.
 */
function readPlainFile(file: string): string | undefined {
  const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  let parent: number | undefined;
  let opened: number | undefined;
  try {
    parent = openSync(path.dirname(file), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    opened = openSync(`/proc/self/fd/${parent}/${path.basename(file)}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fstatSync(opened);
    return stats.isFile() && stats.size <= fileLimit ? readFileSync(opened, 'utf8') : undefined;
  } catch {
    return undefined; // not there, or not what it should be: the layer below decides
  } finally {
    if (opened !== undefined) closeSync(opened);
    if (parent !== undefined) closeSync(parent);
  }
}

function joinedNamespaces(pool: ContainerPool, { hostConfig: host }: ContainerRecord): Lookup['joined'] {
  const joined: Partial<Record<OciNamespace['type'], string>> = {};
  const share = (type: 'pid' | 'network' | 'ipc', mode: string): void => {
    if (!mode.startsWith('container:')) return;
    const other = runningPeer(pool, mode.slice('container:'.length));
    const file = { pid: 'pid', network: 'net', ipc: 'ipc' }[type];
    joined[type] = `/proc/${other.record.state.pid}/ns/${file}`;
  };
  share('pid', host.PidMode);
  share('network', host.NetworkMode);
  share('ipc', host.IpcMode);
  return joined;
}

function runningPeer(pool: ContainerPool, ref: string): Live {
  const other = findContainer(pool, ref);
  if (!isAlive(other.record.state)) {
    fail(
      'conflict',
      'container.not_running',
      `cannot join network namespace of a non running container: ${other.record.id}`,
      { hint: `start it first: hoist start ${other.record.name}` },
    );
  }
  return other;
}

/** hosts, hostname and resolv.conf, as the plan writes them beside the container. */
export function filesOf(pool: ContainerPool, record: ContainerRecord): readonly PlannedFile[] {
  const { deps } = pool;
  const paths = pathsOf(deps.paths, record.id);
  const { hostConfig: host, config, connections } = record;
  const own = ownsNetwork(host);
  const shared = host.NetworkMode.startsWith('container:')
    ? pathsOf(deps.paths, runningPeer(pool, host.NetworkMode.slice(10)).record.id)
    : undefined;
  const hostHosts = own ? '' : readText(shared?.hosts ?? '/etc/hosts');
  const hostResolv = readText(shared?.resolvConf ?? '/etc/resolv.conf');
  const dns = { host: hostResolv, dns: host.Dns, search: host.DnsSearch, options: host.DnsOptions };
  const hosts = own
    ? hostsFile({
        addresses: connections.flatMap(({ endpoint }) => (endpoint?.address ? [endpoint.address] : [])),
        hostname: config.Hostname,
        domainname: config.Domainname,
        extraHosts: host.ExtraHosts ?? [],
        links: linkHosts(pool, record) ?? [],
        hostGateway: (gatewayEndpoint(record) ?? connections.find(({ endpoint }) => endpoint?.host)?.endpoint)?.host,
      })
    : shared
      ? hostHosts
      : hostsFileOfHost(hostHosts, host.ExtraHosts ?? []);
  const resolved = hostResolv.includes('127.0.0.53') ? readText('/run/systemd/resolve/resolv.conf') : undefined;
  const forwarder = deps.facts.userNamespace?.network === undefined ? undefined : pastaForwarder;
  const resolv = !own
    ? shared
      ? hostResolv
      : resolvFileOfHost(dns)
    : deps.network.isNamed(record)
      ? resolvFileOfEngine(dns)
      : resolvFile({ ...dns, resolved, ipv6: false, forwarder });
  return [
    { path: paths.hosts, text: hosts },
    { path: paths.hostname, text: hostnameFile(config.Hostname) },
    { path: paths.resolvConf, text: resolv },
  ];
}

/** native/user.c tells pasta this address. */
const pastaForwarder = '169.254.1.1';

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
