// Plans: every act on the kernel as data, computed here and carried out by native/, which decides nothing.
//
// The protocol between the two sides, in the order it happens (one `run`):
//
//   engine (Node)                executor (C, resident)        keeper (C)                     child (C, then the workload)
//   ───────────────              ──────────────────────        ──────────                     ────────────────────────────
//   plan bytes ────────────────► check bounds, fork ─────────► SETUP ops in order:
//                                                              listen
//   ◄── REPORT 1 (attachable) ────────────────────────────────  report 1
//   client joins the keeper's socket meanwhile                 cgroups, ports, pipes
//                                                              clone ───────────────────────► CHILD ops in order:
//                                                              netlink into its netns         join cgroups, mounts …
//                                                              signal ──────────────────────► await
//                                                                                             pivotRoot, ids, caps, seccomp
//                                                              awaitExec ◄── end of file ──── exec (execve closes the socket)
//   ◄── REPORT 2 (running, pid) ──────────────────────────────  report 2
//                                                              keep: streams, log, exit record
//                                                              CLEANUP ops, whatever happened before
//
// A failing op ends its side. The child sends (op index, errno) over the sync socket, the keeper's next await fails with
// it, CLEANUP runs, and the engine gets FAILED {section, op index, errno}: explainFailure() in print.ts makes the sentence.
// Wire (all little endian): u32 version, then for each of setup, child, cleanup: u32 count, ops as in native/ops.def.

import type { OpFields, OpName, Slot } from './ops.gen.ts';

export type { OpFields, OpName, Patch, Slot } from './ops.gen.ts';

/** One act. `why` says what it is for, to a person; `allow` is an errno that counts as success (EEXIST, ENOENT). */
export type OpOf<K extends OpName> = { readonly op: K; readonly why: string; readonly allow?: number } & OpFields[K];
export type Op = { [K in OpName]: OpOf<K> }[OpName];

export interface Plan {
  /** In the keeper, or in the host executor itself. */
  readonly setup: readonly Op[];
  /** In the process that `clone` made. */
  readonly child: readonly Op[];
  /** At the end, after a failure too; their own errors are ignored. */
  readonly cleanup: readonly Op[];
}

/** The slot that stands for the cloned child's pid in a netlink patch. */
export const childSlot: Slot = '@child';

/** The slot of the container's root directory. */
export const rootSlot: Slot = 'root';

/** `op('mount', {...}, 'why')`: an op whose fields are checked against the table. */
export function op<K extends OpName>(name: K, fields: OpFields[K], why: string, allow?: number): OpOf<K> {
  return { op: name, why, ...(allow === undefined ? {} : { allow }), ...fields };
}

/** As `allow`: whatever goes wrong here, the plan goes on. */
export const anyError = 0xffff;

/** Where `report` says the plan is. */
export const stage = { attachable: 1, running: 2 } as const;

/** Kernel constants that plans are written with; values from the uapi headers (the same on x86-64 and arm64 unless said). */
// biome-ignore format: a table
export const k = {
  EPERM: 1, ENOENT: 2, ESRCH: 3, EIO: 5, ENXIO: 6, EBADF: 9, EACCES: 13, EBUSY: 16, EEXIST: 17, ENODEV: 19, ENOTDIR: 20, EINVAL: 22, EOPNOTSUPP: 95, EADDRINUSE: 98,
  O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_NOCTTY: 0o400, O_TRUNC: 0o1000, O_APPEND: 0o2000,
  O_CLOEXEC: 0o2000000, O_PATH: 0o10000000,
  // uapi asm/fcntl.h: these two have numbers of their own on Arm
  O_DIRECTORY: process.arch === 'arm64' ? 0o40000 : 0o200000, O_NOFOLLOW: process.arch === 'arm64' ? 0o100000 : 0o400000,
  RESOLVE_NO_MAGICLINKS: 0x02, RESOLVE_NO_SYMLINKS: 0x04, RESOLVE_BENEATH: 0x08, RESOLVE_IN_ROOT: 0x10,
  CLONE_NEWTIME: 0x80, CLONE_NEWNS: 0x20000, CLONE_NEWCGROUP: 0x2000000, CLONE_NEWUTS: 0x4000000, CLONE_NEWIPC: 0x8000000,
  CLONE_NEWUSER: 0x10000000, CLONE_NEWPID: 0x20000000, CLONE_NEWNET: 0x40000000, CLONE_INTO_CGROUP: 0x200000000n,
  MOUNT_ATTR_RDONLY: 0x1, MOUNT_ATTR_NOSUID: 0x2, MOUNT_ATTR_NODEV: 0x4, MOUNT_ATTR_NOEXEC: 0x8,
  MOUNT_ATTR__ATIME: 0x70, MOUNT_ATTR_RELATIME: 0, MOUNT_ATTR_NOATIME: 0x10, MOUNT_ATTR_STRICTATIME: 0x20, MOUNT_ATTR_NODIRATIME: 0x80, MOUNT_ATTR_NOSYMFOLLOW: 0x200000,
  OPEN_TREE_CLONE: 1, AT_RECURSIVE: 0x8000, AT_EMPTY_PATH: 0x1000,
  MS_UNBINDABLE: 1 << 17, MS_PRIVATE: 1 << 18, MS_SLAVE: 1 << 19, MS_SHARED: 1 << 20,
  MNT_DETACH: 2,
  PR_SET_PDEATHSIG: 1, PR_SET_DUMPABLE: 4, PR_SET_NO_NEW_PRIVS: 38,
  NETLINK_ROUTE: 0, NETLINK_NETFILTER: 12,
  AF_INET: 2, AF_INET6: 10, SOCK_STREAM: 1, SOCK_DGRAM: 2, SOCK_SEQPACKET: 5,
  SIGKILL: 9, SIGTERM: 15,
} as const;
