// Go templates as Docker's --format takes them. The parts: lex, parse, evaluate, functions; this is the way in.

import { evaluate, type Functions } from './evaluate.ts';
import { builtinFunctions, dockerFunctions } from './functions.ts';
import { parseTree } from './parse.ts';

export interface TemplateOptions {
  /** What Go's messages call it; Docker's are mostly ''. */
  readonly name?: string;
  /** Beside Go's own; Docker's helpers where nothing is said. */
  readonly functions?: Functions;
  readonly missingKey?: 'default' | 'error';
}

export interface Template {
  /** Fails with code `cli.template`, in Go's words. */
  execute(data: unknown): string;
}

/** Fails with code `cli.template`, in Go's words. */
export function parseTemplate(source: string, options: TemplateOptions = {}): Template {
  const functions: Functions = { ...builtinFunctions, ...(options.functions ?? dockerFunctions) };
  const tree = parseTree(source, options.name ?? '', new Set(Object.keys(functions)));
  return {
    execute: (data) => evaluate(tree, data, { functions, missingKey: options.missingKey ?? 'default' }),
  };
}
