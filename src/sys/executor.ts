// The bridge to the resident executor (native/host.c): plans go out, results come back, by number.
// One process, one socket pair made at spawn; when it dies every plan under way fails with the reason.

import { type ChildProcess, spawn } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { encodePlan } from '../plan/encode.ts';
import type { Plan } from '../plan/ops.ts';
import type { OpFailure } from '../plan/print.ts';

/** How a plan is carried out: by the executor itself, in a fork that ends with it, in a fork that stays as a keeper. */
export type Manner = 'here' | 'fork' | 'launch';

export type PlanResult =
  /** `blobs`: what readFile and netlink dumps returned, by op index of setup. */
  | { readonly ok: true; readonly blobs: ReadonlyMap<number, Buffer> }
  | { readonly ok: false; readonly failure: OpFailure };

export interface Executor extends AsyncDisposable {
  /** Carries out a plan. For 'launch' it resolves at the stage `running` (ok, no blobs) or at the failure. */
  run(plan: Plan, manner: Manner, onStage?: (stage: number, pid: number) => void): Promise<PlanResult>;
  readonly pid: number;
  /** Who gets the sockets that plans hand over (`handOver`, see `socketLine`); one listener. */
  onSocket(listener: (label: string, socket: DatagramSocket | Server) => void): void;
}

/** The words of `handOver`, in the form of Node's own channels between processes: they arrive as objects of Node. */
export function socketLine(kind: 'udp' | 'tcp', label: string): string {
  const type = kind === 'udp' ? { type: 'dgram.Socket', dgramType: 'udp4' } : { type: 'net.Server' };
  return `${JSON.stringify({ cmd: 'NODE_HANDLE', ...type, msg: { label } })}\n`;
}

const manners: Readonly<Record<Manner, number>> = { here: 0, fork: 1, launch: 2 };
const sectionNames = ['setup', 'child', 'cleanup', 'plan'] as const;
const frameDone = 1;
const frameReport = 3;
const stageRunning = 2;

interface Pending {
  readonly resolve: (result: PlanResult) => void;
  readonly reject: (error: Error) => void;
  readonly onStage: ((stage: number, pid: number) => void) | undefined;
  readonly launch: boolean;
}

/** Starts the executor. `binary`: the native hoist. `onDeath` is called when it ends without being asked to. */
export function startExecutor(binary: string, onDeath: (reason: string) => void): Executor {
  const child: ChildProcess = spawn(binary, ['--hoist-executor'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'ipc'],
    env: {},
    detached: true, // a Ctrl-C meant for another process must not reach it
  });
  const socket = child.stdio[3] as Duplex;
  const pending = new Map<number, Pending>();
  let number = 0;
  let dead: string | undefined;
  let asked = false;

  const die = (reason: string): void => {
    if (dead !== undefined) return;
    dead = reason;
    for (const one of pending.values()) one.reject(new Error(reason));
    pending.clear();
    if (!asked) onDeath(reason);
  };
  child.on('error', (error) => die(`cannot start ${binary}: ${error.message}`));
  child.on('exit', (code, signal) => die(`the executor ended (${signal ?? `code ${code}`})`));
  socket.on('error', () => {}); // its exit tells more
  readFrames(socket, (frame) => settle(pending, frame));
  let takeSocket = (_label: string, socket: DatagramSocket | Server): void => void socket.close();
  child.on('message', (message, socket) => {
    if (socket instanceof DatagramSocket || socket instanceof Server) takeSocket(labelOf(message), socket);
  });
  child.unref();
  child.channel?.unref();

  return {
    pid: child.pid ?? 0,
    onSocket(listener) {
      takeSocket = listener;
    },
    run(plan, manner, onStage) {
      if (dead !== undefined) return Promise.reject(new Error(dead));
      const body = encodePlan(plan);
      const seq = ++number;
      const head = Buffer.allocUnsafe(9);
      head.writeUInt32LE(body.length + 5, 0);
      head.writeUInt32LE(seq, 4);
      head[8] = manners[manner];
      return new Promise((resolve, reject) => {
        pending.set(seq, { resolve, reject, onStage, launch: manner === 'launch' });
        socket.write(Buffer.concat([head, body]));
      });
    },
    async [Symbol.asyncDispose]() {
      asked = true;
      if (dead !== undefined) return;
      child.ref(); // or the process could end before this is settled
      const gone = new Promise((resolve) => child.once('exit', resolve));
      socket.end();
      await gone;
    },
  };
}

function labelOf(message: unknown): string {
  return typeof message === 'object' && message !== null && 'label' in message ? String(message.label) : '';
}

function readFrames(socket: Duplex, onFrame: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 4) {
      const length = rest.readUInt32LE(at);
      if (rest.length - at - 4 < length) break;
      onFrame(rest.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    rest = rest.subarray(at);
  });
}

function settle(pending: Map<number, Pending>, frame: Buffer): void {
  const seq = frame.readUInt32LE(1);
  const one = pending.get(seq);
  if (!one) return;
  const finish = (result: PlanResult): void => {
    pending.delete(seq);
    one.resolve(result);
  };
  const answer = readAnswer(frame[0] ?? 0, frame.subarray(5));
  if ('stage' in answer) {
    one.onStage?.(answer.stage, answer.pid);
    if (one.launch && answer.stage === stageRunning) finish({ ok: true, blobs: new Map() });
  } else finish(answer);
}

/** What whoever carries a plan out says of it: how far it is, or how it ended. `body`: behind the number. */
export function readAnswer(type: number, body: Buffer): PlanResult | { readonly stage: number; readonly pid: number } {
  if (type === frameReport) return { stage: body.readUInt32LE(0), pid: body.readInt32LE(4) };
  if (type === frameDone) return { ok: true, blobs: readBlobs(body) };
  // 2: it failed
  const section = sectionNames[body[0] ?? 3] ?? 'plan';
  return { ok: false, failure: { section, index: body.readUInt32LE(1), errno: -body.readInt32LE(5) } };
}

function readBlobs(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const blobs = new Map<number, Buffer>();
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    blobs.set(bytes.readUInt32LE(at), Buffer.from(bytes.subarray(at + 8, at + 8 + length)));
    at += 8 + length;
  }
  return blobs;
}
