// Go's text/template, part two: tokens to a tree.

import { fail } from '../errors.ts';
import { lex, type Token } from './lex.ts';
import { goString, quoted } from './strings.ts';
import type { At, Node, Operand, Pipe, Tree } from './tree.ts';

/** `functions`: the names that may be called. */
export function parseTree(source: string, name: string, functions: ReadonlySet<string>): Tree {
  const parser: Parser = {
    name,
    functions,
    tokens: lex(source, name),
    at: 0,
    defines: new Map(),
    scope: ['$'],
    loops: 0,
  };
  const { nodes, stop } = parseList(parser);
  if (stop !== undefined) unexpected(parser, `{{${stop}}}`);
  return { name, nodes, defines: parser.defines };
}

interface Parser {
  readonly name: string;
  readonly functions: ReadonlySet<string>;
  readonly tokens: readonly Token[];
  at: number;
  readonly defines: Map<string, readonly Node[]>;
  scope: string[];
  loops: number;
}

type Stop = 'end' | 'else';

/** Until the end of the source, or `{{end}}` or `{{else`, which is left half-read. */
function parseList(parser: Parser): { readonly nodes: readonly Node[]; readonly stop: Stop | undefined } {
  const nodes: Node[] = [];
  for (;;) {
    const token = take(parser);
    if (token.kind === 'end') return { nodes, stop: undefined };
    if (token.kind === 'text') {
      nodes.push({ kind: 'text', text: token.text });
      continue;
    }
    skipSpace(parser);
    const word = peek(parser);
    if (word.kind === 'identifier' && (word.text === 'end' || word.text === 'else')) {
      take(parser);
      if (word.text === 'end') close(parser, 'end');
      return { nodes, stop: word.text };
    }
    const node = word.kind === 'identifier' ? parseKeyword(parser, word) : undefined;
    if (node === 'define') continue;
    nodes.push(node ?? { kind: 'action', pipe: parsePipe(parser, 'command', 'close') });
  }
}

function parseKeyword(parser: Parser, word: Token): Node | 'define' | undefined {
  const keyword = word.text;
  if (keyword === 'if' || keyword === 'with' || keyword === 'range') {
    take(parser);
    return parseControl(parser, keyword);
  }
  if (keyword === 'break' || keyword === 'continue') {
    take(parser);
    if (parser.loops === 0) wrong(parser, `{{${keyword}}} outside {{range}}`, word.line);
    close(parser, keyword);
    return { kind: keyword };
  }
  if (keyword === 'template' || keyword === 'block' || keyword === 'define') {
    take(parser);
    return parseTemplate(parser, keyword);
  }
  return undefined;
}

function parseControl(parser: Parser, kind: 'if' | 'with' | 'range'): Node {
  const scope = parser.scope;
  parser.scope = [...scope];
  const pipe = parsePipe(parser, kind, 'close');
  if (kind === 'range') parser.loops++;
  const { nodes: body, stop } = parseList(parser);
  if (kind === 'range') parser.loops--;
  let otherwise: readonly Node[] = [];
  if (stop === undefined) unexpected(parser, 'EOF');
  if (stop === 'else') otherwise = parseElse(parser, kind);
  parser.scope = scope;
  return { kind, pipe, body, otherwise };
}

/** `{{else}}…{{end}}`, or `{{else if x}}` (and `{{else with x}}`), which need no end of their own. */
function parseElse(parser: Parser, kind: 'if' | 'with' | 'range'): readonly Node[] {
  skipSpace(parser);
  const word = peek(parser);
  if (word.kind === 'identifier' && (word.text === 'if' || word.text === 'with') && word.text === kind) {
    take(parser);
    return [parseControl(parser, kind)];
  }
  close(parser, 'else');
  const { nodes, stop } = parseList(parser);
  if (stop === undefined) unexpected(parser, 'EOF');
  if (stop === 'else') wrong(parser, 'expected end; found {{else}}', word.line);
  return nodes;
}

function parseTemplate(parser: Parser, keyword: 'template' | 'block' | 'define'): Node | 'define' {
  skipSpace(parser);
  const token = take(parser);
  if (token.kind !== 'string') unexpected(parser, describe(token), `${keyword} clause`);
  const name = goString(token.text);
  skipSpace(parser);
  const at = { line: token.line, column: token.column, source: `{{template ${quoted(name)}}}` };
  if (keyword === 'template') {
    const pipe = peek(parser).kind === 'close' ? undefined : parsePipe(parser, 'template clause', 'close');
    if (pipe === undefined) take(parser);
    return { ...at, kind: 'template', name, pipe };
  }
  const pipe = keyword === 'block' ? parsePipe(parser, 'block clause', 'close') : undefined;
  if (keyword === 'define') close(parser, 'define clause');
  const scope = parser.scope;
  parser.scope = ['$'];
  const { nodes, stop } = parseList(parser);
  if (stop === undefined) unexpected(parser, 'EOF');
  if (stop === 'else') unexpected(parser, '{{else}}', `${keyword} clause`);
  parser.scope = scope;
  parser.defines.set(name, nodes);
  return keyword === 'define' ? 'define' : { ...at, kind: 'template', name, pipe };
}

/** `$x := a b | c d`, up to and with `}}` or `)`. */
function parsePipe(parser: Parser, context: string, end: 'close' | 'right'): Pipe {
  const { variables, assign } = parseDeclarations(parser, context);
  const commands: (readonly Operand[])[] = [];
  for (;;) {
    const args = parseCommand(parser, context);
    const token = take(parser);
    if (args.length === 0 && token.kind === 'pipe') unexpected(parser, quoted('|'), 'command');
    // A bar with nothing after it is let through, as Go does.
    if (args.length === 0 && commands.length > 0 && token.kind === end) break;
    if (args.length === 0) wrong(parser, `missing value for ${context}`, token.line);
    if (commands.length > 0 && !['function', 'chain', 'variable'].includes(args[0]?.kind ?? '')) {
      wrong(parser, `non executable command in pipeline stage ${commands.length + 1}`, token.line);
    }
    commands.push(args);
    if (token.kind === end) break;
    if (token.kind !== 'pipe') unexpected(parser, describe(token), context);
  }
  parser.scope.push(...(assign ? [] : variables));
  return { variables, assign, commands };
}

function parseDeclarations(
  parser: Parser,
  context: string,
): { readonly variables: string[]; readonly assign: boolean } {
  skipSpace(parser);
  const start = parser.at;
  const variables: string[] = [];
  while (peek(parser).kind === 'variable') {
    variables.push(take(parser).text);
    skipSpace(parser);
    const next = peek(parser);
    if (next.kind === 'declare' || next.kind === 'assign') {
      take(parser);
      const name = variables.find((variable) => next.kind === 'assign' && !parser.scope.includes(variable));
      if (name !== undefined) wrong(parser, `undefined variable ${JSON.stringify(name)}`, next.line);
      if (variables.length > 2) wrong(parser, `too many declarations in ${context}`, next.line);
      return { variables, assign: next.kind === 'assign' };
    }
    if (next.kind !== 'comma' || context !== 'range') break;
    take(parser);
    skipSpace(parser);
  }
  parser.at = start;
  return { variables: [], assign: false };
}

function parseCommand(parser: Parser, context: string): readonly Operand[] {
  const args: Operand[] = [];
  for (;;) {
    skipSpace(parser);
    if (['close', 'right', 'pipe', 'end'].includes(peek(parser).kind)) return args;
    args.push(parseOperand(parser, context));
    const next = peek(parser).kind;
    if (!['space', 'close', 'right', 'pipe', 'end'].includes(next))
      unexpected(parser, describe(peek(parser)), 'operand');
  }
}

function parseOperand(parser: Parser, context: string): Operand {
  const start = take(parser);
  const at = { line: start.line, column: start.column, source: start.text };
  let operand = parseTerm(parser, start, at, context);
  const fields: string[] = [];
  if (start.kind === 'field') fields.push(start.text.slice(1));
  // Go places a chain where its second part begins.
  const place = peek(parser).kind === 'field' ? peek(parser) : start;
  while (peek(parser).kind === 'field') fields.push(take(parser).text.slice(1));
  if (fields.length === 0) return operand;
  if (operand.kind === 'literal') wrong(parser, `unexpected . after term ${quoted(start.text)}`, start.line);
  const source = `${operand.kind === 'dot' ? '' : operand.source}${fields.map((field) => `.${field}`).join('')}`;
  operand = { line: place.line, column: place.column, source, kind: 'chain', of: operand, fields };
  return operand;
}

function parseTerm(parser: Parser, token: Token, at: At, context: string): Operand {
  switch (token.kind) {
    case 'field':
    case 'dot':
      return { ...at, kind: 'dot' };
    case 'variable':
      if (!parser.scope.includes(token.text))
        wrong(parser, `undefined variable ${JSON.stringify(token.text)}`, token.line);
      return { ...at, kind: 'variable', name: token.text };
    case 'string':
      return { ...at, kind: 'literal', value: goString(token.text) };
    case 'char':
      return { ...at, kind: 'literal', value: goString(`"${token.text.slice(1, -1)}"`).codePointAt(0) };
    case 'number':
      return { ...at, kind: 'literal', value: Number(token.text.replaceAll('_', '')) };
    case 'left': {
      const pipe = parsePipe(parser, 'parenthesized pipeline', 'right');
      return { ...at, source: `(${pipeSource(pipe)})`, kind: 'pipeline', pipe };
    }
    case 'identifier':
      if (token.text === 'true' || token.text === 'false')
        return { ...at, kind: 'literal', value: token.text === 'true' };
      if (token.text === 'nil') return { ...at, kind: 'literal', value: undefined };
      if (!parser.functions.has(token.text))
        wrong(parser, `function ${JSON.stringify(token.text)} not defined`, token.line);
      return { ...at, kind: 'function', name: token.text };
    default:
      return unexpected(parser, describe(token), context);
  }
}

function pipeSource(pipe: Pipe): string {
  return pipe.commands.map((command) => command.map((operand) => operand.source).join(' ')).join(' | ');
}

function peek(parser: Parser): Token {
  const token = parser.tokens[parser.at];
  if (token === undefined) throw new Error('read past the end of a template');
  return token;
}

function take(parser: Parser): Token {
  const token = peek(parser);
  if (token.kind !== 'end') parser.at++;
  return token;
}

function skipSpace(parser: Parser): void {
  while (peek(parser).kind === 'space') parser.at++;
}

function close(parser: Parser, context: string): void {
  skipSpace(parser);
  const token = take(parser);
  if (token.kind !== 'close') unexpected(parser, describe(token), context);
}

const keywords = new Set('block break continue define else end if nil range template with'.split(' '));

/** A token as Go quotes it in its messages. */
function describe(token: Token): string {
  if (token.kind === 'end') return 'EOF';
  if (token.kind === 'identifier' && keywords.has(token.text)) return `<${token.text}>`;
  return token.text.length > 10 ? `${quoted(token.text.slice(0, 10))}...` : quoted(token.text);
}

function unexpected(parser: Parser, what: string, context?: string): never {
  const line = (parser.tokens[Math.max(0, parser.at - 1)] ?? peek(parser)).line;
  return wrong(parser, `unexpected ${what}${context === undefined || what === 'EOF' ? '' : ` in ${context}`}`, line);
}

function wrong(parser: Parser, message: string, line: number): never {
  return fail('invalid', 'cli.template', `template: ${parser.name}:${line}: ${message}`);
}
