// Made by tools/gen-ops.mjs from native/ops.def. Do not edit.

/** An open file descriptor of the plan, by its name; the encoder numbers them. */
export type Slot = string;
/** Puts the number of a slot's fd (or the child's pid, slot `@child`) into a netlink message at a byte offset. */
export interface Patch {
  readonly offset: number;
  readonly slot: Slot;
}

export interface OpFields {
  /** openat2(2) below dir (none: the working directory) */
  readonly open: { readonly dir: Slot | undefined; readonly path: string; readonly flags: number; readonly mode: number; readonly resolve: number; readonly out: Slot };
  /** close(2) */
  readonly close: { readonly slot: Slot | undefined };
  /** mkdir(2) on the host side */
  readonly mkdir: { readonly path: string; readonly mode: number };
  /** opens path (O_PATH) inside root, making what is missing: kind 0 a directory, 1 an empty file; owner of what is made */
  readonly ensure: { readonly root: Slot | undefined; readonly path: string; readonly kind: number; readonly mode: number; readonly uid: number; readonly gid: number; readonly out: Slot };
  /** symlinkat(2), the parent resolved inside root */
  readonly symlink: { readonly root: Slot | undefined; readonly target: string; readonly path: string };
  /** mknodat(2), the parent resolved inside root */
  readonly mknod: { readonly root: Slot | undefined; readonly path: string; readonly mode: number; readonly major: number; readonly minor: number };
  /** fsopen, fsconfig for each option (`key=value` or a flag), fsmount: a detached mount; the source an open file or device where there is one */
  readonly fsmount: { readonly fstype: string; readonly source: Slot | undefined; readonly options: readonly string[]; readonly attrs: number; readonly out: Slot };
  /** open_tree(2): a detached copy of a mount (or a handle, without OPEN_TREE_CLONE) */
  readonly openTree: { readonly dir: Slot | undefined; readonly path: string; readonly flags: number; readonly out: Slot };
  /** mount_setattr(2) on a mount fd, or on path where there is none */
  readonly mountAttr: { readonly mount: Slot | undefined; readonly path: string; readonly set: number | bigint; readonly clear: number | bigint; readonly propagation: number | bigint; readonly recursive: number };
  /** move_mount(2) of a detached mount onto an open place */
  readonly moveMount: { readonly from: Slot | undefined; readonly to: Slot | undefined };
  /** fchdir, pivot_root(".", "."), umount of the old root, chdir("/") */
  readonly pivotRoot: { readonly root: Slot | undefined };
  /** umount2(2) */
  readonly umount: { readonly path: string; readonly flags: number };
  /** open, write once, close */
  readonly writeFile: { readonly dir: Slot | undefined; readonly path: string; readonly data: Uint8Array; readonly flags: number; readonly mode: number };
  /** write(2) once */
  readonly write: { readonly slot: Slot | undefined; readonly data: Uint8Array };
  /** rmdir(2), again for a short while when the kernel says EBUSY; a cgroup with those below it */
  readonly rmdir: { readonly path: string };
  /** unlink(2) */
  readonly unlink: { readonly path: string };
  /** pipe2(O_CLOEXEC), F_SETPIPE_SZ where capacity is not 0 */
  readonly pipe: { readonly capacity: number; readonly read: Slot; readonly write: Slot };
  /** clone3(2): the child runs the child section; a socket pair joins both */
  readonly clone: { readonly flags: number | bigint; readonly cgroup: Slot | undefined; readonly pidfd: Slot };
  /** setns(2) by namespace fd or pidfd */
  readonly setns: { readonly slot: Slot | undefined; readonly flags: number };
  /** unshare(2) */
  readonly unshare: { readonly flags: number };
  /** sethostname(2) */
  readonly hostname: { readonly name: string };
  /** setdomainname(2) */
  readonly domainname: { readonly name: string };
  /** sends messages, waits for the acks, returns answers; a patch puts a slot's fd (0xffff: the child's pid) into the bytes */
  readonly netlink: { readonly protocol: number; readonly data: Uint8Array; readonly acks: number; readonly patches: readonly Patch[] };
  /** prlimit(2) on itself */
  readonly rlimit: { readonly resource: number; readonly soft: number | bigint; readonly hard: number | bigint };
  /** drops the bounding set, then capset(2), then the ambient set */
  readonly capabilities: { readonly effective: number | bigint; readonly permitted: number | bigint; readonly inheritable: number | bigint; readonly bounding: number | bigint; readonly ambient: number | bigint };
  /** setgroups, setresgid, setresuid, keeping capabilities */
  readonly ids: { readonly uid: number; readonly gid: number; readonly groups: Uint8Array };
  /** prctl(2) */
  readonly prctl: { readonly option: number; readonly a: number | bigint; readonly b: number | bigint };
  /** seccomp(2) SECCOMP_SET_MODE_FILTER */
  readonly seccomp: { readonly filter: Uint8Array; readonly flags: number };
  /** umask(2) */
  readonly umask: { readonly mode: number };
  /** chdir(2) */
  readonly chdir: { readonly path: string };
  /** setsid(2), and the terminal made the controlling one where there is one */
  readonly session: { readonly tty: Slot | undefined };
  /** dup2 to 0, 1, 2 (none: /dev/null) */
  readonly stdio: { readonly in: Slot | undefined; readonly out: Slot | undefined; readonly err: Slot | undefined };
  /** lets the other side's await go on */
  readonly signal: {};
  /** waits for the other side's signal, or its failure */
  readonly await: {};
  /** passes an fd to the other side */
  readonly sendFd: { readonly slot: Slot | undefined };
  /** takes an fd from the other side */
  readonly recvFd: { readonly out: Slot };
  /** closes every other fd at exec, execve of the first path that exists */
  readonly exec: { readonly paths: readonly string[]; readonly argv: readonly string[]; readonly env: readonly string[] };
  /** waits until the child has execve'd, or its failure */
  readonly awaitExec: {};
  /** tells the engine how far it is (and the child's pid) */
  readonly report: { readonly stage: number };
  /** connects to a listening unix stream socket */
  readonly connect: { readonly path: string; readonly out: Slot };
  /** says over a connection which op comes next, and waits for leave to go on */
  readonly step: { readonly slot: Slot | undefined; readonly section: number; readonly index: number };
  /** stays: streams, log, exit record (native/keeper.c) */
  readonly keep: { readonly listen: Slot | undefined; readonly in: Slot | undefined; readonly out: Slot | undefined; readonly err: Slot | undefined; readonly tty: Slot | undefined; readonly log: string; readonly logMax: number | bigint; readonly logFiles: number; readonly exitPath: string; readonly oomPath: string; readonly flags: number; readonly expect: number };
  /** a listening unix stream socket */
  readonly listen: { readonly path: string; readonly mode: number; readonly out: Slot };
  /** reserves a host port: bind(2) without listen; reuse: SO_REUSEADDR, for one that will listen */
  readonly bindPort: { readonly family: number; readonly type: number; readonly address: Uint8Array; readonly port: number; readonly reuse: number; readonly out: Slot };
  /** fchownat(AT_EMPTY_PATH) */
  readonly chown: { readonly slot: Slot | undefined; readonly uid: number; readonly gid: number };
  /** the name in ps */
  readonly title: { readonly name: string };
  /** pidfd_open(2) */
  readonly pidfd: { readonly pid: number; readonly out: Slot };
  /** SIGKILL to every process of a cgroup and of those below it, until it is empty */
  readonly cgroupKill: { readonly path: string };
  /** unlocks a pty master, sets its size, opens the peer */
  readonly openPty: { readonly ptmx: Slot | undefined; readonly rows: number; readonly columns: number; readonly out: Slot };
  /** becomes a reaping, signal-forwarding pid 1; its child goes on with the plan */
  readonly init: {};
  /** mount(2) */
  readonly mountClassic: { readonly source: string; readonly target: string; readonly fstype: string; readonly flags: number | bigint; readonly data: string };
  /** setxattr on a file inside root (not following a last symlink) */
  readonly setxattr: { readonly root: Slot | undefined; readonly path: string; readonly name: string; readonly value: Uint8Array };
  /** a free loop device over an open file, read-only, gone with its last user */
  readonly loop: { readonly file: Slot | undefined; readonly out: Slot };
  /** opens (makes) a file and takes its flock(2), or EWOULDBLOCK */
  readonly lock: { readonly path: string; readonly out: Slot };
  /** keeps a slot's fd open for the life of the process, past the plan */
  readonly hold: { readonly slot: Slot | undefined };
  /** loads a BPF_PROG_TYPE_CGROUP_DEVICE program and attaches it to a v2 cgroup */
  readonly deviceFilter: { readonly cgroup: Slot | undefined; readonly program: Uint8Array };
  /** removes a tree; never follows a symlink, never crosses into another mount */
  readonly removeTree: { readonly path: string };
  /** nice(2): work that nobody waits for gives way */
  readonly nice: { readonly increment: number };
  /** copies what is in a directory, and its own attributes, into another: owners, modes, times, xattrs, links, devices; never follows a symlink, never crosses into another mount */
  readonly copyTree: { readonly from: Slot | undefined; readonly to: Slot | undefined };
  /** returns the extended attributes whose names begin with one of these, of path (one component, or empty) inside root and of all below it, as records (path, name, value, each with its u32 length); never follows a symlink, never crosses into another mount */
  readonly xattrs: { readonly root: Slot | undefined; readonly path: string; readonly names: readonly string[] };
  /** gives an open socket to the engine itself (fd 4), with words that say which it is */
  readonly handOver: { readonly slot: Slot | undefined; readonly text: string };
  /** sends one datagram to a unix socket, or EAGAIN; an empty one only asks whether it is there */
  readonly datagram: { readonly path: string; readonly data: Uint8Array };
  /** a fork that passes on what comes to bound sockets (the slots), each to the IPv4 address and port at its offset; it ends with this process */
  readonly forward: { readonly from: readonly Patch[]; readonly to: Uint8Array };
  /** writes once to a file of the cloned child's own directory below /proc */
  readonly childFile: { readonly path: string; readonly data: Uint8Array };
  /** runs a program with the state on its stdin (a NUL in it stands for the container's pid) and waits for it, seconds at most (0: as long as it takes): 1024 and its exit code, or 2048 and its signal, is the error */
  readonly hook: { readonly path: string; readonly argv: readonly string[]; readonly env: readonly string[]; readonly timeout: number; readonly state: Uint8Array };
  /** a user namespace with these maps, which no process is in */
  readonly userns: { readonly uids: Uint8Array; readonly gids: Uint8Array; readonly out: Slot };
  /** mount_setattr(2) MOUNT_ATTR_IDMAP of a detached mount */
  readonly idmap: { readonly mount: Slot | undefined; readonly userns: Slot | undefined; readonly recursive: number };
  /** sched_setattr(2) of itself */
  readonly scheduler: { readonly policy: number; readonly flags: number | bigint; readonly nice: number; readonly priority: number; readonly runtime: number | bigint; readonly deadline: number | bigint; readonly period: number | bigint };
  /** ioprio_set(2) of itself */
  readonly ioPriority: { readonly value: number };
  /** sched_setaffinity(2) of itself, by a mask */
  readonly affinity: { readonly cpus: Uint8Array };
  /** personality(2) */
  readonly personality: { readonly persona: number };
  /** fchdir, chroot("."): where the mount namespace is another's */
  readonly chroot: { readonly root: Slot | undefined };
  /** moves one of two detached mounts over path inside root: the one of its kind; nothing where there is no such path */
  readonly cover: { readonly root: Slot | undefined; readonly path: string; readonly directory: Slot | undefined; readonly file: Slot | undefined };
  /** sends a descriptor with the state (as in hook) to a socket */
  readonly sendState: { readonly socket: Slot | undefined; readonly fd: Slot | undefined; readonly state: Uint8Array };
  /** seccomp(2) SECCOMP_FILTER_FLAG_NEW_LISTENER */
  readonly listener: { readonly filter: Uint8Array; readonly flags: number; readonly out: Slot };
  /** clone3(2) CLONE_PARENT: the plan goes on in a sibling, in these namespaces; the keeper waits for that one from now on */
  readonly reclone: { readonly flags: number | bigint };
  /** the other side of reclone, in the keeper */
  readonly adopt: {};
  /** fails as exec of these paths would, without it */
  readonly runnable: { readonly paths: readonly string[] };
  /** reads one byte: waits until somebody writes it */
  readonly awaitByte: { readonly slot: Slot | undefined };
  /** writes one byte into a FIFO, waits until nobody reads it any more; ENXIO: nobody does */
  readonly release: { readonly path: string };
  /** makes a file (new, whole) of the child's pid and start time */
  readonly notePid: { readonly path: string };
  /** connects to a unix stream socket and sends a slot's fd there, with text */
  readonly giveFd: { readonly path: string; readonly slot: Slot | undefined; readonly text: Uint8Array };
  /** a signal through a pidfd; ESRCH unless the process began at that time (proc_pid_stat(5), 22) */
  readonly signalPid: { readonly pid: number; readonly started: number | bigint; readonly signal: number };
  /** the client moves bytes between this terminal and its own stdin and stdout */
  readonly relay: { readonly slot: Slot | undefined };
  /** so many fds above stdio stay open in exec */
  readonly passFds: { readonly count: number };
}

export type OpName = keyof OpFields;
export type FieldType = 'u32' | 'u64' | 'str' | 'bytes' | 'strs' | 'patches' | 'slot' | 'out';

/** Number and fields in wire order, for the encoder and the printer. */
export const opTable: { readonly [K in OpName]: { readonly number: number; readonly fields: readonly (readonly [string, FieldType])[] } } = {
  open: { number: 1, fields: [['dir', 'slot'], ['path', 'str'], ['flags', 'u32'], ['mode', 'u32'], ['resolve', 'u32'], ['out', 'out']] },
  close: { number: 2, fields: [['slot', 'slot']] },
  mkdir: { number: 3, fields: [['path', 'str'], ['mode', 'u32']] },
  ensure: { number: 4, fields: [['root', 'slot'], ['path', 'str'], ['kind', 'u32'], ['mode', 'u32'], ['uid', 'u32'], ['gid', 'u32'], ['out', 'out']] },
  symlink: { number: 5, fields: [['root', 'slot'], ['target', 'str'], ['path', 'str']] },
  mknod: { number: 6, fields: [['root', 'slot'], ['path', 'str'], ['mode', 'u32'], ['major', 'u32'], ['minor', 'u32']] },
  fsmount: { number: 7, fields: [['fstype', 'str'], ['source', 'slot'], ['options', 'strs'], ['attrs', 'u32'], ['out', 'out']] },
  openTree: { number: 8, fields: [['dir', 'slot'], ['path', 'str'], ['flags', 'u32'], ['out', 'out']] },
  mountAttr: { number: 9, fields: [['mount', 'slot'], ['path', 'str'], ['set', 'u64'], ['clear', 'u64'], ['propagation', 'u64'], ['recursive', 'u32']] },
  moveMount: { number: 10, fields: [['from', 'slot'], ['to', 'slot']] },
  pivotRoot: { number: 11, fields: [['root', 'slot']] },
  umount: { number: 12, fields: [['path', 'str'], ['flags', 'u32']] },
  writeFile: { number: 13, fields: [['dir', 'slot'], ['path', 'str'], ['data', 'bytes'], ['flags', 'u32'], ['mode', 'u32']] },
  write: { number: 14, fields: [['slot', 'slot'], ['data', 'bytes']] },
  rmdir: { number: 16, fields: [['path', 'str']] },
  unlink: { number: 17, fields: [['path', 'str']] },
  pipe: { number: 18, fields: [['capacity', 'u32'], ['read', 'out'], ['write', 'out']] },
  clone: { number: 19, fields: [['flags', 'u64'], ['cgroup', 'slot'], ['pidfd', 'out']] },
  setns: { number: 20, fields: [['slot', 'slot'], ['flags', 'u32']] },
  unshare: { number: 21, fields: [['flags', 'u32']] },
  hostname: { number: 22, fields: [['name', 'str']] },
  domainname: { number: 23, fields: [['name', 'str']] },
  netlink: { number: 25, fields: [['protocol', 'u32'], ['data', 'bytes'], ['acks', 'u32'], ['patches', 'patches']] },
  rlimit: { number: 26, fields: [['resource', 'u32'], ['soft', 'u64'], ['hard', 'u64']] },
  capabilities: { number: 27, fields: [['effective', 'u64'], ['permitted', 'u64'], ['inheritable', 'u64'], ['bounding', 'u64'], ['ambient', 'u64']] },
  ids: { number: 28, fields: [['uid', 'u32'], ['gid', 'u32'], ['groups', 'bytes']] },
  prctl: { number: 29, fields: [['option', 'u32'], ['a', 'u64'], ['b', 'u64']] },
  seccomp: { number: 30, fields: [['filter', 'bytes'], ['flags', 'u32']] },
  umask: { number: 31, fields: [['mode', 'u32']] },
  chdir: { number: 32, fields: [['path', 'str']] },
  session: { number: 33, fields: [['tty', 'slot']] },
  stdio: { number: 34, fields: [['in', 'slot'], ['out', 'slot'], ['err', 'slot']] },
  signal: { number: 35, fields: [] },
  await: { number: 36, fields: [] },
  sendFd: { number: 37, fields: [['slot', 'slot']] },
  recvFd: { number: 38, fields: [['out', 'out']] },
  exec: { number: 39, fields: [['paths', 'strs'], ['argv', 'strs'], ['env', 'strs']] },
  awaitExec: { number: 40, fields: [] },
  report: { number: 41, fields: [['stage', 'u32']] },
  connect: { number: 90, fields: [['path', 'str'], ['out', 'out']] },
  step: { number: 91, fields: [['slot', 'slot'], ['section', 'u32'], ['index', 'u32']] },
  keep: { number: 42, fields: [['listen', 'slot'], ['in', 'slot'], ['out', 'slot'], ['err', 'slot'], ['tty', 'slot'], ['log', 'str'], ['logMax', 'u64'], ['logFiles', 'u32'], ['exitPath', 'str'], ['oomPath', 'str'], ['flags', 'u32'], ['expect', 'u32']] },
  listen: { number: 43, fields: [['path', 'str'], ['mode', 'u32'], ['out', 'out']] },
  bindPort: { number: 44, fields: [['family', 'u32'], ['type', 'u32'], ['address', 'bytes'], ['port', 'u32'], ['reuse', 'u32'], ['out', 'out']] },
  chown: { number: 45, fields: [['slot', 'slot'], ['uid', 'u32'], ['gid', 'u32']] },
  title: { number: 47, fields: [['name', 'str']] },
  pidfd: { number: 49, fields: [['pid', 'u32'], ['out', 'out']] },
  cgroupKill: { number: 50, fields: [['path', 'str']] },
  openPty: { number: 51, fields: [['ptmx', 'slot'], ['rows', 'u32'], ['columns', 'u32'], ['out', 'out']] },
  init: { number: 52, fields: [] },
  mountClassic: { number: 53, fields: [['source', 'str'], ['target', 'str'], ['fstype', 'str'], ['flags', 'u64'], ['data', 'str']] },
  setxattr: { number: 54, fields: [['root', 'slot'], ['path', 'str'], ['name', 'str'], ['value', 'bytes']] },
  loop: { number: 59, fields: [['file', 'slot'], ['out', 'out']] },
  lock: { number: 60, fields: [['path', 'str'], ['out', 'out']] },
  hold: { number: 61, fields: [['slot', 'slot']] },
  deviceFilter: { number: 62, fields: [['cgroup', 'slot'], ['program', 'bytes']] },
  removeTree: { number: 63, fields: [['path', 'str']] },
  nice: { number: 64, fields: [['increment', 'u32']] },
  copyTree: { number: 67, fields: [['from', 'slot'], ['to', 'slot']] },
  xattrs: { number: 68, fields: [['root', 'slot'], ['path', 'str'], ['names', 'strs']] },
  handOver: { number: 65, fields: [['slot', 'slot'], ['text', 'str']] },
  datagram: { number: 70, fields: [['path', 'str'], ['data', 'bytes']] },
  forward: { number: 120, fields: [['from', 'patches'], ['to', 'bytes']] },
  childFile: { number: 80, fields: [['path', 'str'], ['data', 'bytes']] },
  hook: { number: 81, fields: [['path', 'str'], ['argv', 'strs'], ['env', 'strs'], ['timeout', 'u32'], ['state', 'bytes']] },
  userns: { number: 82, fields: [['uids', 'bytes'], ['gids', 'bytes'], ['out', 'out']] },
  idmap: { number: 83, fields: [['mount', 'slot'], ['userns', 'slot'], ['recursive', 'u32']] },
  scheduler: { number: 84, fields: [['policy', 'u32'], ['flags', 'u64'], ['nice', 'u32'], ['priority', 'u32'], ['runtime', 'u64'], ['deadline', 'u64'], ['period', 'u64']] },
  ioPriority: { number: 85, fields: [['value', 'u32']] },
  affinity: { number: 86, fields: [['cpus', 'bytes']] },
  personality: { number: 87, fields: [['persona', 'u32']] },
  chroot: { number: 88, fields: [['root', 'slot']] },
  cover: { number: 89, fields: [['root', 'slot'], ['path', 'str'], ['directory', 'slot'], ['file', 'slot']] },
  sendState: { number: 95, fields: [['socket', 'slot'], ['fd', 'slot'], ['state', 'bytes']] },
  listener: { number: 92, fields: [['filter', 'bytes'], ['flags', 'u32'], ['out', 'out']] },
  reclone: { number: 93, fields: [['flags', 'u64']] },
  adopt: { number: 94, fields: [] },
  runnable: { number: 100, fields: [['paths', 'strs']] },
  awaitByte: { number: 101, fields: [['slot', 'slot']] },
  release: { number: 102, fields: [['path', 'str']] },
  notePid: { number: 103, fields: [['path', 'str']] },
  giveFd: { number: 104, fields: [['path', 'str'], ['slot', 'slot'], ['text', 'bytes']] },
  signalPid: { number: 105, fields: [['pid', 'u32'], ['started', 'u64'], ['signal', 'u32']] },
  relay: { number: 106, fields: [['slot', 'slot']] },
  passFds: { number: 107, fields: [['count', 'u32']] },
};
