// What is said about a container beside its lines: its tag, and the labels and variables that options choose. Pure.

import { hostname } from 'node:os';
import { isHoistError } from '../../base/errors.ts';
import { parseTemplate } from '../../base/template/template.ts';
import { goType } from '../../base/template/values.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { goRegex, type Refuse } from './values.ts';

/** One line, or a part of a long one, on its way. */
export interface Message {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds, UTC. */
  readonly time: string;
  /** Without its newline. */
  readonly line: Uint8Array;
  /** The line goes on in the next message. */
  readonly partial: boolean;
}

/** What every message of one container carries. */
export interface LogSubject {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  readonly imageName: string;
  readonly command: string;
  readonly created: string;
  readonly tag: string;
  /** Chosen by `labels`, `env` and their patterns. */
  readonly extra: Readonly<Record<string, string>>;
  /** Of this machine. */
  readonly hostname: string;
}

type Described = Pick<ContainerRecord, 'config' | 'created' | 'hostConfig' | 'id' | 'image' | 'name'>;

export function subjectOf(record: Described, refuse: Refuse): LogSubject {
  const { config, image } = record;
  return {
    id: record.id,
    name: record.name,
    imageId: image.id,
    imageName: config.Image,
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].join(' '),
    created: record.created,
    tag: tagOf(record, '{{.ID}}', refuse),
    extra: extraAttributes(record, refuse),
    hostname: hostname(),
  };
}

/** For `logs --details`: undefined where no option asks for any. Only json-file keeps them with its lines. */
export function detailsOf(record: Described, refuse: Refuse): Readonly<Record<string, string>> | undefined {
  const { Type, Config } = record.hostConfig.LogConfig;
  if (Type !== 'json-file') return undefined;
  const extra = extraAttributes(record, refuse);
  const tag = (Config['tag'] ?? '') === '' ? {} : { tag: tagOf(record, '', refuse) };
  const all = { ...extra, ...tag };
  return Object.keys(all).length === 0 ? undefined : all;
}

function tagOf(record: Described, otherwise: string, refuse: Refuse): string {
  const { config, hostConfig, id, name, image } = record;
  const source = hostConfig.LogConfig.Config['tag'] || otherwise;
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].join(' ');
  const info = {
    [goType]: '*logger.Info',
    ID: id.slice(0, 12),
    FullID: id,
    Name: name,
    ImageID: image.id.slice(0, 12),
    ImageFullID: image.id,
    ImageName: config.Image,
    Command: command,
    DaemonName: 'hoist',
    Hostname: hostname(),
    Config: new Map(Object.entries(hostConfig.LogConfig.Config)),
    ContainerID: id,
    ContainerName: `/${name}`,
    ContainerImageID: image.id,
    ContainerImageName: config.Image,
    ContainerCreated: record.created,
    ContainerEnv: config.Env,
    ContainerLabels: new Map(Object.entries(config.Labels)),
  };
  try {
    return parseTemplate(source, { name: 'log-tag' }).execute(info);
  } catch (error) {
    if (!isHoistError(error)) throw error;
    return refuse(error.message);
  }
}

function extraAttributes({ config, hostConfig }: Described, refuse: Refuse): Readonly<Record<string, string>> {
  const options = hostConfig.LogConfig.Config;
  const env = config.Env.map((entry) => {
    const equals = entry.indexOf('=');
    return equals < 0 ? ([entry, ''] as const) : ([entry.slice(0, equals), entry.slice(equals + 1)] as const);
  });
  return {
    ...chosen(Object.entries(config.Labels), options['labels'], options['labels-regex'], refuse),
    ...chosen(env, options['env'], options['env-regex'], refuse),
  };
}

function chosen(
  entries: readonly (readonly [string, string])[],
  names: string | undefined,
  pattern: string | undefined,
  refuse: Refuse,
): Readonly<Record<string, string>> {
  const wanted = (names ?? '').split(',');
  const matches = pattern === undefined || pattern === '' ? undefined : goRegex(pattern, refuse);
  return Object.fromEntries(
    entries.filter(([name]) => name !== '' && (wanted.includes(name) || matches?.test(name) === true)),
  );
}

/** Unix nanoseconds of a line's time. */
export function nanoseconds(time: string): bigint {
  const seconds = BigInt(Math.floor(Date.parse(`${time.slice(0, 19)}Z`) / 1000));
  return seconds * 1_000_000_000n + BigInt(time.slice(20, -1).padEnd(9, '0').slice(0, 9));
}
