// --detach-keys: `ctrl-p,ctrl-q`, `a`, `ctrl-a,a` as the bytes that a terminal sends (moby/term's names).

import { fail } from '../../base/errors.ts';
import type { FlagValues } from '../command.ts';
import { clientConfig } from '../config.ts';
import type { Io } from '../io.ts';

const controls: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

const defaultDetachKeys = Uint8Array.of(16, 17);

/** From the flag, or the user's config.json, or ctrl-p,ctrl-q. */
export async function detachKeysOf(flags: FlagValues, io: Io): Promise<Uint8Array> {
  return detachKeys(flags.string('detach-keys') || (await clientConfig(io)).detachKeys);
}

export function detachKeys(text: string): Uint8Array {
  if (text === '') return defaultDetachKeys;
  return Uint8Array.from(
    text.split(',').map((key) => {
      if ([...key].length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
      const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1]?.toLowerCase();
      if (control === undefined)
        return fail('invalid', 'cli.detach_keys', `invalid detach keys (${text}): Unknown character: '${key}'`);
      return controls[control] ?? control.charCodeAt(0) - 96;
    }),
  );
}
