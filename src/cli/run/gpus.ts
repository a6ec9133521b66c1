// --gpus, and --device with a name of the Container Device Interface: requests that the engine finds devices for.

import { fail, isHoistError } from '../../base/errors.ts';
import type { DeviceRequest } from '../../spec/docker/container.ts';
import type { FlagValues } from '../command.ts';
import { parseInt64 } from '../values.ts';
import { csvFields } from './csv.ts';
import { keyValues } from './environment.ts';

export function deviceRequests(flags: FlagValues): readonly DeviceRequest[] | null {
  const named = flags.list('device').filter(isCdiName);
  const requests = [
    ...flags.list('gpus').map(gpuRequest),
    ...(named.length === 0 ? [] : [{ Driver: 'cdi', Count: 0, DeviceIDs: named, Capabilities: null, Options: null }]),
  ];
  return requests.length === 0 ? null : requests;
}

/** `vendor.com/class=name` */
export function isCdiName(value: string): boolean {
  return /^[A-Za-z](?:[\w.-]*[A-Za-z0-9])?\/[A-Za-z](?:[\w.-]*[A-Za-z0-9])?=[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?$/.test(
    value,
  );
}

export function checkGpus(value: string): string | undefined {
  try {
    gpuRequest(value);
    return undefined;
  } catch (error) {
    if (isHoistError(error)) return error.message;
    throw error;
  }
}

/** `all`, `2`, `"device=0,1"`, `driver=nvidia,count=1,capabilities=compute` */
function gpuRequest(value: string): DeviceRequest {
  const fields = csvFields(value) ?? wrong('parse error on line 1: bare " in non-quoted field');
  const seen = new Map<string, string>();
  for (const field of fields) {
    const equals = field.indexOf('=');
    const key = equals < 0 ? 'count' : field.slice(0, equals);
    if (seen.has(key)) wrong(`gpu request key '${key}' can be specified only once`);
    if (!['driver', 'count', 'device', 'capabilities', 'options'].includes(key)) {
      wrong(`unexpected key '${key}' in '${field}'`);
    }
    seen.set(key, field.slice(equals + 1));
  }
  const count = seen.get('count');
  const devices = seen.get('device')?.split(',') ?? null;
  return {
    Driver: seen.get('driver') ?? '',
    Count: count === undefined ? (devices === null ? 1 : 0) : countOf(count),
    DeviceIDs: devices,
    Capabilities: [[...(seen.get('capabilities')?.split(',') ?? []), 'gpu']],
    Options: keyValues(csvFields(seen.get('options') ?? '')?.filter((option) => option !== '') ?? []),
  };
}

function countOf(text: string): number {
  if (text === 'all') return -1;
  try {
    return parseInt64(text);
  } catch {
    return wrong(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`);
  }
}

function wrong(message: string): never {
  return fail('invalid', 'cli.gpus', message);
}
