// Go's text/template, part one: the text cut into what stands between the braces and what does not, with the trim
// markers `{{-` and `-}}` applied and comments dropped, and each action cut into tokens.
// https://pkg.go.dev/text/template

import { fail } from '../errors.ts';

export type TokenKind =
  | 'text' // outside of actions
  | 'open' // {{
  | 'close' // }}
  | 'field' // .Name
  | 'dot'
  | 'variable' // $x, $
  | 'identifier' // functions and keywords
  | 'string'
  | 'number'
  | 'char'
  | 'pipe'
  | 'declare' // :=
  | 'assign' // =
  | 'comma'
  | 'left' // (
  | 'right'
  | 'space'
  | 'other' // a character that means nothing here
  | 'end'; // of the template

export interface Token {
  readonly kind: TokenKind;
  /** As written; for text, what is left of it after trimming. */
  readonly text: string;
  readonly line: number;
  /** Byte offset in its line, as Go counts it. */
  readonly column: number;
}

/** Fails with code `cli.template`; `name` is the template's, for the message. */
export function lex(source: string, name: string): readonly Token[] {
  const lexer: Lexer = { source, name, at: 0, tokens: [] };
  while (lexer.at < source.length) {
    const open = source.indexOf('{{', lexer.at);
    const end = open < 0 ? source.length : open;
    const trim = open >= 0 && /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    const text = source.slice(lexer.at, end);
    if (text !== '') push(lexer, 'text', trim ? text.replace(/[ \t\r\n]+$/, '') : text);
    lexer.at = end;
    if (open >= 0) lexAction(lexer, trim);
  }
  push(lexer, 'end', '');
  return lexer.tokens;
}

interface Lexer {
  readonly source: string;
  readonly name: string;
  at: number;
  readonly tokens: Token[];
}

function lexAction(lexer: Lexer, trim: boolean): void {
  const start = lexer.at;
  const after = start + (trim ? 3 : 2);
  const comment = /^\s*\/\*/.exec(lexer.source.slice(after));
  if (comment !== null && (trim || !/\s/.test(comment[0]))) {
    skipComment(lexer, after);
    return;
  }
  push(lexer, 'open', '{{');
  lexer.at = after;
  let depth = 0;
  for (;;) {
    const rest = lexer.source.slice(lexer.at);
    if (rest === '') lexError(lexer, depth > 0 ? 'unclosed left paren' : 'unclosed action');
    const close = /^(?:[ \t\r\n]+-)?\}\}/.exec(rest);
    if (close !== null) {
      if (depth > 0) lexError(lexer, 'unclosed left paren');
      push(lexer, 'close', '}}');
      lexer.at += close[0].length;
      if (close[0].length > 2) lexer.at += /^[ \t\r\n]*/.exec(lexer.source.slice(lexer.at))?.[0].length ?? 0;
      return;
    }
    const kind = lexToken(lexer, rest);
    if (kind === 'left') depth++;
    if (kind === 'right' && --depth < 0) lexError(lexer, 'unexpected right paren');
  }
}

function skipComment(lexer: Lexer, from: number): void {
  const end = lexer.source.indexOf('*/', from);
  if (end < 0) lexError(lexer, 'unclosed comment');
  const close = /^(?:[ \t\r\n]+-)?\}\}/.exec(lexer.source.slice(end + 2));
  if (close === null) lexError(lexer, 'comment ends before closing delimiter');
  lexer.at = end + 2 + close[0].length;
  if (close[0].length > 2) lexer.at += /^[ \t\r\n]*/.exec(lexer.source.slice(lexer.at))?.[0].length ?? 0;
}

const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /^[ \t\r\n]+/],
  ['declare', /^:=/],
  ['assign', /^=/],
  ['pipe', /^\|/],
  ['comma', /^,/],
  ['left', /^\(/],
  ['right', /^\)/],
  ['string', /^"(?:[^"\\\n]|\\.)*"/],
  ['string', /^`[^`]*`/],
  ['char', /^'(?:[^'\\\n]|\\[^\n][^'\n]*)'/u],
  ['number', /^[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/],
  ['variable', /^\$[\p{L}\p{Nd}_]*/u],
  ['field', /^\.[\p{L}_][\p{L}\p{Nd}_]*/u],
  ['dot', /^\./],
  ['identifier', /^[\p{L}_][\p{L}\p{Nd}_]*/u],
];

function lexToken(lexer: Lexer, rest: string): TokenKind {
  for (const [kind, pattern] of patterns) {
    const match = pattern.exec(rest);
    if (match === null) continue;
    push(lexer, kind, match[0]);
    lexer.at += match[0].length;
    checkEnd(lexer, kind, match[0]);
    return kind;
  }
  if (rest.startsWith('"')) lexError(lexer, 'unterminated quoted string');
  if (rest.startsWith('`')) lexError(lexer, 'unterminated raw quoted string');
  if (rest.startsWith("'")) lexError(lexer, 'unterminated character constant');
  if (rest.startsWith(':')) lexError(lexer, 'expected :=');
  const printable = /^[!-~]/.exec(rest)?.[0];
  if (printable === undefined) return badCharacter(lexer);
  push(lexer, 'other', printable);
  lexer.at++;
  return 'other';
}

/** A word must end where a word may end: `.Foo@` and `3k` are mistakes. */
function checkEnd(lexer: Lexer, kind: TokenKind, text: string): void {
  const next = /^./su.exec(lexer.source.slice(lexer.at))?.[0];
  if (next === undefined) return;
  if (kind === 'number' && /[\p{L}\p{Nd}_.]/u.test(next))
    lexError(lexer, `bad number syntax: ${JSON.stringify(text + next)}`);
  if (!['field', 'variable', 'identifier'].includes(kind)) return;
  if (!/[ \t\r\n.,|:()=]/.test(next) && !lexer.source.startsWith('}}', lexer.at)) badCharacter(lexer);
}

function badCharacter(lexer: Lexer): never {
  const character = /^./su.exec(lexer.source.slice(lexer.at))?.[0] ?? '';
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return lexError(lexer, `bad character U+${code} '${character}'`);
}

function push(lexer: Lexer, kind: TokenKind, text: string): void {
  lexer.tokens.push({ kind, text, ...position(lexer) });
}

function position(lexer: Lexer): { readonly line: number; readonly column: number } {
  const before = lexer.source.slice(0, lexer.at);
  const newline = before.lastIndexOf('\n');
  return { line: before.split('\n').length, column: Buffer.byteLength(before.slice(newline + 1)) };
}

function lexError(lexer: Lexer, message: string): never {
  return fail('invalid', 'cli.template', `template: ${lexer.name}:${position(lexer).line}: ${message}`);
}
