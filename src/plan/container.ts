// (OCI configuration, host facts) -> the plan of a container: pure, so it can be printed, compared and tested without root.
// Read top to bottom it is the life of a container; the order of the child's last steps follows what each one takes away
// from the process (see the comments at the lines).

import type { OciConfig, OciNamespace, OciProcess } from '../spec/oci/runtime.ts';
import { capabilityMask } from './capabilities.ts';
import { cgroupOps } from './cgroup.ts';
import type { HostFacts } from './facts.ts';
import { maskOps, mountOps, placeOps, readonlyOps } from './mounts.ts';
import { k, type Op, op, type Plan, type Slot, stage } from './ops.ts';
import { parseRlimit } from './rlimits.ts';

/** The root file system: read-only layers below a writable directory, joined by overlayfs. */
export interface OverlayRoot {
  /** Directory that the layer names are relative to: overlayfs takes 4 KiB of options at most. */
  readonly layersDir: string;
  /** Top layer first. */
  readonly layers: readonly string[];
  readonly upper: string;
  readonly work: string;
  /** An empty directory; the root is mounted there, in the child's own mount namespace. */
  readonly mountpoint: string;
  /** No sync when it is unmounted: for containers that are removed at their end. */
  readonly volatile: boolean;
}

/** What a network adds to a plan (src/network): in the keeper right after clone, in the child, and at the end. */
export interface NetworkOps {
  readonly before: readonly Op[];
  readonly setup: readonly Op[];
  readonly child: readonly Op[];
  readonly cleanup: readonly Op[];
}

export interface KeeperOptions {
  /** Shown in ps. */
  readonly title: string;
  readonly socket: string;
  /** '' for no log. */
  readonly log: { readonly path: string; readonly maxSize: number; readonly maxFiles: number };
  readonly exitPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  /** How many must have joined before the process is read from: the engine, and a terminal in the foreground. */
  readonly expect: number;
}

/** A small file that the keeper writes beside the container before it starts. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
}

export interface ContainerInput {
  readonly config: OciConfig;
  readonly facts: HostFacts;
  readonly root: OverlayRoot;
  readonly keeper: KeeperOptions;
  /** Holds the keeper's socket; made where a reboot took it away. */
  readonly runDirectory: string;
  /** hosts, hostname, resolv.conf: mounted from where they are written. */
  readonly files: readonly PlannedFile[];
  readonly network: NetworkOps;
  /** A reaping pid 1 in front of the process. */
  readonly init: boolean;
  /** What the source of each bind mount is (src/sys looked). */
  readonly sourceKind: (source: string) => 'directory' | 'file';
  readonly compileSeccomp: (profile: NonNullable<OciConfig['linux']['seccomp']>) => Uint8Array;
}

const root: Slot = 'root';

export function containerPlan(input: ContainerInput): Plan {
  const { config, facts, keeper, network } = input;
  const cgroup = cgroupOps(config.linux.cgroupsPath, config.linux.resources, facts);
  const namespaces = splitNamespaces(config.linux.namespaces);
  const streams = streamOps(config.process.terminal, keeper.stdin);
  return {
    setup: [
      op('title', { name: keeper.title }, 'what ps shows for the keeper'),
      op(
        'mkdir',
        { path: input.runDirectory, mode: 0o700 },
        'its place in the run root, which a reboot empties',
        k.EEXIST,
      ),
      op('listen', { path: keeper.socket, mode: 0o600, out: 'listen' }, 'where terminals and the engine join'),
      op('report', { stage: stage.attachable }, 'they may join from now on'),
      ...placeFilesOps(input),
      ...cgroup.setup,
      ...network.before,
      ...streams.setup,
      ...namespaces.open,
      op(
        'clone',
        { flags: namespaces.flags, cgroup: undefined, pidfd: 'pidfd' },
        `the new process, in namespaces of its own: ${namespaces.names}`,
      ),
      ...streams.forget,
      ...network.setup,
      op('signal', {}, 'its network is there'),
      ...streams.receive,
      op('awaitExec', {}, 'it runs the program, or says why not'),
      op('report', { stage: stage.running }, 'started'),
      keepOp(keeper, streams, cgroup.oomPath),
    ],
    child: [
      op('prctl', { option: k.PR_SET_PDEATHSIG, a: k.SIGKILL, b: 0 }, 'it never outlives its keeper'),
      ...cgroup.join,
      ...namespaces.join,
      ...rootOps(input),
      ...filesystemOps(input),
      ...streams.open,
      op('pivotRoot', { root }, 'from here on / is the container; the host is out of reach'),
      op('await', {}, 'for the network'),
      ...network.child,
      ...identityOps(config),
      ...processOps(config.process, streams, input),
    ],
    cleanup: [
      ...network.cleanup,
      ...cgroup.cleanup,
      op('unlink', { path: keeper.socket }, 'nobody can join any more', k.ENOENT),
    ],
  };
}

/** The writable layer, the files that are mounted, and no exit record of an earlier start. */
function placeFilesOps({ root: overlay, files, keeper }: ContainerInput): Op[] {
  return [
    op('mkdir', { path: overlay.upper, mode: 0o755 }, 'the writable layer', k.EEXIST),
    // a volatile overlay refuses a work directory that was used before
    op('removeTree', { path: overlay.work }, "overlayfs's work directory of an earlier start"),
    op('mkdir', { path: overlay.work, mode: 0o700 }, "overlayfs's work directory"),
    ...files.map(({ path, text }) =>
      op(
        'writeFile',
        { dir: undefined, path, data: Buffer.from(text), flags: k.O_WRONLY | k.O_CREAT | k.O_TRUNC, mode: 0o644 },
        `will be mounted as /etc/${path.slice(path.lastIndexOf('/') + 1)}`,
      ),
    ),
    op('unlink', { path: keeper.exitPath }, 'the exit record of an earlier start', k.ENOENT),
  ];
}

interface Namespaces {
  readonly flags: number;
  readonly names: string;
  readonly open: readonly Op[];
  readonly join: readonly Op[];
}

const cloneFlags: Readonly<Record<OciNamespace['type'], number>> = {
  mount: k.CLONE_NEWNS,
  pid: k.CLONE_NEWPID,
  network: k.CLONE_NEWNET,
  ipc: k.CLONE_NEWIPC,
  uts: k.CLONE_NEWUTS,
  cgroup: k.CLONE_NEWCGROUP,
  user: k.CLONE_NEWUSER,
};

function splitNamespaces(all: readonly OciNamespace[]): Namespaces {
  const fresh = all.filter((one) => one.path === undefined);
  const joined = all.filter((one): one is Required<OciNamespace> => one.path !== undefined);
  // A cgroup namespace is rooted where the process is when it is made: after the cgroups were joined, so not in clone.
  const cloned = fresh.filter((one) => one.type !== 'cgroup');
  const slot = (one: OciNamespace): Slot => `ns:${one.type}`;
  return {
    flags: cloned.reduce((flags, one) => flags | cloneFlags[one.type], 0) >>> 0,
    names: fresh.map((one) => one.type).join(', '),
    open: joined.flatMap((one) => [
      op(
        'open',
        { dir: undefined, path: one.path, flags: k.O_RDONLY, mode: 0, resolve: 0, out: slot(one) },
        `the ${one.type} namespace to share`,
      ),
      // a pid namespace is entered by children alone
      ...(one.type === 'pid'
        ? [op('setns', { slot: slot(one), flags: k.CLONE_NEWPID }, 'children are born in that pid namespace')]
        : []),
    ]),
    join: [
      ...joined
        .filter((one) => one.type !== 'pid')
        .map((one) =>
          op('setns', { slot: slot(one), flags: cloneFlags[one.type] }, `shares the ${one.type} namespace`),
        ),
      ...fresh
        .filter((one) => one.type === 'cgroup')
        .map(() => op('unshare', { flags: k.CLONE_NEWCGROUP }, 'its own cgroups look like the root of all')),
    ],
  };
}

export interface Streams {
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** keeper, before clone */
  readonly setup: readonly Op[];
  /** keeper, after clone: lets go of the process's ends, so that it sees the end when the process closes them */
  readonly forget: readonly Op[];
  readonly receive: readonly Op[];
  /** child, before the root is entered */
  readonly open: readonly Op[];
}

/** How the process's stdin, stdout and stderr reach its keeper: three pipes, or one pty of the container's own. */
export function streamOps(terminal: boolean, stdin: boolean, ptmxRoot: Slot = root, console = true): Streams {
  if (!terminal) {
    return {
      terminal,
      stdin,
      setup: [
        ...(stdin ? [op('pipe', { capacity: 1 << 20, read: 'stdin.child', write: 'stdin' }, 'stdin')] : []),
        op('pipe', { capacity: 1 << 20, read: 'stdout', write: 'stdout.child' }, 'stdout'),
        op('pipe', { capacity: 0, read: 'stderr', write: 'stderr.child' }, 'stderr'),
      ],
      forget: ['stdin.child', 'stdout.child', 'stderr.child']
        .filter((name) => stdin || name !== 'stdin.child')
        .map((slot) => op('close', { slot }, "the process's end of the pipe")),
      receive: [],
      open: [],
    };
  }
  return {
    terminal,
    stdin,
    setup: [],
    forget: [],
    receive: [op('recvFd', { out: 'pty' }, "the terminal's master")],
    open: [
      op(
        'open',
        {
          dir: ptmxRoot,
          path: 'dev/pts/ptmx',
          flags: k.O_RDWR | k.O_NOCTTY,
          mode: 0,
          resolve: k.RESOLVE_IN_ROOT,
          out: 'pty',
        },
        "a terminal of the container's own devpts",
      ),
      op('openPty', { ptmx: 'pty', rows: 0, columns: 0, out: 'tty' }, 'its other side, for the process'),
      op('sendFd', { slot: 'pty' }, 'the master goes to the keeper'),
      ...(console
        ? [
            op(
              'openTree',
              { dir: 'tty', path: '', flags: k.OPEN_TREE_CLONE | k.AT_EMPTY_PATH, out: 'console' },
              'the terminal again …',
            ),
            ...placeOps('console', ptmxRoot, '/dev/console', 'file', '… as /dev/console'),
          ]
        : []),
    ],
  };
}

function keepOp(keeper: KeeperOptions, streams: Streams, oomPath: string): Op {
  return op(
    'keep',
    {
      listen: 'listen',
      in: streams.stdin && !streams.terminal ? 'stdin' : undefined,
      out: streams.terminal ? undefined : 'stdout',
      err: streams.terminal ? undefined : 'stderr',
      tty: streams.terminal ? 'pty' : undefined,
      log: keeper.log.path,
      logMax: keeper.log.maxSize,
      logFiles: keeper.log.maxFiles,
      exitPath: keeper.exitPath,
      oomPath,
      flags: keeper.stdinOnce ? 1 : 0,
      expect: keeper.expect,
    },
    'stays with the process: its streams, its log, its exit record',
  );
}

/** Escapes what overlayfs reads as a separator in a path. */
function overlayPath(path: string): string {
  return path.replace(/[\\:,]/g, '\\$&');
}

function rootOps({ root: overlay, config }: ContainerInput): Op[] {
  const data = [
    `lowerdir=${overlay.layers.map(overlayPath).join(':')}`,
    `upperdir=${overlayPath(overlay.upper)}`,
    `workdir=${overlayPath(overlay.work)}`,
    ...(overlay.volatile ? ['volatile'] : []),
  ].join(',');
  return [
    op(
      'mountAttr',
      { mount: undefined, path: '/', set: 0, clear: 0, propagation: rootPropagation(config), recursive: 1 },
      'no mount made here reaches the host',
    ),
    op(
      'chdir',
      { path: overlay.layersDir },
      'layer names are relative to it: the options of an overlay must fit in a page',
    ),
    op(
      'mountClassic',
      { source: 'overlay', target: overlay.mountpoint, fstype: 'overlay', flags: 0, data },
      `the image's ${overlay.layers.length} layer(s), read-only, below a writable one`,
    ),
    op(
      'open',
      { dir: undefined, path: overlay.mountpoint, flags: k.O_PATH, mode: 0, resolve: 0, out: root },
      'the root of the container to be',
    ),
  ];
}

function rootPropagation(config: OciConfig): number {
  // a shared root would let mounts out: slave is the most that a container gets
  return config.linux.rootfsPropagation.endsWith('private') ? k.MS_PRIVATE : k.MS_SLAVE;
}

function filesystemOps({ config, facts, sourceKind }: ContainerInput): Op[] {
  const { linux, mounts } = config;
  const known = (path: string): boolean => !/^\/(proc|sys)\//.test(path) || facts.pseudoFiles.has(path);
  // A cgroup file system's content depends on where the controllers are.
  const mounted = mounts.flatMap((mount, index) => {
    const from = `OCI mounts[${index}] ${mount.destination}`;
    if (mount.type === 'cgroup')
      return cgroupMountOps(mount.destination, mount.options.includes('ro'), config, facts, from);
    return mountOps(mount, root, mount.type === 'bind' ? sourceKind(mount.source) : 'directory', from);
  });
  return [
    ...mounted,
    ...deviceDirectories(linux.devices),
    ...linux.devices.flatMap((device, index) => [
      op(
        'mknod',
        {
          root,
          path: device.path.slice(1),
          mode: { c: 0o020000, b: 0o060000, p: 0o010000 }[device.type] | device.fileMode,
          major: device.major,
          minor: device.minor,
        },
        `OCI linux.devices[${index}] ${device.path}`,
        k.EEXIST,
      ),
      ...(device.uid || device.gid
        ? [
            op(
              'open',
              {
                dir: root,
                path: device.path.slice(1),
                flags: k.O_PATH,
                mode: 0,
                resolve: k.RESOLVE_IN_ROOT,
                out: 'device',
              },
              `the owner of ${device.path}`,
            ),
            op('chown', { slot: 'device', uid: device.uid, gid: device.gid }, `the owner of ${device.path}`),
          ]
        : []),
    ]),
    ...devLinks(mounts.some((mount) => mount.destination === '/dev' && mount.type === 'tmpfs')),
    ...Object.entries(linux.sysctl).map(([name, value]) =>
      op(
        'writeFile',
        {
          dir: undefined,
          path: `/proc/sys/${name.replaceAll('.', '/')}`,
          data: Buffer.from(value),
          flags: k.O_WRONLY,
          mode: 0,
        },
        `--sysctl ${name}, while /proc/sys can be written`,
      ),
    ),
    op(
      'ensure',
      { root, path: config.process.cwd.replace(/^\/+/, '') || '.', kind: 0, mode: 0o755, uid: 0, gid: 0, out: 'cwd' },
      'the working directory, made where the image lacks it',
    ),
    ...readonlyOps(root, linux.readonlyPaths.filter(known)),
    ...maskOps(root, linux.maskedPaths.filter(known), (path) => facts.pseudoFiles.has(`${path}/`)),
    ...(config.root.readonly
      ? [
          op(
            'mountAttr',
            { mount: root, path: '', set: k.MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, recursive: 0 },
            '--read-only',
          ),
        ]
      : []),
  ];
}

/** `/dev/snd` for `/dev/snd/timer`: parents before their children. */
function deviceDirectories(devices: OciConfig['linux']['devices']): Op[] {
  const parents = new Set(
    devices.map(({ path }) => path.slice(1, path.lastIndexOf('/'))).filter((dir) => dir !== 'dev'),
  );
  return [...parents].map((dir) =>
    op(
      'ensure',
      { root, path: dir, kind: 0, mode: 0o755, uid: 0, gid: 0, out: 'devices' },
      `a directory of devices: /${dir}`,
    ),
  );
}

/** Links that programs expect in /dev (runtime-spec config-linux.md, "Default Devices" and what every runtime adds). */
function devLinks(own: boolean): Op[] {
  if (!own) return [];
  const links = [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
    ['ptmx', 'pts/ptmx'],
    ['core', '/proc/kcore'],
  ] as const;
  return links.map(([name, target]) =>
    op('symlink', { root, target, path: `dev/${name}` }, 'a link that programs expect', k.EEXIST),
  );
}

/** v1: the container's own group of each controller, bound below a tmpfs; v2: a view of the tree from its namespace. */
function cgroupMountOps(
  destination: string,
  readonly: boolean,
  config: OciConfig,
  facts: HostFacts,
  from: string,
): Op[] {
  const attrs = k.MOUNT_ATTR_NOSUID | k.MOUNT_ATTR_NODEV | k.MOUNT_ATTR_NOEXEC | (readonly ? k.MOUNT_ATTR_RDONLY : 0);
  if (facts.cgroup.version === 2) {
    return [
      op(
        'fsmount',
        { fstype: 'cgroup2', source: undefined, options: ['source=cgroup'], attrs, out: 'cgroup2' },
        `${from}: seen from its own cgroup namespace`,
      ),
      ...placeOps('cgroup2', root, destination, 'directory', from),
    ];
  }
  const groups = cgroupOps(config.linux.cgroupsPath, config.linux.resources, facts).paths;
  return [
    op(
      'fsmount',
      {
        fstype: 'tmpfs',
        source: undefined,
        options: ['source=tmpfs', 'mode=755', 'size=64k'],
        attrs: attrs & ~k.MOUNT_ATTR_RDONLY,
        out: 'cgroups',
      },
      `${from}: a place for the controllers`,
    ),
    ...placeOps('cgroups', root, destination, 'directory', from),
    ...Object.entries(groups).flatMap(([controller, dir]) => [
      op(
        'openTree',
        { dir: undefined, path: dir, flags: k.OPEN_TREE_CLONE, out: 'group' },
        `${from}: its own ${controller} cgroup`,
      ),
      op(
        'mountAttr',
        { mount: 'group', path: '', set: attrs, clear: 0, propagation: k.MS_PRIVATE, recursive: 0 },
        `${from}: ${readonly ? 'read-only' : 'writable'}`,
      ),
      ...placeOps('group', root, `${destination}/${controller}`, 'directory', from),
    ]),
  ];
}

function identityOps(config: OciConfig): Op[] {
  return [
    ...(config.hostname ? [op('hostname', { name: config.hostname }, '--hostname')] : []),
    ...(config.domainname ? [op('domainname', { name: config.domainname }, '--domainname')] : []),
  ];
}

/** The last steps of the process, common to run and exec. */
export function processOps(
  process: OciProcess,
  streams: Streams,
  input: Pick<ContainerInput, 'config' | 'compileSeccomp' | 'init'>,
): Op[] {
  const { user, capabilities } = process;
  const profile = input.config.linux.seccomp;
  const seccomp = profile
    ? [op('seccomp', { filter: input.compileSeccomp(profile), flags: 0 }, 'which system calls it may make')]
    : [];
  const path = process.env.find((entry) => entry.startsWith('PATH='))?.slice(5) ?? '';
  const command = process.args[0] ?? '';
  return [
    op(
      'session',
      { tty: streams.terminal ? 'tty' : undefined },
      streams.terminal ? 'a session with the terminal as its own' : 'a session of its own',
    ),
    streams.terminal
      ? op('stdio', { in: 'tty', out: 'tty', err: 'tty' }, 'the terminal as stdin, stdout and stderr')
      : op(
          'stdio',
          { in: streams.stdin ? 'stdin.child' : undefined, out: 'stdout.child', err: 'stderr.child' },
          'the pipes as stdin, stdout and stderr',
        ),
    ...process.rlimits.map((limit) =>
      op(
        'rlimit',
        {
          resource: parseRlimit(limit.type),
          soft: limit.soft < 0 ? 0xffffffffffffffffn : limit.soft,
          hard: limit.hard < 0 ? 0xffffffffffffffffn : limit.hard,
        },
        `--ulimit ${limit.type}`,
      ),
    ),
    ...(process.oomScoreAdj === undefined
      ? []
      : [
          op(
            'writeFile',
            {
              dir: undefined,
              path: '/proc/self/oom_score_adj',
              data: Buffer.from(String(process.oomScoreAdj)),
              flags: k.O_WRONLY,
              mode: 0,
            },
            '--oom-score-adj',
          ),
        ]),
    // Installing a filter needs CAP_SYS_ADMIN unless no-new-privileges is set: before the capabilities go, or after it.
    ...(process.noNewPrivileges ? [] : seccomp),
    op('ids', { uid: user.uid, gid: user.gid, groups: groupBytes(user.additionalGids) }, 'its user and groups'),
    op(
      'capabilities',
      {
        effective: capabilityMask(capabilities.effective),
        permitted: capabilityMask(capabilities.permitted),
        inheritable: capabilityMask(capabilities.inheritable),
        bounding: capabilityMask(capabilities.bounding),
        ambient: capabilityMask(capabilities.ambient),
      },
      'what is left of the power of root',
    ),
    ...(process.noNewPrivileges
      ? [
          op('prctl', { option: k.PR_SET_NO_NEW_PRIVS, a: 1, b: 0 }, 'no program gains privileges by being set-uid'),
          ...seccomp,
        ]
      : []),
    op('umask', { mode: user.umask ?? 0o022 }, 'the usual umask'),
    // changing the user clears it, prctl(2)
    op('prctl', { option: k.PR_SET_PDEATHSIG, a: k.SIGKILL, b: 0 }, 'it never outlives its keeper'),
    op('chdir', { path: process.cwd }, 'the working directory, as that user may enter it'),
    ...(input.init ? [op('init', {}, '--init: a pid 1 that reaps orphans and passes signals on')] : []),
    op('exec', { paths: candidates(command, path), argv: process.args, env: process.env }, 'the program'),
  ];
}

/** Where execvp(3) would look. A relative directory in PATH is honoured as the shell does. */
export function candidates(command: string, path: string): string[] {
  if (command.includes('/')) return [command];
  return path.split(':').map((dir) => `${dir || '.'}/${command}`);
}

function groupBytes(groups: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(groups.length * 4);
  groups.forEach((gid, index) => {
    bytes.writeUInt32LE(gid, index * 4);
  });
  return bytes;
}
