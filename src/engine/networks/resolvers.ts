// The name servers of the containers that have one: the sockets that plans hand over, and what is answered there.

import { readFileSync } from 'node:fs';
import { type NameServer, nameServer } from '../../network/dns-server.ts';
import { nameserversOf } from '../../network/hosts.ts';
import { lateResolverOps } from '../../network/resolver.ts';
import type { Executor } from '../../sys/executor.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { type Directory, lookUpName } from './names.ts';

export interface Resolvers {
  /** Sockets for a container that runs: a new engine's, or (`rules`) the first that it has. */
  reopen(record: ContainerRecord, options?: { readonly rules: boolean }): Promise<void>;
  close(id: string): void;
}

export interface ResolversDeps {
  readonly executor: Executor;
  /** Containers are known from then on. */
  readonly ready: Promise<unknown>;
  readonly find: (id: string) => ContainerRecord | undefined;
  /** Whether it runs, or is about to: sockets of others would keep their network namespace for nothing. */
  readonly isHeld: (id: string) => boolean;
  readonly directory: Directory;
  /** Whether containers of a network may reach others than themselves. */
  readonly isInternal: (network: string) => boolean;
  readonly warn: (message: string) => void;
}

export function openResolvers({
  executor,
  ready,
  find,
  isHeld,
  directory,
  isInternal,
  warn,
}: ResolversDeps): Resolvers {
  const open = new Map<string, NameServer>();

  executor.onSocket((id, socket) => {
    if (!isHeld(id)) return void socket.close();
    let server = open.get(id);
    if (server === undefined) {
      server = nameServer({
        ready,
        lookUp: (question) => {
          const record = find(id);
          return record && lookUpName(directory, record, question);
        },
        servers: () => serversOf(find(id)),
      });
      open.set(id, server);
    }
    server.serve(socket);
  });

  /** Nobody outside learns what a container asks that is to reach nobody outside. */
  function serversOf(record: ContainerRecord | undefined): readonly string[] {
    if (!record?.connections.some(({ network }) => !isInternal(network))) return [];
    const own = record.hostConfig.Dns.filter((one) => !one.startsWith('127.'));
    return own.length > 0 ? own : hostServers();
  }

  return {
    async reopen(record, { rules } = { rules: false }) {
      const plan = { setup: lateResolverOps(record.state.pid, record.id, rules), child: [], cleanup: [] };
      const result = await executor.run(plan, 'fork');
      if (!result.ok) warn(`${record.id} has no name server: errno ${result.failure.errno}`);
    },
    close(id) {
      open.get(id)?.close();
      open.delete(id);
    },
  };
}

/** Those that this machine itself asks, as they are now. */
function hostServers(): readonly string[] {
  try {
    return nameserversOf(readFileSync('/etc/resolv.conf', 'utf8'));
  } catch {
    return [];
  }
}
