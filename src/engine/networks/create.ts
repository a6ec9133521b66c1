// network create: the request, checked and completed, becomes a document; then its bridge is made.

import { fail, translateWriteError } from '../../base/errors.ts';
import { contains, formatAddress, formatPrefix, overlaps, parseAddress, parsePrefix } from '../../network/address.ts';
import { freeSubnet, hasInterface } from '../../network/bridge.ts';
import { firstAddress } from '../../network/ipam.ts';
import type { IpamConfig, NetworkCreate } from '../../spec/docker/network.ts';
import { now } from '../containers/record.ts';
import type { Events } from '../events.ts';
import { type NetworkRecord, networkSchema, newNetworkId, removeNetworkFiles, saveNetwork } from './record.ts';
import { subnetProblem } from './request.ts';
import {
  addNet,
  bridgeConfigOf,
  bridgeOptions,
  dropNet,
  lookUpNet,
  type NetworkState,
  subnetOf,
  whenReady,
} from './state.ts';

export async function createNetwork(state: NetworkState, events: Events, request: NetworkCreate): Promise<string> {
  const record = await composeNetwork(state, request);
  const own = record.options[bridgeOptions.name];
  // it would be taken over, and taken away with the network
  if (own && (await hasInterface(state.executor(), own)))
    fail('denied', 'network.option', `cannot create network ${record.name}: this host has an interface ${own} already`);
  checkName(state, record.name); // again: others were asked meanwhile
  const net = addNet(state, record);
  try {
    saveNetwork(state.root, record);
    if (record.driver === 'bridge' && !record.configOnly) await whenReady(state, net);
  } catch (error) {
    dropNet(state, net);
    removeNetworkFiles(state.root, record.id);
    throw translateWriteError(error, state.root);
  }
  events.emit('network', 'create', record.id, { name: record.name, type: record.driver });
  return record.id;
}

async function composeNetwork(state: NetworkState, request: NetworkCreate): Promise<NetworkRecord> {
  const { Name: name, Options, Labels } = request;
  checkName(state, name);
  const driver = driverOf(request);
  if (request.EnableIPv6)
    fail('unsupported', 'network.no_ipv6', 'networks have IPv4 addresses alone so far: create it without --ipv6');
  if (request.EnableIPv4 === false) fail('invalid', 'network.no_family', 'IPv4 or IPv6 must be enabled');
  const base = {
    schema: networkSchema,
    id: newNetworkId((id) => [...state.byId.keys()].some((other) => other.startsWith(id.slice(0, 12)))),
    name,
    created: now(),
    labels: Labels ?? {},
    attachable: request.Attachable ?? false,
  } as const;
  const from = request.ConfigFrom?.Network ?? '';
  if (from !== '') return { ...base, ...(await configuredBy(state, from, request)), driver: 'bridge' };
  const options = Options ?? {};
  const config = request.IPAM?.Config ?? [];
  checkIpam(config);
  checkOptions(state, options);
  const ipamDriver = request.IPAM?.Driver || 'default';
  if (ipamDriver !== 'default' && ipamDriver !== 'null')
    fail('not_found', 'network.ipam_driver', `plugin "${ipamDriver}" not found`);
  return {
    ...base,
    driver: request.ConfigOnly ? 'null' : driver,
    internal: request.Internal ?? false,
    configOnly: request.ConfigOnly ?? false,
    configFrom: '',
    ipam: {
      driver: ipamDriver,
      options: request.IPAM?.Options ?? {},
      config: request.ConfigOnly ? config : await withSubnet(state, config),
    },
    ownSubnet: hasSubnet(config),
    options,
  };
}

async function configuredBy(state: NetworkState, ref: string, request: NetworkCreate) {
  const { record } =
    lookUpNet(state, ref) ?? fail('not_found', 'network.not_found', `configuration network "${ref}" does not exist`);
  if (!record.configOnly)
    fail('denied', 'network.not_config', `configuration network "${ref}" is not a configuration network`);
  const own = (request.IPAM?.Config?.length ?? 0) > 0 || Object.keys(request.Options ?? {}).length > 0;
  if (own)
    fail(
      'denied',
      'network.config_from',
      'user supplied options are not supported when the network is created from a configuration network',
    );
  const config = await withSubnet(state, record.ipam.config);
  const { options, internal, ipam, ownSubnet } = record;
  return { options, internal, ownSubnet, ipam: { ...ipam, config }, configOnly: false, configFrom: record.name };
}

function hasSubnet(config: readonly IpamConfig[]): boolean {
  return config.some(({ Subnet }) => Subnet);
}

function checkName(state: NetworkState, name: string): void {
  if (name.trim() === '') fail('invalid', 'network.name', 'invalid name: name is empty');
  if (['bridge', 'host', 'none', 'default'].includes(name))
    fail('denied', 'network.predefined', `operation is not permitted on predefined ${name} network`);
  if (state.byName.has(name)) fail('conflict', 'network.name_taken', `network with name ${name} already exists`);
}

const swarmWords =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

function driverOf({ Driver, Scope, Ingress }: NetworkCreate): 'bridge' {
  const driver = Driver || 'bridge';
  if (Ingress) fail('denied', 'network.swarm', 'Ingress network can only be global scope network');
  if (Scope === 'swarm' || Scope === 'global')
    fail('denied', 'network.swarm', `cannot create a ${Scope} scoped network when swarm is not active`);
  if (driver === 'host' || driver === 'null')
    fail('denied', 'network.one_only', `only one instance of "${driver}" network is allowed`);
  if (driver === 'overlay') fail('denied', 'network.swarm', swarmWords);
  if (driver === 'macvlan' || driver === 'ipvlan')
    fail('unsupported', 'network.driver', `networks of the driver ${driver} are not supported: bridge networks are`);
  if (driver !== 'bridge') fail('not_found', 'network.driver', `plugin "${driver}" not found`);
  return driver;
}

/** Docker names everything that is wrong, one line each. */
function checkIpam(config: readonly IpamConfig[]): void {
  if (config.length > 1) fail('invalid', 'network.subnets', "bridge driver doesn't support multiple subnets");
  const problems = config.flatMap(({ Subnet, IPRange, Gateway, AuxiliaryAddresses }): string[] => {
    const subnet = Subnet ?? '';
    const given = [IPRange, Gateway, ...Object.values(AuxiliaryAddresses ?? {})].filter((one) => one);
    if (subnet === '') return given.length > 0 ? ['invalid subnet : invalid CIDR block notation'] : [];
    const problem = subnetProblem(subnet);
    if (problem !== undefined) return [problem];
    return insideProblems(subnet, { IPRange, Gateway, AuxiliaryAddresses });
  });
  if (problems.length > 0) fail('invalid', 'network.bad_ipam', `invalid network config:\n${problems.join('\n')}`);
}

function insideProblems(
  text: string,
  { IPRange = '', Gateway = '', AuxiliaryAddresses = {} }: { [K in keyof IpamConfig]: IpamConfig[K] | undefined },
): string[] {
  const subnet = parsePrefix(text);
  if (subnet.address.length !== 4) return [`invalid subnet ${text}: networks have IPv4 addresses alone so far`];
  const inside = (what: string, address: string): string[] => {
    const bytes = parseAddress(address);
    if (bytes === undefined) return [`invalid ${what}: invalid address`];
    return contains(subnet, bytes) ? [] : [`invalid ${what}: parent subnet ${text} doesn't contain this address`];
  };
  const range = IPRange === '' ? undefined : subnetProblem(IPRange)?.replace('invalid subnet', 'invalid ip-range');
  const outside =
    IPRange !== '' &&
    range === undefined &&
    (!contains(subnet, parsePrefix(IPRange).address) || parsePrefix(IPRange).bits < subnet.bits);
  return [
    ...(range === undefined ? [] : [range]),
    ...(outside ? [`invalid ip-range ${IPRange}: parent subnet ${text} doesn't contain ip-range`] : []),
    ...(Gateway === '' ? [] : inside(`gateway ${Gateway}`, Gateway)),
    ...Object.entries(AuxiliaryAddresses).flatMap(([name, address]) => inside(`auxiliary address ${name}`, address)),
  ];
}

/** The default pool that nobody has, where no subnet was asked for. Fails where another network has the one that was. */
async function withSubnet(state: NetworkState, config: readonly IpamConfig[]): Promise<readonly IpamConfig[]> {
  const others = [...state.byId.values()].flatMap(({ record }) => (record.configOnly ? [] : (subnetOf(record) ?? [])));
  const standard = await state.byName.get('bridge')?.ready?.catch(() => undefined);
  if (standard) others.push(standard.bridge.gateway);
  const [first] = config;
  if (first?.Subnet) {
    const subnet = parsePrefix(first.Subnet);
    if (others.some((other) => overlaps(other, subnet)))
      fail('denied', 'network.overlap', 'invalid pool request: Pool overlaps with other one on this address space');
    return config;
  }
  // the default bridge, which may not be there yet, comes first in the order of the pools
  const subnet = await freeSubnet(state.executor(), [...others, parsePrefix('172.17.0.0/16')]);
  return [{ Subnet: formatPrefix(subnet), Gateway: formatAddress(firstAddress(subnet)) }];
}

function checkOptions(state: NetworkState, options: Readonly<Record<string, string>>): void {
  const mtu = options[bridgeOptions.mtu];
  if (mtu !== undefined && !/^\d+$/.test(mtu))
    fail(
      'invalid',
      'network.option',
      `failed to parse ${bridgeOptions.mtu} value: ${mtu} (strconv.Atoi: parsing "${mtu}": invalid syntax)`,
    );
  for (const name of [bridgeOptions.icc, bridgeOptions.masquerade]) {
    const value = options[name];
    if (value !== undefined && !/^(1|t|true|0|f|false)$/i.test(value))
      fail(
        'invalid',
        'network.option',
        `failed to parse ${name} value: ${value} (strconv.ParseBool: parsing "${value}": invalid syntax)`,
      );
  }
  const binding = options[bridgeOptions.hostBinding];
  if (binding !== undefined && parseAddress(binding)?.length !== 4)
    fail('invalid', 'network.option', `failed to parse ${bridgeOptions.hostBinding} value: ${binding}`);
  const bridge = options[bridgeOptions.name];
  if (bridge === undefined) return;
  if (!/^[^\s/:]{1,15}$/.test(bridge))
    fail('invalid', 'network.option', `invalid bridge name ${bridge}: interfaces have names of 1 to 15 characters`);
  const taken = [...state.byId.values()].find((net) => bridgeConfigOf(state, net.record).name === bridge);
  if (taken)
    fail(
      'denied',
      'network.option',
      `cannot create network (${bridge}): conflicts with network ${taken.record.id} (${bridge}): networks have same bridge name`,
    );
}
