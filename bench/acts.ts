// What is measured: each act as the command lines that do it with each engine, the budget it must keep, and how it is
// set up. Ratios in one run decide; absolute times are a machine's own.

export interface Engines {
  /** How each is called; absent: not installed, not running. */
  readonly hoist: readonly string[];
  readonly docker?: readonly string[];
  readonly podman?: readonly string[];
  /** A prepared bundle of the same root file system. */
  readonly crun?: readonly string[];
}

export type EngineName = 'hoist' | 'docker' | 'podman' | 'crun';

export interface Act {
  readonly name: string;
  /** Milliseconds that Hoist must reach. */
  readonly budgetMs: number;
  readonly rounds: number;
  /** undefined: this engine has no such act. */
  readonly command: (engine: EngineName, call: readonly string[]) => readonly string[] | undefined;
}

export const image = 'busybox';
/** A container that every engine runs while the acts are measured. */
export const resident = 'hoist-bench-resident';

const not = (engine: EngineName, others: readonly EngineName[]): boolean => others.includes(engine);

export const acts: readonly Act[] = [
  {
    name: 'run --rm busybox true, bridge',
    budgetMs: 20,
    rounds: 40,
    command: (engine, call) => (engine === 'crun' ? undefined : [...call, 'run', '--rm', image, 'true']),
  },
  {
    name: 'run --rm --network none busybox true',
    budgetMs: 12,
    rounds: 40,
    command: (engine, call) =>
      engine === 'crun' ? call : [...call, 'run', '--rm', '--network', 'none', image, 'true'],
  },
  {
    name: 'exec c true',
    budgetMs: 8,
    rounds: 40,
    command: (engine, call) => (not(engine, ['crun']) ? undefined : [...call, 'exec', resident, 'true']),
  },
  {
    name: 'ps',
    budgetMs: 6,
    rounds: 40,
    command: (engine, call) => (not(engine, ['crun']) ? undefined : [...call, 'ps']),
  },
];
