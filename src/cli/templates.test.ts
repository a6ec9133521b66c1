// Go's templates: values, scopes, functions, messages; and that a template reaches nothing but its data.

import assert from 'node:assert/strict';
import test from 'node:test';
import { parseTemplate } from '../base/template/template.ts';
import { runCli } from './app.ts';
import { container } from './testing/documents.ts';
import { fakeEngine } from './testing/engine.ts';
import { fakeIo } from './testing/io.ts';
import { templates } from './testing/templates.ts';

const print = (source: string, data?: unknown): string => parseTemplate(source).execute(data);

test('every template of the comparison with Docker prints or fails as it did there', async () => {
  assert.ok(templates.length > 70);
  for (const [template, prints] of templates) {
    const io = fakeIo();
    const code = await runCli(['inspect', '-f', template, 'web'], io, () => fakeEngine({ containers: [container] }));
    const told = code === 0 ? io.out().replace(/\n$/, '') : io.err().replace(/\n$/, '');
    assert.equal(told, prints, template);
  }
});

test('values print as fmt prints them', () => {
  const data = {
    n: 3,
    f: 1.5,
    big: 1e21,
    tiny: 0.00001,
    t: true,
    list: ['a', 1, undefined],
    map: new Map<string, unknown>([
      ['b', 2],
      ['a', 1],
    ]),
    s: { x: 1, y: 'z' },
  };
  assert.equal(print('{{.n}} {{.f}} {{.big}} {{.tiny}} {{.t}}', data), '3 1.5 1e+21 1e-05 true');
  assert.equal(print('{{.list}} {{.map}} {{.s}} {{.map.nope}}', data), '[a 1 <nil>] map[a:1 b:2] {1 z} <no value>');
});

test('trim markers eat the white space on their side only', () => {
  assert.equal(print('a  {{- 1 -}}  b {{2 -}}\n\tc {{- /* gone */ -}} d'), 'a1b 2cd');
  assert.equal(print('{{-1}} {{3 -}} '), '-1 3');
});

test('variables have scopes, and = changes the outer one', () => {
  assert.equal(print('{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}'), '21');
  assert.equal(print('{{$x := 1}}{{range 3}}{{$x = .}}{{end}}{{$x}}'), '2');
  assert.throws(() => print('{{if true}}{{$x := 2}}{{end}}{{$x}}'), /undefined variable "\$x"/);
  assert.throws(() => print('{{$x = 1}}'), /undefined variable "\$x"/);
});

test('range has an index and an element, an else, break and continue', () => {
  const data = {
    list: ['a', 'b', 'c'],
    map: new Map([
      ['k', 'v'],
      ['j', 'w'],
    ]),
    none: [],
  };
  assert.equal(print('{{range $i, $e := .list}}{{$i}}{{$e}} {{end}}', data), '0a 1b 2c ');
  assert.equal(print('{{range $k, $v := .map}}{{$k}}={{$v}},{{end}}', data), 'j=w,k=v,');
  assert.equal(print('{{range .none}}x{{else}}none{{end}}', data), 'none');
  assert.equal(print('{{range .list}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', data), 'ac');
  assert.equal(print('{{range .list}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', data), 'a');
});

test('and and or stop at the value that decides', () => {
  assert.equal(print('{{and 0 (index .nothing 1)}}', { nothing: [] }), '0');
  assert.equal(print('{{or "x" (index .nothing 1)}}', { nothing: [] }), 'x');
  assert.equal(print('{{and 1 2}} {{or 0 ""}} {{not 0}}'), '2  true');
});

test('with changes the dot, $ keeps the data, else with goes on', () => {
  const data = { a: { b: 1 }, c: 'c', none: undefined };
  assert.equal(print('{{with .a}}{{.b}}{{$.c}}{{end}}', data), '1c');
  assert.equal(print('{{with .none}}x{{else with .c}}{{.}}{{end}}', data), 'c');
  assert.equal(print('{{with $y := .c}}{{$y}}{{end}}', data), 'c');
});

test('define, template and block, with recursion bounded', () => {
  assert.equal(print('{{define "t"}}[{{.}}]{{end}}{{template "t" 1}}{{template "t"}}'), '[1][<no value>]');
  assert.equal(print('{{block "b" .}}B{{.x}}{{end}}', { x: 1 }), 'B1');
  assert.throws(
    () => print('{{define "t"}}{{template "t" .}}{{end}}{{template "t"}}'),
    /exceeded maximum template depth/,
  );
});

test('comparisons take numbers and strings, and refuse to mix them', () => {
  assert.equal(
    print('{{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{le "b" "a"}} {{gt 2.5 2}} {{ge 2 2}}'),
    'true true true false true true',
  );
  assert.throws(() => print('{{eq 1 "1"}}'), /incompatible types for comparison/);
  assert.throws(() => print('{{lt true false}}'), /invalid type for comparison/);
});

test('printf pads, signs and complains as fmt does', () => {
  const cases = [
    ['%5d|%-5d|%05d|%+d|%x|%X|%o|%b', [42, 42, 42, 42, 255, 255, 8, 5], '   42|42   |00042|+42|ff|FF|10|101'],
    ['%s %q %v %5s|%-5s|%.2s', ['a', 'b"', 'c', 'd', 'e', 'fgh'], 'a "b\\"" c     d|e    |fg'],
    ['%.2f %6.1f %e %g', [7.12345, 2.25, 1234.5, 0.5], '7.12    2.2 1.234500e+03 0.5'],
    ['%t %c %U %% %T', [true, 65, 65, 'x'], 'true A U+0041 % string'],
    ['%d %s', ['x', 1], '%!d(string=x) %!s(int=1)'],
    ['%d', [], '%!d(MISSING)'],
    ['a', [1, 'b'], 'a%!(EXTRA int=1, string=b)'],
    ['%v %s', [['a', 'b'], ['c']], '[a b] [c]'],
    ['%*d', [5, 42], '   42'],
  ] as const;
  for (const [format, args, expected] of cases) {
    const words = args.map((_, i) => `(index .args ${i})`).join(' ');
    assert.equal(print(`{{printf .format ${words}}}`, { format, args }), expected, format);
  }
});

test("Docker's helpers", () => {
  const data = { list: ['a', 'b'], s: 'hello world', map: new Map([['b', '<x>']]), e: '' };
  assert.equal(
    print('{{join .list "-"}} {{upper .s}} {{title .s}} {{truncate .s 3}}', data),
    'a-b HELLO WORLD Hello World hel',
  );
  assert.equal(
    print('{{json .map}} {{json .list}} {{split "a,b" ","}} {{pad "x" 1 2}}|{{pad .e 1 1}}|', data),
    '{"b":"<x>"} ["a","b"] [a b]  x  ||',
  );
  assert.equal(print('{{.s | upper | printf "%s!"}}{{println "x" 1}}', data), 'HELLO WORLD!x 1\n');
  assert.equal(
    print('{{html "<a>"}} {{urlquery "a b/c"}} {{js "it\'s"}} {{len "é"}} {{slice "abcd" 1 3}}', data),
    "&lt;a&gt; a+b%2Fc it\\'s 2 bc",
  );
});

for (const [source, message] of [
  ['{{', 'unclosed action'],
  ['{{.A', 'unclosed action'],
  ['{{nope}}', 'function "nope" not defined'],
  ['{{if}}x{{end}}', 'missing value for if'],
  ['{{if .}}x', 'unexpected EOF'],
  ['{{end}}', 'unexpected {{end}}'],
  ['{{else}}', 'unexpected {{else}}'],
  ['{{"a}}', 'unterminated quoted string'],
  ['{{`a}}', 'unterminated raw quoted string'],
  ['{{(1}}', 'unclosed left paren'],
  ['{{1)}}', 'unexpected right paren'],
  ['{{/* a', 'unclosed comment'],
  ['{{break}}', '{{break}} outside {{range}}'],
  ['{{3k}}', 'bad number syntax: "3k"'],
  ['a\nb{{nope}}', 'function "nope" not defined'],
] as const) {
  test(`${JSON.stringify(source)} does not parse: ${message}`, () => {
    const line = source.includes('\n') ? 2 : 1;
    assert.throws(() => parseTemplate(source), { code: 'cli.template', message: `template: :${line}: ${message}` });
  });
}

test('a hostile template cannot reach what is not in the data', () => {
  for (const source of ['{{.constructor}}', '{{.__proto__}}', '{{.toString}}', '{{.a.constructor.name}}']) {
    assert.throws(() => print(source, { a: {} }), /can't evaluate field/, source);
  }
  assert.throws(() => print('{{constructor}}'), /function "constructor" not defined/);
});
