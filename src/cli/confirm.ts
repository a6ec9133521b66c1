// `[y/N]`: the question before something is thrown away. Anything but a yes is a no, the end of the input too.

import type { Io } from './io.ts';

/** `warning` is what is about to happen; asked on stdout, as Docker's client asks. */
export async function confirmed(io: Io, warning: string): Promise<boolean> {
  await io.stdout.write(`${warning}\nAre you sure you want to continue? [y/N] `);
  const answer = await firstLine(io);
  return /^y(es)?$/i.test(answer.trim());
}

/** The end of the input is an empty line. */
export async function firstLine(io: Io, unseen = false): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of io.stdin.read(unseen)) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('\n')) break;
  }
  return text.split('\n', 1)[0] ?? '';
}
