// A network as the API's documents show it. Pure.

import { formatAddress, formatPrefix, networkOf } from '../../network/address.ts';
import type { Bridge } from '../../network/bridge.ts';
import type { NetworkContainer, NetworkInspect } from '../../spec/docker/network.ts';
import type { ContainerPool } from '../containers/deps.ts';
import type { NetworkRecord } from './record.ts';

export function describeNetwork(
  record: NetworkRecord,
  containers?: Readonly<Record<string, NetworkContainer>>,
): NetworkInspect {
  return {
    Name: record.name,
    Id: record.id,
    Created: record.created,
    Scope: 'local',
    Driver: record.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: record.ipam.driver, Options: record.ipam.options, Config: record.ipam.config },
    Internal: record.internal,
    Attachable: record.attachable,
    Ingress: false,
    ConfigFrom: { Network: record.configFrom },
    ConfigOnly: record.configOnly,
    ...(containers ? { Containers: containers } : {}),
    Options: record.options,
    Labels: record.labels,
  };
}

/** The containers that run in it, by id. */
export function containersOf(pool: ContainerPool, network: string): Readonly<Record<string, NetworkContainer>> {
  const found: Record<string, NetworkContainer> = {};
  for (const { record } of pool.live.values()) {
    const endpoint = record.connections.find((one) => one.network === network)?.endpoint;
    if (!endpoint) continue;
    found[record.id] = {
      Name: record.name,
      EndpointID: endpoint.id,
      MacAddress: endpoint.mac,
      IPv4Address: endpoint.address === '' ? '' : `${endpoint.address}/${endpoint.prefix}`,
      IPv6Address: '',
    };
  }
  return found;
}

/** The default bridge as it is, in the words of its document. */
export function defaultBridge({ name, mtu, gateway }: Bridge): Pick<NetworkRecord, 'ipam' | 'options'> {
  const config = [{ Subnet: formatPrefix(networkOf(gateway)), Gateway: formatAddress(gateway.address) }];
  return {
    ipam: { driver: 'default', options: null, config },
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      'com.docker.network.bridge.enable_icc': 'true',
      'com.docker.network.bridge.enable_ip_masquerade': 'true',
      'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
      'com.docker.network.bridge.name': name,
      'com.docker.network.driver.mtu': String(mtu),
    },
  };
}
