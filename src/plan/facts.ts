// What a plan depends on of the machine, as data: measured in src/sys/facts.ts, made up in tests.

export interface CgroupFacts {
  /** A hybrid machine (v1 controllers beside an almost empty v2) counts as v1: that is where the controllers are. */
  readonly version: 1 | 2;
  /** v1: mount point of each controller that is there (`memory` -> `/sys/fs/cgroup/memory`) and of systemd's own hierarchy; v2: '' -> its mount point. */
  readonly mounts: Readonly<Record<string, string>>;
  /** v2: the controllers that children of the engine's cgroup can have. */
  readonly controllers: readonly string[];
}

/** Of an engine that is root of a user namespace alone. */
export interface UserNamespace {
  /** Ids below this have one outside: 1 where the user has no subordinate ids. */
  readonly uids: number;
  readonly gids: number;
  /** Whether setgroups(2) is allowed. */
  readonly groups: boolean;
  /** The network namespace of its containers' bridges; undefined: the one that the engine is in. */
  readonly network: string | undefined;
  /** Why containers reach nobody outside; undefined: they do. */
  readonly noWayOut?: string | undefined;
}

export interface HostFacts {
  readonly arch: 'x86_64' | 'aarch64';
  /** [6, 1] for 6.1.0-rc3 */
  readonly kernel: readonly [major: number, minor: number];
  /** The engine's capability bounding set. */
  readonly capabilities: bigint;
  readonly cgroup: CgroupFacts;
  /** Paths below /proc, /sys and /dev that this machine has: masking or sharing one that is not there would fail. */
  readonly pseudoFiles: ReadonlySet<string>;
  readonly userNamespace?: UserNamespace;
  readonly cpus: number;
  /** The security module that gives processes labels, where there is one. */
  readonly lsm?: 'apparmor' | 'selinux';
  /** Where resctrl is mounted. */
  readonly resctrl?: string;
  /** Bytes. */
  readonly memory: number;
}
