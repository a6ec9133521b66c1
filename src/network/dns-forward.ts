// Asks name servers, one after the other, until one answers. UDP, or TCP for those who asked by TCP; an answer that was cut
// off goes back as it is, and the client comes again by TCP.

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createConnection, isIP, isIPv6 } from 'node:net';
import { answers, type DnsQuestion } from './dns-message.ts';

const port = 53;
/** Then the next server is asked. */
const patienceMs = 3000;

/** The first answer; undefined where no server has one. */
export async function forward(
  query: Uint8Array,
  question: DnsQuestion,
  servers: readonly string[],
  kind: 'udp' | 'tcp',
): Promise<Uint8Array | undefined> {
  const ask = kind === 'udp' ? askByUdp : askByTcp;
  for (const server of servers.filter(isIP).slice(0, 3)) {
    const id = randomInt(0x10000); // ours, and not to be guessed; the client gets its own back
    const sent = withId(query, id);
    const answer = await ask(sent, server, (message) => answers(message, id, question)).catch(() => undefined);
    // a server that cannot say is asked no further: another one may
    if (answer !== undefined && !isFailure(answer)) return withId(answer, question.id);
  }
  return undefined;
}

function withId(message: Uint8Array, id: number): Uint8Array {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** SERVFAIL, REFUSED. */
function isFailure(message: Uint8Array): boolean {
  const code = (message[3] ?? 0) & 15;
  return code === 2 || code === 5;
}

type Test = (message: Uint8Array) => boolean;

function askByUdp(query: Uint8Array, server: string, isAnswer: Test): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
    const finish = (answer: Uint8Array | undefined): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), patienceMs);
    socket.on('error', () => finish(undefined));
    socket.on('message', (message) => {
      if (isAnswer(message)) finish(message);
    });
    // connected: the kernel takes messages of this server alone, and says when nobody is there
    socket.on('connect', () => socket.send(query));
    socket.connect(port, server);
  });
}

function askByTcp(query: Uint8Array, server: string, isAnswer: Test): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: server, port });
    let room: Buffer = Buffer.alloc(0);
    const finish = (answer: Uint8Array | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), patienceMs);
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    socket.on('data', (chunk: Buffer) => {
      room = Buffer.concat([room, chunk]);
      const message = room.subarray(2, 2 + (room.length < 2 ? 0 : room.readUInt16BE(0)));
      if (room.length >= 2 && room.length >= 2 + room.readUInt16BE(0)) finish(isAnswer(message) ? message : undefined);
    });
    socket.on('connect', () => socket.write(framed(query)));
  });
}

/** TCP has each message behind its length. */
export function framed(message: Uint8Array): Uint8Array {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length, 0);
  return Buffer.concat([length, message]);
}
