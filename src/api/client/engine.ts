// Another engine, ours or Docker's, as the same interfaces: every verb is a request of the route table.

import type { Engine, Networks, System, Volumes } from '../../engine/engine.ts';
import type { Connection } from './address.ts';
import { type Caller, type CallerOptions, createCaller } from './call.ts';
import { remoteContainers } from './containers.ts';
import { remoteExecs } from './execs.ts';
import { type AuthFor, remoteImages } from './images.ts';
import { openTransport } from './transport.ts';

export interface RemoteOptions extends CallerOptions {
  /** The user's credentials for the registry of a reference; none without. */
  readonly authFor?: AuthFor;
}

export interface RemoteEngine extends Engine {
  /** Lets go of the connections that are kept for further requests. */
  close(): void;
}

/** Connects when something is asked. Fails with `cli.insecure`. */
export function remoteEngine(connection: Connection, options: RemoteOptions): RemoteEngine {
  const transport = openTransport(connection);
  const caller = createCaller(transport, options);
  return {
    containers: remoteContainers(caller),
    execs: remoteExecs(caller),
    images: remoteImages(caller, options.authFor ?? (async () => undefined)),
    networks: remoteNetworks(caller),
    volumes: remoteVolumes(caller),
    system: remoteSystem(caller),
    close: () => transport.agent.destroy(),
  };
}

function remoteNetworks({ call }: Caller): Networks {
  return {
    create: (request) => call('NetworkCreate', { params: {}, body: request }),
    list: (filters) => call('NetworkList', { params: {}, query: { filters } }),
    inspect: (ref, options) =>
      call('NetworkInspect', {
        params: { id: ref },
        query: { verbose: options?.verbose ?? false, scope: options?.scope ?? '' },
      }),
    remove: (ref) => call('NetworkDelete', { params: { id: ref } }),
    connect: (ref, request) => call('NetworkConnect', { params: { id: ref }, body: request }),
    disconnect: (ref, request) => call('NetworkDisconnect', { params: { id: ref }, body: request }),
    async prune(filters) {
      const { NetworksDeleted } = await call('NetworkPrune', { params: {}, query: { filters } });
      return { NetworksDeleted: NetworksDeleted ?? [] };
    },
  };
}

function remoteVolumes({ call }: Caller): Volumes {
  return {
    create: (request) => call('VolumeCreate', { params: {}, body: request }),
    list: async (filters) => (await call('VolumeList', { params: {}, query: { filters } })).Volumes ?? [],
    inspect: (name) => call('VolumeInspect', { params: { name } }),
    remove: (name, { force }) => call('VolumeDelete', { params: { name }, query: { force } }),
    async prune(filters) {
      const { VolumesDeleted, SpaceReclaimed } = await call('VolumePrune', { params: {}, query: { filters } });
      return { VolumesDeleted: VolumesDeleted ?? [], SpaceReclaimed };
    },
  };
}

function remoteSystem({ call }: Caller): System {
  return {
    version: () => call('SystemVersion', { params: {} }),
    info: () => call('SystemInfo', { params: {} }),
    async *events({ since, until, filters, signal }) {
      const times = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
      try {
        yield* await call('SystemEvents', { params: {}, query: { ...times, filters }, signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    diskUsage: (types) => call('SystemDataUsage', { params: {}, query: { type: types } }),
    login: (auth, signal) => call('SystemAuth', { params: {}, body: auth, signal }),
  };
}
