// --detach-keys: `ctrl-p,ctrl-q`, `a`, `ctrl-a,a` as the bytes that a terminal sends.

import { fail } from '../../base/errors.ts';
import { detachKeyByte } from '../../spec/docker/detach-keys.ts';
import type { FlagValues } from '../command.ts';
import { clientConfig } from '../config.ts';
import type { Io } from '../io.ts';

const defaultDetachKeys = Uint8Array.of(16, 17);

/** From the flag, or the user's config.json, or ctrl-p,ctrl-q. */
export async function detachKeysOf(flags: FlagValues, io: Io): Promise<Uint8Array> {
  return detachKeys(flags.string('detach-keys') || (await clientConfig(io)).detachKeys);
}

export function detachKeys(text: string): Uint8Array {
  if (text === '') return defaultDetachKeys;
  return Uint8Array.from(
    text
      .split(',')
      .map(
        (key) =>
          detachKeyByte(key) ??
          fail('invalid', 'cli.detach_keys', `invalid detach keys (${text}): Unknown character: '${key}'`),
      ),
  );
}
