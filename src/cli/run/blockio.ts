// --blkio-weight-device, --device-read-bps and their like: `/dev/sda:200`, `/dev/sda:1mb`.

import type { HostConfig, ThrottleDevice } from '../../spec/docker/container.ts';
import type { FlagValues } from '../command.ts';
import { parseBytes, parseUint } from '../values.ts';

type BlockIo = Pick<
  HostConfig,
  'BlkioWeightDevice' | 'BlkioDeviceReadBps' | 'BlkioDeviceWriteBps' | 'BlkioDeviceReadIOps' | 'BlkioDeviceWriteIOps'
>;

export function blockIo(flags: FlagValues): BlockIo {
  const rates = (name: string, parse: (text: string) => number): readonly ThrottleDevice[] =>
    flags.list(name).map((value) => {
      const { path, amount } = split(value);
      return { Path: path, Rate: parse(amount) };
    });
  const number = (text: string): number => parseUint(text, 64);
  return {
    BlkioWeightDevice: flags.list('blkio-weight-device').map((value) => {
      const { path, amount } = split(value);
      return { Path: path, Weight: number(amount) };
    }),
    BlkioDeviceReadBps: rates('device-read-bps', parseBytes),
    BlkioDeviceWriteBps: rates('device-write-bps', parseBytes),
    BlkioDeviceReadIOps: rates('device-read-iops', number),
    BlkioDeviceWriteIOps: rates('device-write-iops', number),
  };
}

export function checkWeightDevice(value: string): string | undefined {
  return checkShape(value) ?? checkAmount(value, `invalid weight for device: ${value}`, weight);
}

export function checkBytesDevice(value: string): string | undefined {
  const format = 'The correct format is <device-path>:<number>[<unit>]';
  const why = `${format}. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`;
  return checkShape(value) ?? checkAmount(value, `invalid rate for device: ${value}. ${why}`, parseBytes);
}

export function checkCountDevice(value: string): string | undefined {
  const why = 'The correct format is <device-path>:<number>. Number must be a positive integer';
  const count = (text: string): number => parseUint(text, 64);
  return checkShape(value) ?? checkAmount(value, `invalid rate for device: ${value}. ${why}`, count);
}

function weight(text: string): number {
  const value = parseUint(text, 16);
  if (value > 0 && (value < 10 || value > 1000)) throw new RangeError(text);
  return value;
}

function split(value: string): { readonly path: string; readonly amount: string } {
  const colon = value.indexOf(':');
  return { path: value.slice(0, colon), amount: value.slice(colon + 1) };
}

function checkShape(value: string): string | undefined {
  const { path, amount } = split(value);
  if (!value.includes(':') || path === '' || amount === '') return `bad format: ${value}`;
  return path.startsWith('/dev/') ? undefined : `bad format for device path: ${value}`;
}

function checkAmount(value: string, problem: string, parse: (text: string) => number): string | undefined {
  try {
    parse(split(value).amount);
    return undefined;
  } catch {
    return problem;
  }
}
