// Commands on several names: all at once, told in the order they were given; one that fails does not stop the others.

import { isHoistError } from '../base/errors.ts';
import type { Invocation } from './command.ts';
import { sentence } from './failures.ts';
import { isGone } from './session.ts';

/** `act` returns the line to print, if any. `forgive`: a missing object is told but is no failure (rm -f). */
export async function eachRef(
  invocation: Invocation,
  act: (ref: string) => Promise<string | undefined>,
  forgive = false,
): Promise<number> {
  const { io } = invocation;
  const outcomes = invocation.args.map((ref) =>
    act(ref).then(
      (line) => ({ line }),
      (error: unknown) => ({ error }),
    ),
  );
  const failures: string[] = [];
  for (const pending of outcomes) {
    const outcome = await pending;
    if (!('error' in outcome)) {
      if (outcome.line !== undefined) await io.stdout.write(`${outcome.line}\n`);
    } else if (forgive && isGone(outcome.error)) await io.stderr.write(errorLines(outcome.error));
    else failures.push(errorLines(outcome.error));
  }
  await io.stderr.write(failures.join(''));
  return failures.length > 0 ? 1 : 0;
}

/** The sentence and its hint; a bug goes on to the top. */
export function errorLines(error: unknown): string {
  if (!isHoistError(error)) throw error;
  return `${sentence(error)}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}`;
}
