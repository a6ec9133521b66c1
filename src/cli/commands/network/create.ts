// hoist network create: a network of one's own, with its addresses.

import { BlockList, isIP } from 'node:net';
import { fail } from '../../../base/errors.ts';
import type { IpamConfig, NetworkCreate } from '../../../spec/docker/network.ts';
import type { Command, FlagValues } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { splitStrings } from '../../run/csv.ts';
import { checkLabel, keyValues } from '../../run/environment.ts';

export const createNetwork: Command = {
  names: [['network', 'create']],
  summary: 'Create a network',
  usage: '[OPTIONS] NETWORK',
  args: { min: 1, max: 1 },
  flags: flagTable(
    `
      --attachable           Enable manual container attachment
      --aux-address map      Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])
      --config-from string   The network from which to copy the configuration
      --config-only          Create a configuration only network
  -d, --driver string        Driver to manage the Network (default "bridge")
      --gateway strings      IPv4 or IPv6 Gateway for the master subnet
      --ingress              Create swarm routing-mesh network
      --internal             Restrict external access to the network
      --ip-range strings     Allocate container ip from a sub-range
      --ipam-driver string   IP Address Management Driver (default "default")
      --ipam-opt map         Set IPAM driver specific options (default map[])
      --ipv4                 Enable or disable IPv4 address assignment (default true)
      --ipv6                 Enable or disable IPv6 address assignment
      --label list           Set metadata on a network
  -o, --opt map              Set driver specific options (default map[])
      --scope string         Control the network's scope
      --subnet strings       Subnet in CIDR format that represents a network segment`,
    { check: { label: checkLabel } },
  ),
  async run({ io, flags, args, engine }) {
    const { Id, Warning } = await engine.networks.create(networkRequest(flags, args[0] ?? ''));
    if (Warning !== '') await io.stderr.write(`WARNING: ${Warning}\n`);
    await io.stdout.write(`${Id}\n`);
    return 0;
  },
};

function networkRequest(flags: FlagValues, name: string): NetworkCreate {
  const from = flags.string('config-from');
  return {
    Driver: flags.string('driver'),
    Scope: flags.string('scope'),
    ...(flags.has('ipv4') ? { EnableIPv4: flags.bool('ipv4') } : {}),
    ...(flags.has('ipv6') ? { EnableIPv6: flags.bool('ipv6') } : {}),
    IPAM: {
      Driver: flags.string('ipam-driver'),
      Options: keyValues(flags.list('ipam-opt')),
      Config: ipamConfig(flags),
    },
    Internal: flags.bool('internal'),
    Attachable: flags.bool('attachable'),
    Ingress: flags.bool('ingress'),
    ConfigOnly: flags.bool('config-only'),
    ConfigFrom: from === '' ? null : { Network: from },
    Options: keyValues(flags.list('opt')),
    Labels: keyValues(flags.list('label')),
    Name: name,
  };
}

interface Draft {
  Subnet: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

/** Ranges, gateways and auxiliary addresses find the subnet that they are in. */
function ipamConfig(flags: FlagValues): readonly IpamConfig[] {
  const subnets = splitStrings(flags.list('subnet'));
  const ranges = splitStrings(flags.list('ip-range'));
  const gateways = splitStrings(flags.list('gateway'));
  if (subnets.length < ranges.length || subnets.length < gateways.length) {
    wrong('every ip-range or gateway must have a corresponding subnet');
  }
  const drafts: Draft[] = [];
  for (const subnet of subnets) {
    if (drafts.some((other) => within(subnet, other.Subnet) || within(other.Subnet, subnet))) {
      wrong('multiple overlapping subnet configuration is not supported');
    }
    drafts.push({ Subnet: subnet });
  }
  const home = (text: string): Draft | undefined => drafts.find((draft) => within(draft.Subnet, text));
  for (const range of ranges) {
    const draft = home(range) ?? wrong(`no matching subnet for range ${range}`);
    if (draft.IPRange !== undefined) {
      wrong(`cannot configure multiple ranges (${range}, ${draft.IPRange}) on the same subnet (${draft.Subnet})`);
    }
    draft.IPRange = range;
  }
  for (const gateway of gateways) {
    const draft = home(gateway) ?? wrong(`no matching subnet for gateway ${gateway}`);
    if (draft.Gateway !== undefined) {
      wrong(`cannot configure multiple gateways (${gateway}, ${draft.Gateway}) for the same subnet (${draft.Subnet})`);
    }
    draft.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(keyValues(flags.list('aux-address')))) {
    const draft = home(address) ?? wrong(`no matching subnet for aux-address ${address}`);
    draft.AuxiliaryAddresses = { ...draft.AuxiliaryAddresses, [name]: address };
  }
  return drafts;
}

/** Whether an address, or the first one of a range, is in a subnet. */
function within(subnet: string, text: string): boolean {
  const [base = '', bits = ''] = subnet.split('/', 2);
  const family = isIP(base);
  const most = family === 6 ? 128 : 32;
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most) {
    return wrong(`invalid subnet: invalid CIDR address: ${subnet}`);
  }
  const address = text.split('/', 1)[0] ?? '';
  const other = isIP(address);
  if (text.includes('/') && other === 0) return wrong(`invalid CIDR address: ${text}`);
  if (other !== family) return false;
  const list = new BlockList();
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  list.addSubnet(base, Number(bits), kind);
  return list.check(address, kind);
}

function wrong(message: string): never {
  return fail('invalid', 'cli.network', message);
}
