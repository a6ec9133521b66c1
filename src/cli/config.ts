// What of the user's ~/.docker/config.json concerns the command line: default formats, detach keys, proxies, prune
// filters, aliases. Credentials have a file of their own.

import { errnoOf } from '../base/errors.ts';
import type { Io } from './io.ts';

export interface ProxyConfig {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  readonly ftpProxy: string;
  readonly allProxy: string;
}

export interface ClientConfig {
  readonly psFormat: string;
  readonly imagesFormat: string;
  readonly networksFormat: string;
  readonly volumesFormat: string;
  readonly statsFormat: string;
  readonly pluginsFormat: string;
  readonly detachKeys: string;
  readonly pruneFilters: readonly string[];
  /** By the address of an engine, or `default`. */
  readonly proxies: Readonly<Record<string, ProxyConfig>>;
  /** Of `builder`, as Docker has them. */
  readonly aliases: Readonly<Record<string, string>>;
  /** More places for CLI plugins. */
  readonly cliPluginsExtraDirs: readonly string[];
}

/** Where the client's own files are: DOCKER_CONFIG, or ~/.docker. */
export function configDirectory(env: Io['env']): string {
  return env['DOCKER_CONFIG'] || `${env['HOME'] ?? ''}/.docker`;
}

/** A file that is not there is empty; one that cannot be read gets Docker's warning. */
export async function clientConfig(io: Io): Promise<ClientConfig> {
  const document = await readDocument(io);
  const text = (key: string): string => textOf(Reflect.get(document, key));
  return {
    psFormat: text('psFormat'),
    imagesFormat: text('imagesFormat'),
    networksFormat: text('networksFormat'),
    volumesFormat: text('volumesFormat'),
    statsFormat: text('statsFormat'),
    pluginsFormat: text('pluginsFormat'),
    detachKeys: text('detachKeys'),
    pruneFilters: textsOf(Reflect.get(document, 'pruneFilters')),
    proxies: Object.fromEntries(
      Object.entries(objectOf(Reflect.get(document, 'proxies'))).map(([host, proxy]) => [host, proxyOf(proxy)]),
    ),
    aliases: Object.fromEntries(
      Object.entries(objectOf(Reflect.get(document, 'aliases'))).map(([name, target]) => [name, textOf(target)]),
    ),
    cliPluginsExtraDirs: textsOf(Reflect.get(document, 'cliPluginsExtraDirs')),
  };
}

async function readDocument(io: Io): Promise<object> {
  const path = `${configDirectory(io.env)}/config.json`;
  try {
    return objectOf(JSON.parse(new TextDecoder().decode(await io.readFile(path))));
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) {
      const why = error instanceof Error ? error.message : String(error);
      await io.stderr.write(`WARNING: Error loading config file: ${path}: ${why}\n`);
    }
    return {};
  }
}

function proxyOf(value: unknown): ProxyConfig {
  const proxy = objectOf(value);
  const text = (key: string): string => textOf(Reflect.get(proxy, key));
  return {
    httpProxy: text('httpProxy'),
    httpsProxy: text('httpsProxy'),
    noProxy: text('noProxy'),
    ftpProxy: text('ftpProxy'),
    allProxy: text('allProxy'),
  };
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
