// The bodies of network create, connect and disconnect.

import type { Ipam, IpamConfig, NetworkConnect, NetworkCreate, NetworkDisconnect } from '../../spec/docker/network.ts';
import { jsonBody } from '../route.ts';
import { readEndpoint } from './container.ts';
import { flag, list, nullable, object, optional, text, textMap } from './read.ts';

const ipam = object<Partial<Ipam>>({
  Driver: optional(text),
  Options: optional(nullable(textMap)),
  Config: optional(
    list(
      object<IpamConfig>({
        Subnet: optional(text),
        IPRange: optional(text),
        Gateway: optional(text),
        AuxiliaryAddresses: optional(textMap),
      }),
    ),
  ),
});

const readCreate = object<NetworkCreate>({
  Name: text,
  Driver: optional(text),
  Scope: optional(text),
  Internal: optional(flag),
  Attachable: optional(flag),
  Ingress: optional(flag),
  ConfigOnly: optional(flag),
  ConfigFrom: optional(object<{ Network: string }>({ Network: text })),
  IPAM: optional(ipam),
  EnableIPv4: optional(flag),
  EnableIPv6: optional(flag),
  Options: optional(textMap),
  Labels: optional(textMap),
});

export const networkCreateBody = jsonBody<NetworkCreate>((value) => readCreate(value, ''));

const readConnect = object<NetworkConnect>({ Container: text, EndpointConfig: optional(readEndpoint) });
export const networkConnectBody = jsonBody<NetworkConnect>((value) => readConnect(value, ''));

const readDisconnect = object<NetworkDisconnect>({ Container: text, Force: optional(flag) });
export const networkDisconnectBody = jsonBody<NetworkDisconnect>((value) => readDisconnect(value, ''));
