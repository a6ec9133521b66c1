// The names of keys in a detach sequence (`ctrl-p,ctrl-q`), as Docker's terminal library has them.

const controls: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/** The byte that a terminal sends for `a` or `ctrl-a`; undefined: no such key. */
export function detachKeyByte(key: string): number | undefined {
  if ([...key].length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
  const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1]?.toLowerCase();
  return control === undefined ? undefined : (controls[control] ?? control.charCodeAt(0) - 96);
}
