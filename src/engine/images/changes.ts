// `--change`: Dockerfile instructions applied to an image's configuration, as `import` and `commit` take them.
// Pure. Only what changes the configuration; the file system is not this one's business.

import { posix } from 'node:path';
import { fail } from '../../base/errors.ts';
import type { HealthConfig, ImageRunConfig } from '../../spec/oci/image.ts';

/** Fails with `change.invalid`. */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  let current = config;
  for (const change of changes) {
    const [, name = '', rest = ''] = /^\s*(\S+)\s*([\s\S]*?)\s*$/.exec(change) ?? [];
    const apply = Object.hasOwn(instructions, name.toUpperCase()) ? instructions[name.toUpperCase()] : undefined;
    if (apply === undefined) return invalid(`${name.toUpperCase()} is not a valid change command`);
    if (rest === '') return invalid(`${name.toUpperCase()} needs an argument`);
    current = { ...current, ...apply(rest, current) };
  }
  return current;
}

type Instruction = (text: string, config: ImageRunConfig) => Partial<ImageRunConfig>;

const instructions: Readonly<Record<string, Instruction>> = {
  CMD: (text) => ({ Cmd: command(text) }),
  ENTRYPOINT: (text) => ({ Entrypoint: command(text) }),
  ENV: (text, config) => ({ Env: withEnv(config.Env ?? [], pairs('ENV', text, config)) }),
  EXPOSE: (text, config) => ({
    ExposedPorts: { ...config.ExposedPorts, ...setOf(words(text, config).flatMap(ports)) },
  }),
  HEALTHCHECK: (text) => ({ Healthcheck: healthcheck(text) }),
  LABEL: (text, config) => ({ Labels: { ...config.Labels, ...Object.fromEntries(pairs('LABEL', text, config)) } }),
  ONBUILD: (text, config) => {
    if (/^(onbuild|from|maintainer)\b/i.test(text))
      invalid(`${text.split(/\s/)[0]?.toUpperCase()} is not allowed as an ONBUILD trigger`);
    return { OnBuild: [...(config.OnBuild ?? []), text] };
  },
  STOPSIGNAL: (text, config) => ({ StopSignal: single('STOPSIGNAL', text, config) }),
  USER: (text, config) => ({ User: single('USER', text, config) }),
  VOLUME: (text, config) => ({
    Volumes: { ...config.Volumes, ...setOf(jsonList(text) ?? words(text, config)) },
  }),
  WORKDIR: (text, config) => ({
    WorkingDir: posix.resolve('/', config.WorkingDir ?? '/', single('WORKDIR', text, config)),
  }),
};

/** `["a","b"]` as it is, everything else for a shell. */
function command(text: string): readonly string[] {
  return jsonList(text) ?? ['/bin/sh', '-c', text];
}

function jsonList(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value;
  } catch {
    // Docker takes what is no JSON for a shell's words; so do we.
  }
  return undefined;
}

function single(name: string, text: string, config: ImageRunConfig): string {
  const [word, ...more] = words(text, config);
  if (word === undefined || more.length > 0) return invalid(`${name} requires exactly one argument`);
  return word;
}

/** `a=b c="d e"`, or the old form `a b c`: one key, the rest its value. */
function pairs(name: string, text: string, config: ImageRunConfig): readonly (readonly [string, string])[] {
  const [first = ''] = text.split(/\s/, 1);
  if (!first.includes('=')) {
    const value = text.slice(first.length).trim();
    if (value === '') invalid(`${name} must have two arguments`);
    return [[first, expand(value, config)]];
  }
  return words(text, config).map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0)
      return invalid(`syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    if (equals === 0) return invalid(`${name} names can not be blank`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function withEnv(env: readonly string[], added: readonly (readonly [string, string])[]): readonly string[] {
  const byName = new Map(env.map((line) => [line.split('=', 1)[0] ?? '', line]));
  for (const [name, value] of added) byName.set(name, `${name}=${value}`);
  return [...byName.values()];
}

/** Words as a shell cuts them: quotes, backslashes, and $VARIABLES of the configuration so far. */
function words(text: string, config: ImageRunConfig): readonly string[] {
  const found: string[] = [];
  const piece = /\s+|'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])|([^\s'"\\]+)/y;
  let word: string | undefined;
  for (let at = 0; at < text.length; at = piece.lastIndex) {
    piece.lastIndex = at;
    const match = piece.exec(text);
    if (match === null)
      return invalid(`unexpected end of statement while looking for matching quote in ${JSON.stringify(text)}`);
    const [, literal, quoted, escaped, plain] = match;
    const variable = quoted ?? plain;
    const whole = literal ?? escaped ?? (variable === undefined ? undefined : expand(variable, config));
    if (whole !== undefined) word = (word ?? '') + whole;
    else if (word !== undefined) {
      found.push(word);
      word = undefined;
    }
  }
  return word === undefined ? found : [...found, word];
}

function expand(text: string, config: ImageRunConfig): string {
  const env = new Map(
    (config.Env ?? []).map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  );
  return text.replace(
    /\\([\s\S])|\$(?:(\w+)|\{(\w+)\})/g,
    (_, escaped: string | undefined, bare?: string, braced?: string) =>
      escaped === undefined
        ? (env.get(bare ?? braced ?? '') ?? '')
        : escaped === '$' || escaped === '"' || escaped === '\\'
          ? escaped
          : `\\${escaped}`,
  );
}

/** `80`, `80/udp`, `8000-8002` */
function ports(text: string): readonly string[] {
  const [, from = '', to = from, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === '' || first < 1 || last > 65_535 || first > last) return invalid(`invalid containerPort: ${text}`);
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol.toLowerCase()}`);
}

function setOf(keys: readonly string[]): Readonly<Record<string, Record<string, never>>> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

function healthcheck(text: string): HealthConfig {
  if (/^none$/i.test(text)) return { Test: ['NONE'] };
  let rest = text;
  const numbers: Record<string, number> = {};
  for (let match = /^--([a-z-]+)=(\S+)\s+/.exec(rest); match !== null; match = /^--([a-z-]+)=(\S+)\s+/.exec(rest)) {
    const [all, flag = '', value = ''] = match;
    numbers[healthNames[flag] ?? invalid(`unknown flag: --${flag}`)] =
      flag === 'retries' ? count(value) : nanoseconds(value);
    rest = rest.slice(all.length);
  }
  const [, kind, what = ''] = /^(\S+)\s+([\s\S]+)$/.exec(rest) ?? [];
  if (kind?.toUpperCase() !== 'CMD')
    return invalid(`unknown type ${JSON.stringify(kind ?? rest)} in HEALTHCHECK (try CMD)`);
  const list = jsonList(what);
  return { Test: list === undefined ? ['CMD-SHELL', what] : ['CMD', ...list], ...numbers };
}

const healthNames: Readonly<Record<string, string>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
  retries: 'Retries',
};

function count(text: string): number {
  return /^\d{1,6}$/.test(text) ? Number(text) : invalid(`invalid number of retries: ${text}`);
}

/** Go's durations, as far as a health check makes sense: at least a millisecond. */
function nanoseconds(text: string): number {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return invalid(`invalid duration: ${text}`);
  const unit: Readonly<Record<string, number>> = { h: 3600e9, m: 60e9, s: 1e9, ms: 1e6 };
  let total = 0;
  for (const [, number, name = ''] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g))
    total += Number(number) * (unit[name] ?? 0);
  return total;
}

function invalid(message: string): never {
  return fail('invalid', 'change.invalid', message);
}
