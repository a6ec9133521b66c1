// Signal names and numbers (signal(7); x86 and arm64 agree), as --stop-signal, kill and exit codes need them.

import { fail } from '../base/errors.ts';

const named =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );
const aliases: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29 };

/** What glibc and musl leave to programs: the kernel's 32 and 33 are theirs. */
const rtMin = 34;
const rtMax = 64;

/** Number of `SIGKILL`, `kill`, `9`, `RTMIN+3`, `SIGRTMAX-1`. Fails with `signal.invalid`. */
export function parseSignal(text: string): number {
  const number = signalNumber(text);
  if (number === undefined) {
    fail('invalid', 'signal.invalid', `invalid signal: ${text}`, {
      hint: 'use a name of signal(7) or a number from 1 to 64',
    });
  }
  return number;
}

/** `SIGKILL` of 9, `SIGRTMIN+3` of 37; the bare number for one without a name. */
export function signalName(number: number): string {
  const name = named[number - 1];
  if (name !== undefined) return `SIG${name}`;
  if (number === rtMax) return 'SIGRTMAX';
  if (number === rtMin) return 'SIGRTMIN';
  return number > rtMin && number < rtMax ? `SIGRTMIN+${number - rtMin}` : String(number);
}

function signalNumber(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= rtMax ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const index = named.indexOf(name);
  if (index >= 0) return index + 1;
  const alias = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
  if (alias !== undefined) return alias;
  const [, base, offset] = /^(RTMIN|RTMAX)(?:([+-]\d{1,2}))?$/.exec(name) ?? [];
  if (base === undefined) return undefined;
  const number = (base === 'RTMIN' ? rtMin : rtMax) + Number(offset ?? 0);
  return number >= rtMin && number <= rtMax ? number : undefined;
}
