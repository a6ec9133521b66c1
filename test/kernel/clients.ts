// Clients of published ports, made of what every Debian has: bash. (A static busybox cannot look up names on a host.)

import type { World } from './world.ts';

export interface From {
  /** Another network namespace than the engine's own. */
  readonly network?: string;
  /** Seconds to wait for it; few where nothing is expected. */
  readonly patience?: number;
}

/** What a peer says back to `text`; undefined when it cannot be reached. */
export async function talk(
  world: World,
  [protocol, host, port]: readonly ['tcp' | 'udp', string, number],
  text: string,
  from: From = {},
): Promise<string | undefined> {
  // udp has no end: one datagram is the answer
  const read = protocol === 'udp' ? 'timeout 2 dd bs=65536 count=1 <&3 2>/dev/null' : 'timeout 10 cat <&3';
  const script = `exec 3<>/dev/${protocol}/${host}/${port} || exit 7; printf '%b' "$1" >&3; ${read}; exit 0`;
  const inside = from.network === undefined ? [] : ['nsenter', `--net=/run/netns/${from.network}`];
  const result = await world.program([
    ...inside,
    'timeout',
    String(from.patience ?? 12),
    'bash',
    '-c',
    script,
    'bash',
    text,
  ]);
  return result.code === 0 && (protocol === 'tcp' || result.stdout !== '') ? result.stdout : undefined;
}

/** The body of an HTTP answer; undefined when there is none. */
export async function get(
  world: World,
  host: string,
  port: number,
  path = '/',
  from: From = {},
): Promise<string | undefined> {
  const answer = await talk(world, ['tcp', host, port], `GET ${path} HTTP/1.0\\r\\nHost: ${host}\\r\\n\\r\\n`, from);
  const end = answer?.indexOf('\r\n\r\n') ?? -1;
  return answer === undefined || end < 0 ? undefined : answer.slice(end + 4);
}
