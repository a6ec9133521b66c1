// The name server of one container, on sockets that are in its network namespace: only its processes can ask. What it
// knows comes from `lookUp`; the rest is asked of other name servers.

import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import { forward, framed } from './dns-forward.ts';
import { type DnsAnswer, type DnsQuestion, dnsCode, readQuestion, writeAnswer, writeRefusal } from './dns-message.ts';

export interface NameService {
  /** Nothing is answered before. */
  readonly ready: Promise<unknown>;
  /** The answer to what is known here; undefined: ask others. */
  lookUp(question: DnsQuestion): DnsAnswer | undefined;
  /** Whom to ask; none: nobody. */
  servers(): readonly string[];
}

/** Questions under way, of one container: a program that asks without end does not fill the engine. */
const mostAtOnce = 200;
const mostConnections = 50;
const idleMs = 30_000;

export interface NameServer {
  serve(socket: DatagramSocket | Server): void;
  close(): void;
}

export function nameServer(service: NameService): NameServer {
  const open = new Set<DatagramSocket | Server>();
  const connections = new Set<Socket>();
  let underWay = 0;

  async function answer(message: Uint8Array, kind: 'udp' | 'tcp'): Promise<Uint8Array | undefined> {
    const question = readQuestion(message);
    if (question === undefined) return writeRefusal(message, dnsCode.formatError);
    await service.ready;
    const known = service.lookUp(question);
    if (known !== undefined) return writeAnswer(question, known);
    if (underWay >= mostAtOnce) return writeAnswer(question, { code: dnsCode.refused });
    underWay++;
    try {
      const answer = await forward(message, question, service.servers(), kind);
      return answer ?? writeAnswer(question, { code: dnsCode.serverFailure });
    } finally {
      underWay--;
    }
  }

  function onConnection(socket: Socket): void {
    if (connections.size >= mostConnections) return void socket.destroy();
    connections.add(socket);
    let room: Buffer = Buffer.alloc(0);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      room = Buffer.concat([room, chunk]);
      while (room.length >= 2 && room.length >= 2 + room.readUInt16BE(0)) {
        const end = 2 + room.readUInt16BE(0);
        const message = room.subarray(2, end);
        room = room.subarray(end);
        answer(message, 'tcp').then(
          (reply) => void (reply && !socket.destroyed && socket.write(framed(reply))),
          () => socket.destroy(),
        );
      }
    });
  }

  return {
    serve(socket) {
      open.add(socket);
      socket.unref();
      socket.on('error', () => {});
      if (!('setTTL' in socket)) return void socket.on('connection', onConnection);
      socket.on('message', (message, { port, address }) => {
        answer(message, 'udp').then(
          (reply) => void (reply && open.has(socket) && socket.send(reply, port, address)),
          () => {}, // no answer, as if it had been lost
        );
      });
    },
    close() {
      for (const socket of open) socket.close();
      for (const socket of connections) socket.destroy();
      open.clear();
    },
  };
}
