// Go string and character literals: unquoting, and %q.

const simple: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The value of `"…"` or a raw string in backquotes. */
export function goString(literal: string): string {
  const body = literal.slice(1, -1);
  if (literal.startsWith('`')) return body.replaceAll('\r', '');
  return body.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))/gs,
    (whole, x?: string, u?: string, long?: string, octal?: string, letter?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      return (letter === undefined ? undefined : simple[letter]) ?? whole;
    },
  );
}

const shortEscapes = new Map(Object.entries(simple).map(([letter, character]) => [character, `\\${letter}`]));

/** %q */
export function quoted(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  const inner = [...text].map((character) => {
    if (character === "'") return character;
    const code = character.codePointAt(0) ?? 0;
    const short = shortEscapes.get(character);
    if (short !== undefined) return short;
    return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : character;
  });
  return `"${inner.join('')}"`;
}
