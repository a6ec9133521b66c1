// Gives a stepped plan (src/plan/step.ts) leave to go on, op by op, as somebody asks for it. Where both sides of a clone
// have stopped the keeper goes first, until it waits for the child: so that what is shown comes in an order to follow.

import { mkdir } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import type { OpName } from '../plan/ops.gen.ts';
import type { Plan } from '../plan/ops.ts';
import { printOp } from '../plan/print.ts';
import { type SteppedSection, waitsForOtherSide } from '../plan/step.ts';

/** The plan has stopped before an op. */
export interface StepStop {
  readonly section: SteppedSection;
  readonly index: number;
  readonly total: number;
  readonly name: OpName;
  /** The op with its fields, as `explain` prints it. */
  readonly op: string;
  readonly why: string;
  /** On the host; the child's is 0 before it exists. */
  readonly pids: { readonly setup: number; readonly child: number };
  /** Nothing is asked after this one. */
  readonly last: boolean;
}

export type StepAnswer = 'next' | 'continue' | 'quit';
export type OnStep = (stop: StepStop) => Promise<StepAnswer>;

export interface StepGate extends AsyncDisposable {
  readonly socket: string;
  /** Resolves when nobody is asked any more and the plan goes on by itself. */
  readonly free: Promise<void>;
  /** Resolves when the last op has its leave, or none will get any more. */
  readonly ended: Promise<'through' | 'quit'>;
}

interface Sides {
  readonly waiting: Map<SteppedSection, { readonly index: number; readonly connection: Socket }>;
  readonly connections: Set<Socket>;
  readonly pids: { setup: number; child: number };
  /** Resolves when something has come or gone, or after so long. */
  change(ms?: number): Promise<void>;
}

/** struct of do_step in native/ops_net.c */
const messageBytes = 16;
/** How long the side that went on may take to its next stop before the other side's is shown. */
const patienceMs = 300;

export async function openStepGate(plan: Plan, keeperSocket: string, onStep: OnStep): Promise<StepGate> {
  const socket = `${keeperSocket}g`;
  await mkdir(path.dirname(socket), { recursive: true, mode: 0o700 });
  const { server, sides } = collect();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  let setFree = (): void => {};
  const free = new Promise<void>((resolve) => {
    setFree = resolve;
  });
  const ended = giveLeave(plan, { sides, server, onStep, setFree });
  return {
    socket,
    free,
    ended,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const connection of sides.connections) connection.destroy();
    },
  };
}

/** Where both sides of the plan say what they are about to do. */
function collect(): { readonly server: Server; readonly sides: Sides } {
  let wake = (): void => {};
  const sides: Sides = {
    waiting: new Map(),
    connections: new Set(),
    pids: { setup: 0, child: 0 },
    change: (ms) =>
      new Promise((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
  const server = createServer((connection) => {
    sides.connections.add(connection);
    let rest: Buffer = Buffer.alloc(0);
    connection.on('error', () => {});
    connection.on('close', () => {
      sides.connections.delete(connection);
      wake();
    });
    connection.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= messageBytes; rest = rest.subarray(messageBytes)) {
        const section = rest.readUInt32LE(0) === 0 ? 'setup' : 'child';
        if (section === 'setup') Object.assign(sides.pids, { setup: rest.readInt32LE(8), child: rest.readInt32LE(12) });
        sides.waiting.set(section, { index: rest.readUInt32LE(4), connection });
      }
      wake();
    });
  });
  server.on('close', () => wake());
  return { server, sides };
}

async function giveLeave(
  plan: Plan,
  with_: { readonly sides: Sides; readonly server: Server; readonly onStep: OnStep; readonly setFree: () => void },
): Promise<'through' | 'quit'> {
  const { sides, server, onStep, setFree } = with_;
  let asking = true;
  while (server.listening) {
    const section = sides.waiting.has('setup') ? 'setup' : 'child';
    const stopped = sides.waiting.get(section);
    if (stopped === undefined) {
      await sides.change();
      continue;
    }
    const { index, connection } = stopped;
    const op = plan[section][index];
    const last = op?.op === 'keep';
    if (op && asking) {
      const where = { section, index, total: plan[section].length, pids: { ...sides.pids }, last } as const;
      const answer = await onStep({ ...where, name: op.op, op: printOp(op), why: op.why }).catch(() => 'quit' as const);
      if (answer === 'quit') {
        for (const one of sides.connections) one.destroy();
        return 'quit';
      }
      asking = answer === 'next';
    }
    if (last || !asking) setFree();
    sides.waiting.delete(section);
    if (last) {
      await new Promise<void>((resolve) => connection.end('g', resolve));
      return 'through';
    }
    connection.write('g');
    const until = Date.now() + patienceMs;
    const comesBack = asking && op !== undefined && !waitsForOtherSide.has(op.op);
    while (comesBack && !sides.waiting.has(section) && !connection.destroyed && Date.now() < until)
      await sides.change(until - Date.now());
  }
  return 'through';
}
