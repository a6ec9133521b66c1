// From what a user asks of a container's networks (create, connect) to its connections: Docker's rules in Docker's words.

import { fail, isHoistError } from '../../base/errors.ts';
import { contains, formatPrefix, networkOf, parseAddress, parseMac, parsePrefix } from '../../network/address.ts';
import type { ContainerCreate, EndpointRequest } from '../../spec/docker/container.ts';
import type { Connection } from '../containers/record.ts';
import { isUserNetwork, lookUpNet, type Net, type NetworkState, subnetOf } from './state.ts';

export const sharedMode =
  'container sharing network namespace with another container or host cannot be connected to any other network';
export const privateMode =
  'container cannot be connected to multiple networks with one of the networks in private (none) mode';

/** In the order of the interfaces: the network mode's own first. A network need not be there before the start. */
export function requestedConnections(
  state: NetworkState,
  { Config, HostConfig, NetworkingConfig }: ContainerCreate,
): readonly Connection[] {
  const { NetworkMode: mode } = HostConfig;
  const asked = Object.entries(NetworkingConfig?.EndpointsConfig ?? {}).map(([ref, request]) =>
    connectionOf(state, ref, request ?? {}),
  );
  if (mode.startsWith('container:')) {
    if (asked.length > 0) fail('invalid', 'network.shared', sharedMode);
    return [];
  }
  const first = connectionOf(state, mode, {});
  const others = asked.filter(({ name }) => name !== first.name).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (others.length > 0 && mode === 'none') fail('invalid', 'network.private', privateMode);
  if (others.length > 0 && mode === 'host') fail('invalid', 'network.shared', sharedMode);
  const own = asked.find(({ name }) => name === first.name) ?? first;
  const main = Config.MacAddress ? { ...own, request: { MacAddress: Config.MacAddress, ...own.request } } : own;
  for (const { name, request } of [main, ...others])
    checkEndpoint(state, name, request, `invalid config for network ${name}: `);
  return [main, ...others];
}

function connectionOf(state: NetworkState, ref: string, request: EndpointRequest): Connection {
  const net = lookUpNet(state, ref);
  // as Docker: the id shows once the container was started
  return { name: net?.record.name ?? ref, network: '', request };
}

/** Fails with kind invalid. A network that is not there yet is checked at the start. `where` comes before the words. */
export function checkEndpoint(state: NetworkState, name: string, request: EndpointRequest, where: string): void {
  const net = lookUpNet(state, name);
  const refuse = (code: string, message: string): never =>
    fail('invalid', code, `${where}invalid endpoint settings:\n${message}`);
  if (request.MacAddress && !parseMac(request.MacAddress))
    refuse('network.bad_mac', `invalid MAC address: ${request.MacAddress}`);
  if (net && !isUserNetwork(net) && (request.Aliases?.length ?? 0) > 0)
    refuse('network.aliases', 'network-scoped alias is supported only for containers in user defined networks');
  const { IPv4Address, IPv6Address, LinkLocalIPs } = request.IPAMConfig ?? {};
  if (IPv6Address)
    fail('unsupported', 'network.no_ipv6', `cannot give ${IPv6Address}: networks have IPv4 addresses alone so far`);
  if ((LinkLocalIPs?.length ?? 0) > 0)
    fail('unsupported', 'network.link_local', 'link-local addresses of a container cannot be chosen');
  if (!IPv4Address) return;
  const address = parseAddress(IPv4Address);
  if (address?.length !== 4) refuse('network.bad_address', `invalid IPv4 address: ${IPv4Address}`);
  else if (net) checkAddress(net, IPv4Address, address, refuse);
}

function checkAddress(net: Net, text: string, address: Uint8Array, refuse: (code: string, message: string) => never) {
  const { record } = net;
  if (!isUserNetwork(net))
    refuse('network.address_here', 'user specified IP address is supported on user defined networks only');
  if (!record.ownSubnet)
    refuse(
      'network.address_here',
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  const subnet = subnetOf(record);
  if (subnet && !contains(subnet, address))
    refuse('network.bad_address', `no configured subnet or ip-range contain the IP address ${text}`);
}

/** What is wrong with a text as a subnet; undefined: nothing. */
export function subnetProblem(text: string): string | undefined {
  try {
    const subnet = parsePrefix(text);
    const right = formatPrefix(networkOf(subnet));
    return right === formatPrefix(subnet) ? undefined : `invalid subnet ${text}: it should be ${right}`;
  } catch (error) {
    if (!isHoistError(error)) throw error;
    return `invalid subnet ${text}: invalid CIDR block notation`;
  }
}
