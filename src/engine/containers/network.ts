// The default bridge as containers use it: an address of its pool, and the ops for it. What running containers hold is
// known from their records; nothing else is written down. The bridge is made when the first container needs it.

import { readFileSync } from 'node:fs';
import { formatAddress, formatMac, macOf, parseAddress } from '../../network/address.ts';
import {
  type Bridge,
  type BridgeConfig,
  endpointCleanup,
  endpointOps,
  ensureBridge,
  sweepPorts,
  vethName,
} from '../../network/bridge.ts';
import { createPool, type Pool } from '../../network/ipam.ts';
import { assignPorts, hostPorts, type PublishedPort } from '../../network/ports.ts';
import type { Executor } from '../../sys/executor.ts';
import type { ContainerNetwork } from './deps.ts';
import type { ContainerRecord, EndpointRecord } from './record.ts';

interface Ready {
  readonly bridge: Bridge;
  readonly pool: Pool;
}

/** Ports that programs of this machine use, of a protocol (proc_net(5)). */
function portsOfHost(protocol: PublishedPort['protocol']): ReadonlySet<number> {
  return new Set([protocol, `${protocol}6`].flatMap((name) => [...hostPorts(readTable(`/proc/net/${name}`))]));
}

function readTable(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // sctp without its module: nobody uses one
  }
}

export function bridgeNetwork(executor: () => Executor, config: BridgeConfig): ContainerNetwork {
  const held = new Map<string, EndpointRecord>();
  let ready: Promise<Ready> | undefined;
  let starts = 0;

  function whenReady(): Promise<Ready> {
    ready ??= ensureBridge(executor(), config).then(async (bridge) => {
      const pool = createPool(bridge.gateway, formatAddress(bridge.gateway.address), 'bridge');
      for (const { address } of held.values()) pool.reserve(address);
      await sweepPorts(executor(), bridge, [...held.values()]);
      return { bridge, pool };
    });
    ready.catch(() => {
      ready = undefined; // the next container tries again
    });
    return ready;
  }

  function portsFor({ config: { ExposedPorts }, hostConfig }: ContainerRecord): readonly PublishedPort[] {
    return assignPorts(
      {
        bindings: hostConfig.PortBindings,
        exposed: ExposedPorts ?? {},
        publishAll: hostConfig.PublishAllPorts,
        ipv6: false,
      },
      { held: [...held.values()].flatMap(({ ports }) => ports), host: portsOfHost },
    );
  }

  function describe({ bridge }: Ready, address: string, ports: readonly PublishedPort[]): EndpointRecord {
    return {
      address,
      prefix: bridge.gateway.bits,
      gateway: formatAddress(bridge.gateway.address),
      mac: formatMac(macOf(parseAddress(address) ?? new Uint8Array(4))),
      ports,
    };
  }

  return {
    async attach(record: ContainerRecord) {
      const here = await whenReady();
      const ports = portsFor(record); // before an address is taken: it may fail
      const endpoint = describe(here, here.pool.allocate(), ports);
      held.set(record.id, endpoint);
      return endpoint;
    },
    async preview(record) {
      const here = await whenReady();
      const address = here.pool.allocate();
      here.pool.release(address);
      return describe(here, address, portsFor(record));
    },
    async ops(record, endpoint) {
      const { bridge } = await whenReady();
      return endpointOps(bridge, {
        veth: vethName(record.id, starts++),
        address: endpoint.address,
        ports: endpoint.ports,
      });
    },
    async cleanup(_record, endpoint) {
      return endpointCleanup((await whenReady()).bridge, endpoint);
    },
    release(id) {
      const endpoint = held.get(id);
      held.delete(id);
      if (endpoint) void ready?.then(({ pool }) => pool.release(endpoint.address)).catch(() => {});
    },
    adopt(record) {
      if (!record.endpoint) return;
      held.set(record.id, record.endpoint);
      const { address } = record.endpoint;
      void ready?.then(({ pool }) => pool.reserve(address)).catch(() => {});
    },
    async gateway() {
      return formatAddress((await whenReady()).bridge.gateway.address);
    },
  };
}
