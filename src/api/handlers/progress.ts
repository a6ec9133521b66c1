// A long work that reports while it goes, as a stream of lines at the reader's pace.

import type { ProgressLine } from '../../spec/docker/progress.ts';

/** More than that is not kept for a reader that is slow: amounts of one layer replace each other. */
const enough = 64;

/** Fails when the work does, behind what it said before. A reader that stops does not stop the work: its signal does. */
export async function* progressLines(
  work: (say: (line: ProgressLine) => void) => Promise<void>,
): AsyncGenerator<ProgressLine> {
  const lines: ProgressLine[] = [];
  let wake = (): void => {};
  let ended: { readonly error?: unknown } | undefined;
  const say = (line: ProgressLine): void => {
    const older = lines.length > enough ? lines.findIndex((one) => sameAmount(one, line)) : -1;
    if (older >= 0) lines[older] = line;
    else lines.push(line);
    wake();
  };
  work(say).then(
    () => {
      ended = {};
      wake();
    },
    (error: unknown) => {
      ended = { error };
      wake();
    },
  );
  for (;;) {
    for (let line = lines.shift(); line !== undefined; line = lines.shift()) yield line;
    if (ended && lines.length === 0) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (ended || lines.length > 0) resolve();
    });
  }
  if ('error' in ended) throw ended.error;
}

function sameAmount(one: ProgressLine, other: ProgressLine): boolean {
  return one.id === other.id && one.status === other.status && one.progressDetail?.current !== undefined;
}
