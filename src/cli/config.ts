// What of the user's ~/.docker/config.json concerns the command line: default formats and detach keys.

import { errnoOf } from '../base/errors.ts';
import type { Io } from './io.ts';

export interface ClientConfig {
  readonly psFormat: string;
  readonly imagesFormat: string;
  readonly detachKeys: string;
}

/** A file that is not there is empty; one that cannot be read gets Docker's warning. */
export async function clientConfig(io: Io): Promise<ClientConfig> {
  const directory = io.env['DOCKER_CONFIG'] || `${io.env['HOME'] ?? ''}/.docker`;
  let document: unknown = {};
  try {
    document = JSON.parse(new TextDecoder().decode(await io.readFile(`${directory}/config.json`)));
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) {
      const why = error instanceof Error ? error.message : String(error);
      await io.stderr.write(`WARNING: Error loading config file: ${directory}/config.json: ${why}\n`);
    }
  }
  const text = (key: string): string => {
    const value: unknown = typeof document === 'object' && document !== null ? Reflect.get(document, key) : undefined;
    return typeof value === 'string' ? value : '';
  };
  return { psFormat: text('psFormat'), imagesFormat: text('imagesFormat'), detachKeys: text('detachKeys') };
}
