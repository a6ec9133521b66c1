// Datagrams over the network: sent, not answered. What does not fit into one is left out.

import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { errnoOf } from '../../base/errors.ts';

export interface UdpTarget {
  readonly host: string;
  readonly port: number;
}

export function udpSender({ host, port }: UdpTarget): {
  send(datagram: Uint8Array): Promise<void>;
  close(): void;
} {
  let socket: Socket | undefined;
  const opened = (): Socket => {
    socket ??= createSocket(isIPv6(host) ? 'udp6' : 'udp4').on('error', () => {});
    return socket.unref();
  };
  return {
    send: (datagram) =>
      new Promise((resolve, reject) => {
        opened().send(datagram, port, host === '' ? '127.0.0.1' : host, (error) => {
          if (error === null || errnoOf(error) === 'EMSGSIZE') resolve();
          else reject(error);
        });
      }),
    close() {
      socket?.close();
      socket = undefined;
    },
  };
}
