// YAML for documents of others. Import this file with `await import(…)` alone: most commands need no YAML, and loading it
// takes longer than they do.

import { parse } from 'yaml';

/** As Go's programs read it: 0666 is octal (YAML 1.1). Aliases cannot make much of little. Throws where it is no YAML. */
export function parseYaml(text: string): unknown {
  return parse(text, { version: '1.1', maxAliasCount: 100, logLevel: 'error' });
}
