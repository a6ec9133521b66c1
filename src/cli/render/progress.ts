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
      const silent = ['Downloading', 'Extracting', 'Pushing'].includes(progress.phase);
      if (silent || phases.get(progress.id) === progress.phase) return;
      phases.set(progress.id, progress.phase);
      write.push(`${progress.id}: ${progress.phase}\n`);
    },
    done: write.done,
  };
}

function bars(output: Output, io: Io): ProgressView {
  const write = queue(output);
  /** Lines below the first row, messages among them: how far up a row is. */
  let height = 0;
  const rows = new Map<string, { readonly line: number; text: string }>();
  const changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const draw = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const texts = [...changed].map((id) => {
      const { line, text } = rows.get(id) ?? { line: 0, text: '' };
      return redraw(text, height - line);
    });
    changed.clear();
    if (texts.length > 0) write.push(texts.join(''));
  };
  return {
    report(progress) {
      if (progress.kind === 'message') {
        draw();
        write.push(`${progress.text}\n`);
        height += rows.size > 0 ? 1 : 0;
        return;
      }
      const columns = io.size()?.columns ?? 80;
      const detail = bar(progress.current, progress.total, columns);
      const text = `${progress.id}: ${progress.phase} ${detail}`.slice(0, columns - 1);
      const row = rows.get(progress.id);
      if (row === undefined) {
        rows.set(progress.id, { line: height, text });
        height++;
        write.push('\n');
      } else row.text = text;
      changed.add(progress.id);
      timer ??= setTimeout(draw, frame);
    },
    async done() {
      draw();
      await write.done();
    },
  };
}

/** Up to the row, its text over what was there, and down again. */
function redraw(text: string, up: number): string {
  return `\u001b[${up}A\u001b[2K\r${text}\r\u001b[${up}B`;
}

/** `[=====>      ]   1.2MB/3.4MB`: 50 columns wide, less on a narrow terminal. */
export function bar(current: number | undefined, total: number | undefined, columns: number): string {
  if (current === undefined || current <= 0) return '';
  const amount = humanSize(current).padStart(8);
  if (total === undefined || total <= 0 || current > total) return amount;
  const width = Math.min(50, columns - 60);
  if (width < 10) return `${amount}/${humanSize(total)}`;
  const filled = Math.floor((current / total) * width);
  return `[${'='.repeat(filled)}>${' '.repeat(width - filled)}] ${amount}/${humanSize(total)}`;
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
