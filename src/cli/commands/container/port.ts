// hoist port: where a container's ports are on this machine.

import { fail, isHoistError } from '../../../base/errors.ts';
import type { PortBinding } from '../../../spec/docker/container.ts';
import type { Command } from '../../command.ts';
import { parseUint } from '../../values.ts';

export const port: Command = {
  names: [['port'], ['container', 'port']],
  summary: 'List port mappings or a specific mapping for the container',
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  args: { min: 1, max: 2 },
  flags: [],
  completes: 'container',
  async run({ io, args, engine }) {
    const [ref = '', wanted] = args;
    const { NetworkSettings } = await engine.containers.inspect(ref);
    const ports = NetworkSettings.Ports;
    if (wanted !== undefined && wanted !== '') {
      const [number = '', proto = 'tcp'] = wanted.split('/', 2);
      checkPort(wanted, number);
      const bindings = ports[`${number}/${proto}`];
      if (bindings === undefined || bindings === null || bindings.length === 0) {
        return fail('not_found', 'cli.port', `Error: No public port '${wanted}' published for ${ref}`);
      }
      await io.stdout.write(bindings.map((binding) => `${address(binding)}\n`).join(''));
      return 0;
    }
    const lines = Object.entries(ports).flatMap(([name, bindings]) =>
      (bindings ?? []).map((binding) => `${name} -> ${address(binding)}\n`),
    );
    await io.stdout.write(lines.sort(byNumber).join(''));
    return 0;
  },
};

function checkPort(text: string, number: string): void {
  try {
    parseUint(number, 16);
  } catch (error) {
    if (!isHoistError(error)) throw error;
    fail('invalid', 'cli.port', `Error: invalid port (${text}): ${error.message}`);
  }
}

function address({ HostIp, HostPort }: PortBinding): string {
  return `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;
}

function byNumber(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : a > b ? 1 : 0);
}
