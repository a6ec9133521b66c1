// The YAML that CDI specifications are written in (by nvidia-ctk and its like): mappings, lists and scalars in blocks,
// flow lists and mappings of one line, comments. Anchors, tags and text blocks are refused. Pure.

import { fail } from '../../base/errors.ts';

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

/** A document as JSON has it. Fails with `yaml.invalid`, naming the line. */
export function parseSimpleYaml(text: string): unknown {
  const lines: Line[] = [];
  text.split('\n').forEach((raw, index) => {
    const line = withoutComment(raw.replace(/\r$/, ''));
    if (line.trim() === '' || line === '---' || line === '...' || line.startsWith('%')) return;
    const indent = line.length - line.trimStart().length;
    if (line.slice(0, indent).includes('\t')) bad(index + 1, 'a tab in the indentation');
    lines.push({ indent, text: line.trim(), number: index + 1 });
  });
  const reader = { lines, at: 0 };
  const value = lines.length === 0 ? null : block(reader, lines[0]?.indent ?? 0);
  const rest = lines[reader.at];
  return rest ? bad(rest.number, 'the indentation fits nothing above') : value;
}

function bad(line: number, words: string): never {
  return fail('invalid', 'yaml.invalid', `line ${line}: ${words}`);
}

function withoutComment(line: string): string {
  for (let at = 0, quote = ''; at < line.length; at++) {
    const letter = line[at] ?? '';
    if (quote !== '') {
      if (letter === '\\' && quote === '"') at++;
      else if (letter === quote) quote = '';
    } else if ((letter === '"' || letter === "'") && /^$|[\s:,[{-]/.test(line[at - 1] ?? '')) quote = letter;
    else if (letter === '#' && (at === 0 || /\s/.test(line[at - 1] ?? ''))) return line.slice(0, at).trimEnd();
  }
  return line.trimEnd();
}

interface Reader {
  readonly lines: Line[];
  at: number;
}

const key = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'[{#&*!|>%@`-][^#]*?|-[^\s#][^#]*?)\s*:(?:\s+(.*))?$/;

function block(reader: Reader, indent: number): unknown {
  const first = reader.lines[reader.at];
  if (!first) return null;
  if (first.text === '-' || first.text.startsWith('- ')) return sequence(reader, indent);
  if (key.test(first.text)) return mapping(reader, indent);
  reader.at++;
  return scalar(first.text, first.number);
}

function sequence(reader: Reader, indent: number): unknown[] {
  const items: unknown[] = [];
  for (let line = reader.lines[reader.at]; line?.indent === indent; line = reader.lines[reader.at]) {
    if (line.text !== '-' && !line.text.startsWith('- ')) break;
    const rest = line.text.slice(1).trimStart();
    if (rest === '') {
      reader.at++;
      items.push(nested(reader, indent + 1));
      continue;
    }
    // what follows the dash is a block of its own, as deep as it stands there
    const inner = indent + line.text.length - rest.length;
    reader.lines[reader.at] = { ...line, indent: inner, text: rest };
    items.push(block(reader, inner));
  }
  return items;
}

function mapping(reader: Reader, indent: number): Record<string, unknown> {
  const found = new Map<string, unknown>();
  for (let line = reader.lines[reader.at]; line?.indent === indent; line = reader.lines[reader.at]) {
    const [, name, value = ''] = key.exec(line.text) ?? bad(line.number, 'neither a key nor an item');
    const plain = String(scalar(name ?? '', line.number));
    if (found.has(plain)) bad(line.number, `${plain} is there twice`);
    reader.at++;
    // a list may stand as deep as the key that it belongs to
    const next = reader.lines[reader.at];
    const list = next?.indent === indent && (next.text === '-' || next.text.startsWith('- '));
    found.set(plain, value !== '' ? scalar(value, line.number) : nested(reader, list ? indent : indent + 1));
  }
  return Object.fromEntries(found);
}

function nested(reader: Reader, least: number): unknown {
  const next = reader.lines[reader.at];
  return next && next.indent >= least ? block(reader, next.indent) : null;
}

function scalar(text: string, line: number): unknown {
  if (/^[&*!|>@`%]/.test(text)) bad(line, `this YAML is not understood here: ${text}`);
  if (text.startsWith('[') || text.startsWith('{')) return flow(text, line);
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (text.startsWith('"')) return quoted(text, line);
  if (/^(null|~|Null|NULL)$/.test(text)) return null;
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  if (/^0o?[0-7]+$/.test(text)) return Number.parseInt(text.replace('o', ''), 8);
  if (/^[-+]?\d{1,15}$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text)) return Number(text);
  return text;
}

function quoted(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return bad(line, `no string: ${text}`);
  }
}

/** A list or a mapping of one line: its separators outside of quotation marks and brackets. */
function flow(text: string, line: number): unknown {
  const close = text.startsWith('[') ? ']' : '}';
  if (!text.endsWith(close)) bad(line, 'a list or mapping in brackets must end in its line');
  const parts: string[] = [''];
  let depth = 0;
  let quote = '';
  for (const letter of text.slice(1, -1)) {
    if (quote !== '') quote = letter === quote ? '' : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if ('[{'.includes(letter)) depth++;
    else if (']}'.includes(letter)) depth--;
    if (letter === ',' && depth === 0 && quote === '') parts.push('');
    else parts.push(`${parts.pop() ?? ''}${letter}`);
  }
  const items = parts.map((part) => part.trim()).filter((part, index) => part !== '' || index < parts.length - 1);
  if (close === ']') return items.map((item) => scalar(item, line));
  return Object.fromEntries(
    items.map((item) => {
      const [, name = '', value = ''] = key.exec(item) ?? bad(line, `no key: ${item}`);
      return [String(scalar(name, line)), value === '' ? null : scalar(value, line)];
    }),
  );
}
