// Parsers of the documents that come from registries and archives: untrusted bytes in, total types out, or one sentence.
// Unknown members are dropped; null means absent, as Go programs write it. Pure.
// https://github.com/opencontainers/image-spec (manifest.md, image-index.md, config.md), Docker's image manifest V2.2.

import { isDigest } from '../../base/digest.ts';
import { fail } from '../../base/errors.ts';
import {
  type Descriptor,
  type HealthConfig,
  type HistoryEntry,
  type ImageConfig,
  type ImageRunConfig,
  type Index,
  type Manifest,
  mediaTypes,
  type Platform,
} from './image.ts';

/** Bytes; the distribution specification asks clients to take manifests of at least 4 MiB. */
export const documentLimits = { manifest: 4 << 20, config: 8 << 20 } as const;

/** Most layers, index rows, environment entries…: above this a document is an attack, not an image. */
const maxItems = 100_000;

type Code = 'manifest.invalid' | 'config.invalid';
type Json = Readonly<Record<string, unknown>>;

/** An image manifest (OCI or Docker schema 2). `mediaType`: what the server said it is, for documents that do not say. */
export function parseManifest(bytes: Uint8Array, mediaType?: string): Manifest {
  const document = parseManifestOrIndex(bytes, mediaType);
  if ('manifests' in document) fail('invalid', 'manifest.invalid', 'the manifest is an index of several images');
  return document;
}

/** An image index (OCI) or manifest list (Docker). */
export function parseIndex(bytes: Uint8Array, mediaType?: string, limit: number = documentLimits.manifest): Index {
  const document = parseManifestOrIndex(bytes, mediaType, limit);
  if (!('manifests' in document)) fail('invalid', 'manifest.invalid', 'the index is a manifest of one image');
  return document;
}

/** Whichever of the two it is; told apart by its members, never by a content type alone (image-spec advisory GHSA-77vh-xpmg-72qh). */
export function parseManifestOrIndex(
  bytes: Uint8Array,
  mediaType?: string,
  limit: number = documentLimits.manifest,
): Manifest | Index {
  const root = parseObject(bytes, limit, 'manifest.invalid', 'manifest');
  if (root['schemaVersion'] === 1) {
    fail('unsupported', 'manifest.invalid', 'the manifest has schema version 1, which registries gave up in 2019', {
      hint: 'push the image again with a current client',
    });
  }
  if (root['schemaVersion'] !== 2) broken('manifest.invalid', 'schemaVersion', 'is not 2');
  const isIndex = present(root['manifests']);
  if (isIndex && (present(root['layers']) || present(root['config']))) {
    fail('invalid', 'manifest.invalid', 'the manifest claims to be an image and an index at once');
  }
  const said = optionalString(root['mediaType'], 'manifest.invalid', 'mediaType') ?? mediaType?.split(';')[0]?.trim();
  const known = isIndex ? indexTypes : manifestTypes;
  const other = isIndex ? manifestTypes : indexTypes;
  if (said !== undefined && other.includes(said)) {
    fail('invalid', 'manifest.invalid', `the manifest calls itself ${said}, which it is not`);
  }
  const type = said !== undefined && known.includes(said) ? said : (known[0] ?? '');
  return isIndex ? indexOf(root, type) : manifestOf(root, type);
}

const manifestTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerIndex];

function manifestOf(root: Json, mediaType: string): Manifest {
  const code = 'manifest.invalid';
  return {
    schemaVersion: 2,
    mediaType,
    config: descriptor(root['config'], code, 'config'),
    layers: list(root['layers'], code, 'layers').map((item, i) => descriptor(item, code, `layers[${i}]`)),
    ...optional('artifactType', optionalString(root['artifactType'], code, 'artifactType')),
    ...optional('subject', present(root['subject']) ? descriptor(root['subject'], code, 'subject') : undefined),
    ...optional('annotations', optionalStringMap(root['annotations'], code, 'annotations')),
  };
}

function indexOf(root: Json, mediaType: string): Index {
  const code = 'manifest.invalid';
  return {
    schemaVersion: 2,
    mediaType,
    manifests: list(root['manifests'], code, 'manifests').map((item, i) => descriptor(item, code, `manifests[${i}]`)),
    ...optional('annotations', optionalStringMap(root['annotations'], code, 'annotations')),
  };
}

function descriptor(value: unknown, code: Code, where: string): Descriptor {
  const item = object(value, code, where);
  const digest = string(item['digest'], code, `${where}.digest`);
  if (!isDigest(digest)) broken(code, `${where}.digest`, 'is not a digest');
  const size = item['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    broken(code, `${where}.size`, 'is not a size');
  return {
    mediaType: string(item['mediaType'], code, `${where}.mediaType`),
    digest,
    size,
    ...optional('urls', optionalStrings(item['urls'], code, `${where}.urls`)),
    ...optional('annotations', optionalStringMap(item['annotations'], code, `${where}.annotations`)),
    ...optional(
      'platform',
      present(item['platform']) ? platform(item['platform'], code, `${where}.platform`) : undefined,
    ),
    ...optional('artifactType', optionalString(item['artifactType'], code, `${where}.artifactType`)),
  };
}

function platform(value: unknown, code: Code, where: string): Platform {
  const item = object(value, code, where);
  return {
    os: string(item['os'], code, `${where}.os`),
    architecture: string(item['architecture'], code, `${where}.architecture`),
    ...platformExtras(item, code, where),
  };
}

function platformExtras(item: Json, code: Code, where: string): Omit<Platform, 'os' | 'architecture'> {
  return {
    ...optional('variant', optionalString(item['variant'], code, `${where}.variant`) || undefined),
    ...optional('os.version', optionalString(item['os.version'], code, `${where}.os.version`) || undefined),
    ...optional('os.features', optionalStrings(item['os.features'], code, `${where}.os.features`)),
  };
}

/** An image configuration (OCI or Docker): what the image's id is the digest of. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const code = 'config.invalid';
  const root = parseObject(bytes, documentLimits.config, code, 'image configuration');
  const rootfs = object(root['rootfs'], code, 'rootfs');
  if (rootfs['type'] !== 'layers') broken(code, 'rootfs.type', 'is not "layers"');
  const diffIds = strings(rootfs['diff_ids'] ?? [], code, 'rootfs.diff_ids');
  diffIds.forEach((id, i) => {
    if (!isDigest(id)) broken(code, `rootfs.diff_ids[${i}]`, 'is not a digest');
  });
  return {
    // Configurations of scratch images and of artifacts leave these out; '' matches no platform.
    os: optionalString(root['os'], code, 'os') ?? '',
    architecture: optionalString(root['architecture'], code, 'architecture') ?? '',
    ...platformExtras(root, code, 'image'),
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...optional('created', optionalString(root['created'], code, 'created')),
    ...optional('author', optionalString(root['author'], code, 'author')),
    ...optional('docker_version', optionalString(root['docker_version'], code, 'docker_version')),
    ...optional('config', present(root['config']) ? runConfig(root['config'], code) : undefined),
    ...optional(
      'history',
      present(root['history'])
        ? list(root['history'], code, 'history').map((item, i) => historyEntry(item, code, `history[${i}]`))
        : undefined,
    ),
  };
}

function runConfig(value: unknown, code: Code): ImageRunConfig {
  const item = object(value, code, 'config');
  const text = (name: string) => optionalString(item[name], code, `config.${name}`);
  const texts = (name: string) => optionalStrings(item[name], code, `config.${name}`);
  return {
    ...optional('User', text('User')),
    ...optional('ExposedPorts', optionalSet(item['ExposedPorts'], code, 'config.ExposedPorts')),
    ...optional('Env', texts('Env')),
    ...optional('Entrypoint', texts('Entrypoint')),
    ...optional('Cmd', texts('Cmd')),
    ...optional('Volumes', optionalSet(item['Volumes'], code, 'config.Volumes')),
    ...optional('WorkingDir', text('WorkingDir')),
    ...optional('Labels', optionalStringMap(item['Labels'], code, 'config.Labels')),
    ...optional('StopSignal', text('StopSignal')),
    ...optional('Shell', texts('Shell')),
    ...optional('OnBuild', texts('OnBuild')),
    ...optional('ArgsEscaped', optionalBoolean(item['ArgsEscaped'], code, 'config.ArgsEscaped')),
    ...optional('Healthcheck', present(item['Healthcheck']) ? healthConfig(item['Healthcheck'], code) : undefined),
  };
}

function healthConfig(value: unknown, code: Code): HealthConfig {
  const item = object(value, code, 'config.Healthcheck');
  const count = (name: string) => optionalCount(item[name], code, `config.Healthcheck.${name}`);
  return {
    ...optional('Test', optionalStrings(item['Test'], code, 'config.Healthcheck.Test')),
    ...optional('Interval', count('Interval')),
    ...optional('Timeout', count('Timeout')),
    ...optional('StartPeriod', count('StartPeriod')),
    ...optional('StartInterval', count('StartInterval')),
    ...optional('Retries', count('Retries')),
  };
}

function historyEntry(value: unknown, code: Code, where: string): HistoryEntry {
  const item = object(value, code, where);
  return {
    ...optional('created', optionalString(item['created'], code, `${where}.created`)),
    ...optional('created_by', optionalString(item['created_by'], code, `${where}.created_by`)),
    ...optional('author', optionalString(item['author'], code, `${where}.author`)),
    ...optional('comment', optionalString(item['comment'], code, `${where}.comment`)),
    ...optional('empty_layer', optionalBoolean(item['empty_layer'], code, `${where}.empty_layer`)),
  };
}

// The checks. Each names the member that is wrong, e.g. `layers[3].size is not a size`.

function parseObject(bytes: Uint8Array, limit: number, code: Code, what: string): Json {
  if (bytes.byteLength > limit) {
    fail('too_large', code, `the ${what} has ${bytes.byteLength} bytes, more than the ${limit} allowed`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    fail('invalid', code, `the ${what} is not JSON`, { cause });
  }
  if (!isObject(value)) fail('invalid', code, `the ${what} is not a JSON object`);
  return value;
}

function broken(code: Code, where: string, complaint: string): never {
  const what = code === 'manifest.invalid' ? 'manifest' : 'image configuration';
  fail('invalid', code, `the ${what} is broken: ${where} ${complaint}`);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** `{name: value}`, or nothing for undefined: exactOptionalPropertyTypes keeps absent and undefined apart. */
function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };
}

function object(value: unknown, code: Code, where: string): Json {
  if (!isObject(value)) broken(code, where, value === undefined ? 'is missing' : 'is not an object');
  return value;
}

function list(value: unknown, code: Code, where: string): readonly unknown[] {
  if (!Array.isArray(value)) broken(code, where, value === undefined ? 'is missing' : 'is not a list');
  if (value.length > maxItems) broken(code, where, `has more than ${maxItems} items`);
  return value;
}

function string(value: unknown, code: Code, where: string): string {
  if (typeof value !== 'string') broken(code, where, value === undefined ? 'is missing' : 'is not a string');
  return value;
}

function strings(value: unknown, code: Code, where: string): readonly string[] {
  return list(value, code, where).map((item, i) => string(item, code, `${where}[${i}]`));
}

function optionalString(value: unknown, code: Code, where: string): string | undefined {
  return present(value) ? string(value, code, where) : undefined;
}

function optionalStrings(value: unknown, code: Code, where: string): readonly string[] | undefined {
  return present(value) ? strings(value, code, where) : undefined;
}

function optionalBoolean(value: unknown, code: Code, where: string): boolean | undefined {
  if (!present(value)) return undefined;
  if (typeof value !== 'boolean') broken(code, where, 'is not true or false');
  return value;
}

function optionalCount(value: unknown, code: Code, where: string): number | undefined {
  if (!present(value)) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) broken(code, where, 'is not a count');
  return Math.trunc(value);
}

function optionalStringMap(value: unknown, code: Code, where: string): Readonly<Record<string, string>> | undefined {
  if (!present(value)) return undefined;
  const entries = Object.entries(object(value, code, where));
  return Object.fromEntries(
    entries.map(([key, item]) => [key, string(item, code, `${where}[${JSON.stringify(key)}]`)]),
  );
}

/** Go's map[string]struct{}: only the keys mean anything. */
function optionalSet(
  value: unknown,
  code: Code,
  where: string,
): Readonly<Record<string, Record<string, never>>> | undefined {
  if (!present(value)) return undefined;
  return Object.fromEntries(Object.keys(object(value, code, where)).map((key) => [key, {}]));
}
