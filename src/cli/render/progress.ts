// Progress of a pull: one line per layer, redrawn, on a terminal; one line per event in a pipe. Docker's words and bars.

import type { Progress } from '../../engine/engine.ts';
import type { Io, Output } from '../io.ts';
import { humanSize } from './size.ts';

export interface ProgressView {
  report(progress: Progress): void;
  /** Waits until everything is written. */
  done(): Promise<void>;
}

/** Bars are redrawn at most this often, milliseconds: a fast pull has thousands of events. */
const frame = 100;

/** `output` undefined: nothing is shown (-q). */
export function showProgress(output: Output | undefined, io: Io): ProgressView {
  if (output === undefined) return { report: () => undefined, done: async () => undefined };
  return output.isTTY ? bars(output, io) : lines(output);
}

function lines(output: Output): ProgressView {
  const write = queue(output);
  const phases = new Map<string, string>();
  return {
    report(progress) {
      if (progress.kind === 'message') return write.push(`${progress.text}\n`);
      // Only changes of phase, and not the ones that a bar would show: thousands of lines tell nobody anything.
      const silent = progress.phase === 'Downloading' || progress.phase === 'Extracting';
      if (silent || phases.get(progress.id) === progress.phase) return;
      phases.set(progress.id, progress.phase);
      write.push(`${progress.id}: ${progress.phase}\n`);
    },
    done: write.done,
  };
}

function bars(output: Output, io: Io): ProgressView {
  const write = queue(output);
  const rows: string[] = [];
  const order = new Map<string, number>();
  const changed = new Set<number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const draw = (): void => {
    timer = undefined;
    write.push([...changed].map((row) => redraw(rows[row] ?? '', rows.length - row)).join(''));
    changed.clear();
  };
  return {
    report(progress) {
      if (progress.kind === 'message') {
        if (changed.size > 0) draw();
        return write.push(`${progress.text}\n`);
      }
      const columns = io.size()?.columns ?? 80;
      let row = order.get(progress.id);
      if (row === undefined) {
        row = rows.length;
        order.set(progress.id, row);
        write.push('\n');
      }
      rows[row] = `${progress.id}: ${progress.phase} ${bar(progress.current, progress.total, columns)}`;
      changed.add(row);
      timer ??= setTimeout(draw, frame);
    },
    async done() {
      clearTimeout(timer);
      if (changed.size > 0) draw();
      await write.done();
    },
  };
}

/** Up to the row, its text over what was there, and down again. */
function redraw(text: string, up: number): string {
  return `\u001b[${up}A\u001b[2K\r${text}\r\u001b[${up}B`;
}

/** `[=====>      ]  1.2MB/3.4MB` */
export function bar(current: number | undefined, total: number | undefined, columns: number): string {
  if (current === undefined || current <= 0) return '';
  const amount = total === undefined || total <= 0 ? humanSize(current) : `${humanSize(current)}/${humanSize(total)}`;
  if (total === undefined || total <= 0 || columns <= 110 - 50) return amount.padStart(8);
  const width = columns > 110 ? 50 : Math.max(10, columns - 60);
  const filled = Math.min(width, Math.floor((current / total) * width));
  const tip = filled < width ? `${'='.repeat(filled)}>${' '.repeat(width - filled)}` : `${'='.repeat(width)}>`;
  return `[${tip}]  ${amount}`;
}

/** Writes in order, without making the engine wait for a slow terminal. */
function queue(output: Output): { push(text: string): void; done(): Promise<void> } {
  let last: Promise<void> = Promise.resolve();
  return {
    push(text) {
      last = last.then(() => output.write(text)).catch(() => undefined);
    },
    done: () => last,
  };
}
