// One line of CSV, as Go's encoding/csv reads it: --mount and the long form of --network.

/** The fields, or undefined where a quote is out of place. */
export function csvFields(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    if (rest.startsWith('"')) {
      const match = /^"((?:[^"]|"")*)"(,|$)/.exec(rest);
      if (match === null) return undefined;
      fields.push((match[1] ?? '').replaceAll('""', '"'));
      if (match[2] === '') return fields;
      rest = rest.slice(match[0].length);
    } else {
      const comma = rest.indexOf(',');
      const field = comma < 0 ? rest : rest.slice(0, comma);
      if (field.includes('"')) return undefined;
      fields.push(field);
      if (comma < 0) return fields;
      rest = rest.slice(comma + 1);
    }
  }
}

/** Values of a flag of type `strings`: each may hold several, with commas between them. */
export function splitStrings(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => (value === '' ? [] : (csvFields(value) ?? [value])));
}
