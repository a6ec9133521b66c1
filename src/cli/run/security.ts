// --security-opt, --device and the namespace modes of `run`.

import { fail } from '../../base/errors.ts';
import type { DeviceMapping, HostConfig } from '../../spec/docker/container.ts';
import type { Io } from '../io.ts';
import { goQuote } from '../values.ts';
import { fileProblem } from './environment.ts';

type Security = Pick<HostConfig, 'SecurityOpt' | 'MaskedPaths' | 'ReadonlyPaths'>;

/** A seccomp profile travels as its JSON, since the engine reads no file that a client names. */
export async function security(values: readonly string[], io: Io): Promise<Security> {
  const open = values.includes('systempaths=unconfined') || values.includes('systempaths:unconfined');
  const kept = values.filter((value) => !/^systempaths[=:]unconfined$/.test(value));
  const SecurityOpt = await Promise.all(kept.map((value) => securityOpt(value, io)));
  return {
    SecurityOpt: SecurityOpt.length === 0 ? null : SecurityOpt,
    ...(open ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
  };
}

async function securityOpt(value: string, io: Io): Promise<string> {
  if (value === 'no-new-privileges' || value === 'writable-cgroups') return value;
  const match = /^([^=:]+)[=:](.*)$/s.exec(value);
  if (match === null) return fail('invalid', 'cli.security_opt', `Invalid --security-opt: ${goQuote(value)}`);
  const [, name = '', setting = ''] = match;
  if (name !== 'seccomp' || setting === 'unconfined' || setting === 'builtin') return value;
  return `seccomp=${await profile(setting, io)}`;
}

async function profile(path: string, io: Io): Promise<string> {
  let text: string;
  try {
    text = new TextDecoder().decode(await io.readFile(path));
  } catch (error) {
    const why = `open ${path}: ${fileProblem(error)}`;
    return fail('invalid', 'cli.seccomp', `opening seccomp profile (${path}) failed: ${why}`, { cause: error });
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    return fail('invalid', 'cli.seccomp', `compacting json for seccomp profile (${path}) failed: not JSON`, {
      cause: error,
    });
  }
}

/** `/dev/fuse`, `/dev/sda:/dev/xvda`, `/dev/sda:/dev/xvda:rw`, `/dev/sda:r` */
export function devices(values: readonly string[]): readonly DeviceMapping[] {
  return values.map((value) => {
    const parts = value.split(':');
    const [source = '', second, third] = parts;
    if (parts.length > 3 || source === '') fail('invalid', 'cli.device', `bad format for path: ${value}`);
    const modeOnly = parts.length === 2 && isMode(second ?? '');
    const target = second === undefined || modeOnly ? source : second;
    const mode = modeOnly ? (second ?? '') : (third ?? 'rwm');
    if (!isMode(mode)) fail('invalid', 'cli.device', `bad mode specified: ${mode}`);
    if (!target.startsWith('/')) fail('invalid', 'cli.device', `${target} is not an absolute path`);
    return { PathOnHost: source, PathInContainer: target, CgroupPermissions: mode };
  });
}

function isMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}

/** Docker's host, and Podman's words, whose options the engine reads. */
export function usernsMode(value: string): string {
  return /^((private|keep-id|auto|nomap)(:.*)?|host|)$/.test(value)
    ? value
    : mode(value, ['host'], '--userns: invalid USER mode');
}

/** '' or one of `modes`, or `container:X` where that is among them. */
export function mode(value: string, modes: readonly string[], problem: string): string {
  const named = modes.includes('container:') && /^container:./.test(value);
  if (value === '' || named || (value !== 'container:' && modes.includes(value))) return value;
  return fail('invalid', 'cli.mode', problem);
}
