// hoist network connect, hoist network disconnect: a container's place in one more network, and its end.

import { fail } from '../../../base/errors.ts';
import type { EndpointRequest } from '../../../spec/docker/container.ts';
import type { Command, FlagValues } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { splitStrings } from '../../run/csv.ts';
import { checkLink } from '../../run/network.ts';
import { parseInt64 } from '../../values.ts';

export const connect: Command = {
  names: [['network', 'connect']],
  summary: 'Connect a container to a network',
  usage: '[OPTIONS] NETWORK CONTAINER',
  args: { min: 2, max: 2 },
  flags: flagTable(
    `
      --alias strings           Add network-scoped alias for the container
      --driver-opt strings      driver options for the network
      --gw-priority int         Highest gw-priority provides the default gateway. Accepts positive and negative values.
      --ip string               IPv4 address (e.g., "172.30.100.104")
      --ip6 string              IPv6 address (e.g., "2001:db8::33")
      --link list               Add link to another container
      --link-local-ip strings   Add a link-local address for the container`,
    { check: { link: checkLink } },
  ),
  completes: 'network',
  async run({ flags, args, engine }) {
    const [network = '', container = ''] = args;
    await engine.networks.connect(network, { Container: container, EndpointConfig: endpoint(flags) });
    return 0;
  },
};

function endpoint(flags: FlagValues): EndpointRequest {
  const local = splitStrings(flags.list('link-local-ip'));
  const links = flags.list('link');
  const priority = flags.string('gw-priority');
  return {
    IPAMConfig: {
      ...(flags.string('ip') === '' ? {} : { IPv4Address: flags.string('ip') }),
      ...(flags.string('ip6') === '' ? {} : { IPv6Address: flags.string('ip6') }),
      ...(local.length === 0 ? {} : { LinkLocalIPs: local }),
    },
    Links: links.length === 0 ? null : links,
    Aliases: splitStrings(flags.list('alias')),
    DriverOpts: driverOptions(splitStrings(flags.list('driver-opt'))),
    GwPriority: priority === '' ? 0 : parseInt64(priority),
  };
}

function driverOptions(values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    values.map((value) => {
      const equals = value.indexOf('=');
      const key = value.slice(0, equals).trim().toLowerCase();
      if (equals < 0) fail('invalid', 'cli.network', 'invalid key/value pair format in driver options');
      return [key, value.slice(equals + 1).trim()];
    }),
  );
}

export const disconnect: Command = {
  names: [['network', 'disconnect']],
  summary: 'Disconnect a container from a network',
  usage: '[OPTIONS] NETWORK CONTAINER',
  args: { min: 2, max: 2 },
  flags: flagTable(`
  -f, --force   Force the container to disconnect from a network`),
  completes: 'network',
  async run({ flags, args, engine }) {
    const [network = '', container = ''] = args;
    await engine.networks.disconnect(network, { Container: container, Force: flags.bool('force') });
    return 0;
  },
};
