// What the container use cases stand on, and the containers as they live in the engine's memory.

import type { NetworkOps } from '../../plan/input.ts';
import type { Op } from '../../plan/ops.ts';
import type { KeeperLink } from '../../runtime/keeper.ts';
import type { LayerMounts } from '../../runtime/layers.ts';
import type { ContainerCreate, ExecCreate } from '../../spec/docker/container.ts';
import type { Platform } from '../../spec/oci/image.ts';
import type { SeccompProfile } from '../../spec/oci/seccomp.ts';
import type { Store, UnpackLimits } from '../../store/store.ts';
import type { Executor } from '../../sys/executor.ts';
import type { MachineFacts } from '../../sys/facts.ts';
import type { AttachPoint } from '../engine.ts';
import type { Events } from '../events.ts';
import type { LogForwarding } from '../logging/forwarding.ts';
import type { VolumePool } from '../volumes/deps.ts';
import type { FixedRow } from './describe.ts';
import type { Connection, ContainerPaths, ContainerRecord, RunState } from './record.ts';

/** Somebody who waits for the next start. */
export interface Attacher {
  join(point: AttachPoint): void;
  refuse(error: Error): void;
}

export interface Live {
  record: ContainerRecord;
  link: KeeperLink | undefined;
  /** Told at every end of the process. */
  readonly exited: Set<(state: RunState, startFailed?: boolean) => void>;
  readonly removed: Set<(exitCode: number) => void>;
  /** Who will join at the next start, and must be waited for before output is read. */
  readonly attaching: Set<Attacher>;
  /** Starting, stopping and removing one container are one after the other. */
  turn: Promise<unknown>;
  /** Execs under way, by id. */
  readonly execs: Set<string>;
  /** Settles when the end of the process has been noted; undefined while there is none. */
  ended: Promise<void> | undefined;
  /** Its end was asked for: no policy starts it again. Until the next start. */
  endWanted: boolean;
  /** A `stop` waits for the end of the process, and wants to be told of. */
  stopWanted: boolean;
  /** `restart` is under way: the end of the process is not that of an --rm container. */
  comesBack: boolean;
  /** Milliseconds that the last automatic restart waited; 0: there was none. */
  backoff: number;
}

/** Looks after containers while nobody asks: starts them again, probes their health. Only a resident engine has one. */
export interface Supervisor {
  /** Its process ended and its policy wants another; `live.backoff` says when. */
  restartLater(live: Live): void;
  /** Begins or goes on with its health checks, as its state has it; stops them where it is not running. */
  watchHealth(live: Live): void;
  stop(): void;
}

/** One more process in a container: asked for, under way, or ended. */
export interface Exec {
  readonly id: string;
  readonly live: Live;
  readonly request: ExecCreate;
  pid: number;
  exitCode: number | null;
  link: KeeperLink | undefined;
  /** The start under way, or done. */
  starting: Promise<void> | undefined;
  ended: Promise<number> | undefined;
}

/** What a container gets of its networks: for its record, and for its plan. */
export interface Attachment {
  readonly connections: readonly Connection[];
  readonly ops: NetworkOps;
}

/** The engine's networks, as containers use them (src/network behind it). */
export interface ContainerNetwork {
  /**
   * Addresses and host ports for a container that starts. Fails with port.allocated, network.no_addresses,
   * network.not_found, network.address_in_use.
   */
  attach(record: ContainerRecord): Promise<Attachment>;
  /** What attach would give; nothing is made or taken. */
  preview(record: ContainerRecord): Promise<Attachment>;
  /** Ops that take away what a container that ended without its keeper left behind. */
  cleanup(record: ContainerRecord): Promise<readonly Op[]>;
  release(id: string): void;
  /** Its start failed: whether the bridges are there is looked at again. */
  distrust(id: string): void;
  /** A container that runs already (after a restart of the engine). Returns its connections as they are known now. */
  adopt(record: ContainerRecord): readonly Connection[];
  /** Whether it has name service: it belongs to a network that the user made. */
  isNamed(record: ContainerRecord): boolean;
  /** What a request asks for. Fails with kind invalid. */
  requested(request: ContainerCreate): readonly Connection[];
}

export interface ContainersDeps {
  readonly paths: ContainerPaths;
  readonly store: Store;
  readonly layers: LayerMounts;
  /** The one under way now: it is started anew when it dies. */
  readonly executor: () => Executor;
  readonly facts: MachineFacts;
  /** This machine's platform. */
  readonly host: Platform;
  readonly network: ContainerNetwork;
  readonly compileSeccomp: (profile: SeccompProfile) => Uint8Array;
  /** Something that ought not to happen and hurts no one: for the engine's log. */
  readonly warn: (message: string) => void;
  readonly events: Events;
  /** Of the layers that commits make. */
  readonly limits: UnpackLimits;
  readonly volumes: VolumePool;
  /** Log drivers that send lines elsewhere. */
  readonly logging: LogForwarding;
}

export interface ContainerPool {
  readonly deps: ContainersDeps;
  readonly live: Map<string, Live>;
  readonly names: Map<string, string>;
  /** Those under way, and some that have ended: their code can be asked for. */
  readonly execs: Map<string, Exec>;
  /** Exit codes of those removed a moment ago: `wait` may come after the end. */
  readonly gone: Map<string, number>;
  /** For `list`: rows of records, and canonical names of images by what users called them. */
  readonly rows: WeakMap<ContainerRecord, FixedRow>;
  readonly canonical: Map<string, string>;
  /** The engine leaves: links that close from now on say nothing about their containers. */
  closing: boolean;
  supervisor: Supervisor | undefined;
}

export function newLive(record: ContainerRecord): Live {
  return {
    record,
    link: undefined,
    exited: new Set(),
    removed: new Set(),
    attaching: new Set(),
    turn: Promise.resolve(),
    execs: new Set(),
    ended: undefined,
    endWanted: false,
    stopWanted: false,
    comesBack: false,
    backoff: 0,
  };
}

/** Runs `act` when everything that was asked of this container before is done. */
export function inTurn<T>(live: Live, act: () => Promise<T>): Promise<T> {
  const result = live.turn.then(act, act);
  live.turn = result.catch(() => undefined);
  return result;
}
