// What makes the engine the name server of a container: rules and two sockets in its network namespace, made there and
// handed over to the engine. Ops alone; what the engine answers is in dns-server.ts.

import { resolverAddress, resolverPort, resolverRules } from '../plan/nft-resolver.ts';
import { k, type Op, op } from '../plan/ops.ts';
import { socketLine } from '../sys/executor.ts';
import { enterNamespace, openNamespace } from './endpoint.ts';

/** In a network namespace that is just made. `label`: comes with the sockets. */
export function resolverOps(label: string): Op[] {
  return [resolverRules(), ...socketOps(label)];
}

/** For a container that runs: with rules where it had no name server before, sockets alone for a new engine. */
export function lateResolverOps(pid: number, label: string, rules: boolean): Op[] {
  return [openNamespace(pid), enterNamespace, ...(rules ? resolverOps(label) : socketOps(label))];
}

function socketOps(label: string): Op[] {
  return (['udp', 'tcp'] as const).flatMap((kind): Op[] => {
    const type = kind === 'udp' ? k.SOCK_DGRAM : k.SOCK_STREAM;
    const out = `resolver-${kind}`;
    // connections to the last engine that are not over yet hold its port for a minute: there is udp
    const [inUse, noSocket] = kind === 'tcp' ? [k.EADDRINUSE, k.EBADF] : [];
    return [
      op(
        'bindPort',
        { family: k.AF_INET, type, address: resolverAddress, port: resolverPort, reuse: 0, out },
        `where its name server answers (${kind})`,
        inUse,
      ),
      op('handOver', { slot: out, text: socketLine(kind, label) }, 'the engine answers there', noSocket),
    ];
  });
}
