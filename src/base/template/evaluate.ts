// Go's text/template, part three: a tree and data to text.

import { fail, isHoistError } from '../errors.ts';
import type { At, Node, Operand, Pipe, Tree } from './tree.ts';
import { goPrint, isMap, isNil, isStruct, type Method, sortedEntries, truth, typeName } from './values.ts';

export type Functions = Readonly<Record<string, Method>>;

export interface EvaluateOptions {
  readonly functions: Functions;
  /** `error`: a map without the key is a mistake (text/template's missingkey=error). */
  readonly missingKey: 'default' | 'error';
}

/** What a value that is not there prints as; a nil pointer, null, prints as `<nil>`. */
const noValue = '<no value>';

export function evaluate(tree: Tree, data: unknown, options: EvaluateOptions): string {
  const state: State = {
    tree,
    options,
    template: tree.name,
    variables: [{ name: '$', value: data }],
    out: [],
    depth: 0,
  };
  run(state, tree.nodes, data);
  return state.out.join('');
}

interface State {
  readonly tree: Tree;
  readonly options: EvaluateOptions;
  /** The one being executed, for the messages. */
  readonly template: string;
  variables: { readonly name: string; value: unknown }[];
  readonly out: string[];
  readonly depth: number;
}

type Jump = 'break' | 'continue' | undefined;

function run(state: State, nodes: readonly Node[], dot: unknown): Jump {
  for (const node of nodes) {
    const jump = step(state, node, dot);
    if (jump !== undefined) return jump;
  }
  return undefined;
}

function step(state: State, node: Node, dot: unknown): Jump {
  switch (node.kind) {
    case 'text':
      state.out.push(node.text);
      return undefined;
    case 'action': {
      const value = evaluatePipe(state, node.pipe, dot);
      if (node.pipe.variables.length === 0) state.out.push(value === undefined ? noValue : goPrint(value));
      return undefined;
    }
    case 'if':
    case 'with': {
      const variables = [...state.variables];
      const value = evaluatePipe(state, node.pipe, dot);
      const jump = truth(value)
        ? run(state, node.body, node.kind === 'with' ? value : dot)
        : run(state, node.otherwise, dot);
      state.variables = variables;
      return jump;
    }
    case 'range':
      return runRange(state, node, dot);
    case 'template':
      runTemplate(state, node, dot);
      return undefined;
    default:
      return node.kind;
  }
}

function runRange(state: State, node: Node & { readonly kind: 'range' | 'if' | 'with' }, dot: unknown): Jump {
  const variables = [...state.variables];
  const [first, second] = node.pipe.variables;
  const value = evaluatePipe(state, { ...node.pipe, variables: [] }, dot);
  const items = rangeOver(state, value, node.pipe);
  if (items.length === 0) return run(state, node.otherwise, dot);
  for (const [key, item] of items) {
    state.variables = [...variables];
    const named = second === undefined ? [[first, item] as const] : [[first, key] as const, [second, item] as const];
    for (const [name, bound] of named) if (name !== undefined) bind(state, name, bound, node.pipe.assign);
    if (run(state, node.body, item) === 'break') break;
  }
  state.variables = variables;
  return undefined;
}

function rangeOver(state: State, value: unknown, pipe: Pipe): readonly (readonly [unknown, unknown])[] {
  if (isNil(value)) return [];
  if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item] as const);
  if (isMap(value)) return sortedEntries(value);
  if (typeof value === 'number' && Number.isInteger(value))
    return Array.from({ length: Math.max(0, value) }, (_, i) => [i, i]);
  const at = pipe.commands.at(-1)?.[0];
  return problem(state, at, `range can't iterate over ${goPrint(value)}`);
}

function runTemplate(state: State, node: Node & { readonly kind: 'template' }, dot: unknown): void {
  const nodes = state.tree.defines.get(node.name);
  if (nodes === undefined) problem(state, node, `template ${JSON.stringify(node.name)} not defined`);
  if (state.depth >= 1000) problem(state, node, 'exceeded maximum template depth (1000)');
  const data = node.pipe === undefined ? undefined : evaluatePipe(state, node.pipe, dot);
  const variables = [{ name: '$', value: data }];
  run({ ...state, template: node.name, variables, depth: state.depth + 1 }, nodes, data);
}

function evaluatePipe(state: State, pipe: Pipe, dot: unknown): unknown {
  let value: unknown;
  pipe.commands.forEach((command, index) => {
    value = evaluateCommand(state, command, dot, index > 0 ? [value] : []);
  });
  for (const name of pipe.variables) bind(state, name, value, pipe.assign);
  return value;
}

function bind(state: State, name: string, value: unknown, assign: boolean): void {
  const known = assign ? state.variables.findLast((variable) => variable.name === name) : undefined;
  if (known === undefined) state.variables.push({ name, value });
  else known.value = value;
}

/** The first word is what is called, if it can be; `piped` is the value from the left of the bar, as last argument. */
function evaluateCommand(state: State, command: readonly Operand[], dot: unknown, piped: readonly unknown[]): unknown {
  const [head, ...rest] = command;
  if (head === undefined) return undefined;
  if (head.kind === 'function') return callFunction(state, head, rest, dot, piped);
  if (head.kind === 'chain') {
    const args = (): readonly unknown[] => [...rest.map((operand) => evaluateOperand(state, operand, dot)), ...piped];
    return evaluateChain(state, head, dot, { given: rest.length + piped.length > 0, args });
  }
  if (rest.length + piped.length > 0) {
    problem(
      state,
      head,
      head.kind === 'literal' && isNil(head.value)
        ? 'nil is not a command'
        : `can't give argument to non-function ${head.source}`,
    );
  }
  if (head.kind === 'literal' && isNil(head.value)) problem(state, head, 'nil is not a command');
  return evaluateOperand(state, head, dot);
}

function evaluateOperand(state: State, operand: Operand, dot: unknown): unknown {
  switch (operand.kind) {
    case 'dot':
      return dot;
    case 'literal':
      return operand.value;
    case 'variable':
      return state.variables.findLast((variable) => variable.name === operand.name)?.value;
    case 'pipeline':
      return evaluatePipe(state, operand.pipe, dot);
    case 'function':
      return callFunction(state, operand, [], dot, []);
    case 'chain':
      return evaluateChain(state, operand, dot, { given: false, args: () => [] });
  }
}

interface Arguments {
  readonly given: boolean;
  readonly args: () => readonly unknown[];
}

function evaluateChain(
  state: State,
  chain: Operand & { readonly kind: 'chain' },
  dot: unknown,
  last: Arguments,
): unknown {
  let value = evaluateOperand(state, chain.of, dot);
  chain.fields.forEach((field, index) => {
    const none: Arguments = { given: false, args: () => [] };
    value = fieldOf(state, chain, value, { field, args: index === chain.fields.length - 1 ? last : none });
  });
  return value;
}

function fieldOf(
  state: State,
  at: At,
  value: unknown,
  { field, args }: { readonly field: string; readonly args: Arguments },
): unknown {
  if (isNil(value)) return problem(state, at, `nil pointer evaluating interface {}.${field}`);
  if (isMap(value)) {
    if (args.given) problem(state, at, `${field} is not a method but has arguments`);
    if (!value.has(field) && state.options.missingKey === 'error')
      problem(state, at, `map has no entry for key "${field}"`);
    return value.get(field);
  }
  if (!isStruct(value) || !Object.hasOwn(value, field)) {
    return problem(state, at, `can't evaluate field ${field} in type ${typeName(value)}`);
  }
  const member = value[field];
  if (typeof member === 'function')
    return call(state, at, { name: field, method: member as Method, args: args.args(), operands: [] });
  if (args.given) problem(state, at, `${field} has arguments but cannot be invoked as function`);
  return member;
}

function callFunction(
  state: State,
  at: Operand & { readonly kind: 'function' },
  rest: readonly Operand[],
  dot: unknown,
  piped: readonly unknown[],
): unknown {
  const value = (operand: Operand): unknown => evaluateOperand(state, operand, dot);
  if (at.name === 'and' || at.name === 'or') {
    if (rest.length + piped.length === 0)
      problem(state, at, `wrong number of args for ${at.name}: want at least 1 got 0`);
    // Only as many arguments are looked at as are needed, so that the first can guard the second.
    let last: unknown;
    for (const next of [...rest.map((operand) => () => value(operand)), ...piped.map((item) => () => item)]) {
      last = next();
      if (truth(last) === (at.name === 'or')) return last;
    }
    return last;
  }
  const method = state.options.functions[at.name];
  if (method === undefined) return problem(state, at, `${JSON.stringify(at.name)} is not a defined function`);
  return call(state, at, { name: at.name, method, args: [...rest.map(value), ...piped], operands: rest });
}

/** Functions of Go's that take any number of arguments, after those that their JS form names. */
const variadic = new Set('and or index slice print printf println html js urlquery eq'.split(' '));

interface Call {
  readonly name: string;
  readonly method: Method;
  readonly args: readonly unknown[];
  /** Where the arguments were written; a piped one is in none of them. */
  readonly operands: readonly Operand[];
}

function call(state: State, at: At, { name, method, args, operands }: Call): unknown {
  const fixed = !variadic.has(name);
  if (args.length < method.length || (fixed && args.length > method.length)) {
    const want = `${fixed ? '' : 'at least '}${method.length}`;
    problem(state, at, `wrong number of args for ${name}: want ${want} got ${args.length}`);
  }
  try {
    return method(...args);
  } catch (error) {
    if (!isHoistError(error, 'cli.value')) throw error;
    // A wrong type is told of the argument; what the function says is told of the whole command.
    const wrong = error.message.startsWith('wrong type ') ? operands[args.indexOf(error.cause)] : undefined;
    if (wrong !== undefined) return problem(state, wrong, error.message);
    const source = [at.source, ...operands.map((operand) => operand.source)].join(' ');
    return problem(state, { ...at, source }, `error calling ${name}: ${error.message}`);
  }
}

function problem(state: State, at: At | undefined, message: string): never {
  const where = `${state.tree.name}:${at?.line ?? 1}:${at === undefined ? 0 : at.column}`;
  const source = at === undefined ? '' : ` at <${at.source}>`;
  return fail(
    'invalid',
    'cli.template',
    `template: ${where}: executing ${JSON.stringify(state.template)}${source}: ${message}`,
  );
}
