// The default bridge as containers use it: an address of its pool, and the ops for it. What running containers hold is
// known from their records; nothing else is written down. The bridge is made when the first container needs it.

import { readFileSync } from 'node:fs';
import { formatAddress, formatMac, macOf, parseAddress, parsePrefix } from '../../network/address.ts';
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
import type { Attachment, ContainerNetwork } from './deps.ts';
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

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: closures over one state
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

  function attachment(
    here: Ready,
    record: ContainerRecord,
    address: string,
    ports: readonly PublishedPort[],
  ): Attachment {
    const endpoint = describe(here, address, ports);
    const ops = endpointOps(here.bridge, { veth: vethName(record.id, starts++), address, ports });
    return { endpoint, ops };
  }

  return {
    async attach(record: ContainerRecord) {
      const here = await whenReady();
      const ports = portsFor(record); // before an address is taken: it may fail
      const made = attachment(here, record, here.pool.allocate(), ports);
      held.set(record.id, made.endpoint);
      return made;
    },
    async preview(record) {
      const here = await (ready ?? assumed(config));
      const address = here.pool.allocate();
      here.pool.release(address);
      return attachment(here, record, address, portsFor(record));
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
  };
}

/** The bridge as it will be, for a plan that is only printed: nothing is made. */
function assumed(config: BridgeConfig): Ready {
  const gateway = config.gateway ?? parsePrefix('172.17.0.1/16');
  const bridge: Bridge = { name: config.name, index: 0, mtu: config.mtu, gateway, table: config.table };
  return { bridge, pool: createPool(gateway, formatAddress(gateway.address), 'bridge') };
}
