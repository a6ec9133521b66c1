// Who is who in the networks that users made: names to addresses and back, as a container of them may see it. Pure.

import { parseAddress } from '../../network/address.ts';
import { addressOfReverse, type DnsAnswer, type DnsQuestion, dnsCode, dnsType } from '../../network/dns-message.ts';
import { type Connection, type ContainerRecord, dnsNames } from '../containers/record.ts';

export interface Directory {
  readonly records: () => Iterable<ContainerRecord>;
  /** Whether there is name service in a network. */
  readonly isNamed: (network: string) => boolean;
}

/** What `asker` is told; undefined: nobody here has that name or address. */
export function lookUpName(directory: Directory, asker: ContainerRecord, question: DnsQuestion): DnsAnswer | undefined {
  const networks = asker.connections.filter(({ network, endpoint }) => endpoint && directory.isNamed(network));
  if (question.type === dnsType.PTR) {
    const address = addressOfReverse(question.name);
    const name = address === undefined ? undefined : nameOf(directory, networks, address);
    return name === undefined ? undefined : { code: dnsCode.ok, names: [name] };
  }
  for (const connection of networks) {
    const found = addressesOf(directory, connection, question.name);
    // of a name that is known, what is not an IPv4 address does not exist: others are not asked
    if (found.length > 0) return { code: dnsCode.ok, addresses: question.type === dnsType.A ? shuffled(found) : [] };
  }
  return undefined;
}

function addressesOf(
  directory: Directory,
  { network, name: networkName, request }: Connection,
  asked: string,
): Uint8Array[] {
  const suffix = `.${networkName.toLowerCase()}`;
  const name = asked.endsWith(suffix) ? asked.slice(0, -suffix.length) : asked;
  const linked = linkTarget(request.Links ?? [], name);
  return [...members(directory, network)].flatMap(({ record, connection }) => {
    const names = dnsNames(record, connection.request).map((one) => one.toLowerCase());
    const isMeant = names.includes(name) || (linked !== undefined && isCalled(record, linked));
    const address = isMeant ? parseAddress(connection.endpoint?.address ?? '') : undefined;
    return address ? [address] : [];
  });
}

/** `container[:alias]`: whom an alias of this container's own stands for. */
function linkTarget(links: readonly string[], name: string): string | undefined {
  const link = links.find((one) => (one.split(':')[1] ?? one).toLowerCase() === name);
  return link?.split(':')[0];
}

function isCalled({ id, name }: ContainerRecord, ref: string): boolean {
  return name === ref.replace(/^\//, '') || (/^[0-9a-f]{12,64}$/.test(ref) && id.startsWith(ref));
}

function* members({ records }: Directory, network: string) {
  for (const record of records()) {
    for (const connection of record.connections)
      if (connection.network === network && connection.endpoint) yield { record, connection };
  }
}

function nameOf(directory: Directory, networks: readonly Connection[], address: string): string | undefined {
  for (const { network, name } of networks) {
    for (const { record, connection } of members(directory, network))
      if (connection.endpoint?.address === address) return `${record.name}.${name}`;
  }
  return undefined;
}

/** Those who share a name get their turns. */
function shuffled<T>(list: readonly T[]): readonly T[] {
  return list.length < 2
    ? list
    : list
        .map((one) => ({ one, order: Math.random() }))
        .sort((a, b) => a.order - b.order)
        .map(({ one }) => one);
}
