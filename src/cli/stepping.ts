// `explain --step`: a terminal between a start and its plan. Shows each op before it happens and asks; everything else of
// the command (pull, terminal, exit code) is the command's own, over an engine whose starts stop.

import { isHoistError } from '../base/errors.ts';
import type { Engine, OnStep, StepAnswer, StepStop } from '../engine/engine.ts';
import { opTable } from '../plan/ops.gen.ts';
import type { Io } from './io.ts';

const help = `Enter: do it and stop before the next       c: go on without stopping
the name of an op: go on until there       q: undo everything
(ops that only close descriptors are done without a stop)`;

const meanings: ReadonlyMap<string, StepAnswer> = new Map([
  ['', 'next'],
  ['n', 'next'],
  ['next', 'next'],
  ['c', 'continue'],
  ['continue', 'continue'],
  ['q', 'quit'],
  ['quit', 'quit'],
]);

/** The engine as the command sees it. A container whose start was quit is removed again. */
export function steppingEngine(engine: Engine, io: Io): Engine {
  const { containers, execs } = engine;
  return {
    ...engine,
    containers: {
      ...containers,
      async start(ref, options) {
        try {
          await containers.start(ref, { ...options, onStep: stepper(io) });
        } catch (error) {
          if (isQuit(error)) {
            // of a container of --rm nothing is left by now
            await containers.remove(ref, { force: true, volumes: true, link: false }).catch(() => undefined);
          }
          throw error;
        }
      },
    },
    execs: { ...execs, start: (id, options) => execs.start(id, { ...options, onStep: stepper(io) }) },
  };
}

export function isQuit(error: unknown): boolean {
  return isHoistError(error) && error.code === 'step.quit';
}

function stepper(io: Io): OnStep {
  const { stderr } = io;
  let answers: Answers | undefined;
  let section = '';
  let until = '';
  return async (stop) => {
    if ((until !== '' && stop.name !== until && !stop.last) || stop.name === 'close') return 'next';
    until = '';
    answers ??= new Answers(io);
    if (section === '') await stderr.write(`${help}\n`);
    if (section !== stop.section) await stderr.write(`\n${heading(stop)}\n`);
    section = stop.section;
    await stderr.write(describe(stop, stderr.isTTY));
    let answer: StepAnswer | undefined;
    while (answer === undefined) {
      await stderr.write('> ');
      const word = await answers.next();
      if (!io.stdin.isTTY) await stderr.write('\n');
      if (Object.hasOwn(opTable, word)) until = word;
      answer = until !== '' ? 'next' : meanings.get(word.toLowerCase());
      if (answer === undefined) await stderr.write(`${help}\n`);
    }
    if (answer !== 'next' || stop.last) await answers.close();
    if (answer === 'quit') await stderr.write('undoing what was done\n');
    return answer;
  };
}

function heading({ section, pids }: StepStop): string {
  if (section === 'setup') return `# setup: in the keeper, process ${pids.setup} of the host`;
  const { child } = pids;
  return `# child: in the new process, ${child} of the host; from another terminal:
#   ls /proc/${child}/ns /proc/${child}/fd     cat /proc/${child}/status     cat /proc/${child}/mountinfo
#   nsenter -t ${child} -m ls /        nsenter -t ${child} -n ip addr        ls /proc/${child}/root   (after pivotRoot)`;
}

function describe({ section, index, total, op, why }: StepStop, colours: boolean): string {
  const bold = (text: string): string => (colours ? `\u001b[1m${text}\u001b[0m` : text);
  return `${section} ${index + 1}/${total}  ${bold(op)}\n       ${why}\n`;
}

/** Lines of the user's; the end of the input, a signal and a terminal that goes away are a `quit`. */
class Answers {
  readonly #input: AsyncIterator<Uint8Array>;
  readonly #stopSignals: () => void;
  readonly #interrupted: Promise<'quit'>;
  #text = '';

  constructor(io: Io) {
    this.#input = io.stdin.read()[Symbol.asyncIterator]();
    let interrupt = (_: 'quit'): void => {};
    this.#interrupted = new Promise((resolve) => {
      interrupt = resolve;
    });
    this.#stopSignals = io.onSignal((name) => {
      if (name !== 'SIGWINCH' && name !== 'SIGCONT') interrupt('quit');
    });
    io.signal.addEventListener('abort', () => interrupt('quit'));
  }

  async next(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\n');
      if (end >= 0) {
        const word = this.#text.slice(0, end).trim();
        this.#text = this.#text.slice(end + 1);
        return word;
      }
      const more = await Promise.race([this.#input.next(), this.#interrupted]);
      if (more === 'quit' || more.done === true) return 'quit';
      this.#text += Buffer.from(more.value).toString('utf8');
    }
  }

  async close(): Promise<void> {
    this.#stopSignals();
    // where a read is still under way (a signal came) it ends with the command
    await Promise.race([this.#input.return?.(), Promise.resolve()]);
  }
}
