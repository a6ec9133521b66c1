// CLI plugins, as Docker's client has them: programs named docker-<name> that bring a command of their own (`compose`).
// They run in the user's own process, with the terminal, and reach the engine through Docker's API.

import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { fail } from '../base/errors.ts';
import { configDirectory } from '../cli/config.ts';

type Env = Readonly<Record<string, string | undefined>>;

const systemDirectories = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
];

/** The program of the plugin, where there is one. `env` is the user's. */
export function findPlugin(name: string, env: Env): string | undefined {
  if (!/^[a-z][a-z0-9]*$/.test(name)) return undefined;
  const own = configDirectory(env);
  const directories = [path.join(own, 'cli-plugins'), ...extraDirectories(own), ...systemDirectories];
  return directories.map((directory) => path.join(directory, `docker-${name}`)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function extraDirectories(config: string): readonly string[] {
  try {
    const document: unknown = JSON.parse(readFileSync(path.join(config, 'config.json'), 'utf8'));
    const extra: unknown =
      typeof document === 'object' && document !== null ? Reflect.get(document, 'cliPluginsExtraDirs') : undefined;
    return Array.isArray(extra) ? extra.filter((one) => typeof one === 'string' && path.isAbsolute(one)) : [];
  } catch {
    return [];
  }
}

/** Runs it with the command's own words and descriptors, and returns its exit code. Signals of the terminal reach it by themselves. */
export async function runPlugin(program: string, words: readonly string[], env: Env): Promise<number> {
  await checkPlugin(program, env);
  const child = spawn(program, words, { stdio: 'inherit', env: { ...env } });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGTERM', forward);
  process.on('SIGHUP', forward);
  const stay = (): void => {};
  process.on('SIGINT', stay);
  process.on('SIGQUIT', stay);
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 9)),
    );
  });
}

/** What every plugin answers to `docker-cli-plugin-metadata`; anything else is a program that happens to have such a name. */
async function checkPlugin(program: string, env: Env): Promise<void> {
  const invalid = (why: string): never => fail('invalid', 'cli.plugin', `${program} is no CLI plugin: ${why}`);
  let answer: unknown;
  try {
    const { stdout } = await promisify(execFile)(program, ['docker-cli-plugin-metadata'], { env: { ...env } });
    answer = JSON.parse(stdout);
  } catch (error) {
    return invalid(
      `it does not answer docker-cli-plugin-metadata (${error instanceof Error ? error.message.split('\n')[0] : error})`,
    );
  }
  if (typeof answer !== 'object' || answer === null) return invalid('its metadata is no object');
  const version: unknown = Reflect.get(answer, 'SchemaVersion');
  if (version !== '0.1.0') invalid(`plugin SchemaVersion "${String(version)}" is not valid, must be 0.1.0`);
  if (!Reflect.get(answer, 'Vendor')) invalid('plugin metadata does not define a vendor');
}
