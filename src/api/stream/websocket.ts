// The server's side of a websocket (RFC 6455), as far as attach needs it: a stream of bytes in both directions.

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Duplex, PassThrough, Writable } from 'node:stream';
import { fail } from '../../base/errors.ts';
import { type MessageReader, messageReader, opcodes, webFrame } from './websocket-frames.ts';
import type { Wire } from './wire.ts';

/** How long a peer may take to answer our close. */
const closeMs = 5000;

/** Answers the handshake and takes the connection over. Before API 1.28 what is sent was text. */
export function acceptWebsocket(request: IncomingMessage, socket: Duplex, head: Buffer, minor: number): Wire {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = request.headers;
  if (request.method !== 'GET' || upgrade?.toLowerCase() !== 'websocket' || typeof key !== 'string')
    fail('invalid', 'websocket.handshake', 'not a websocket handshake');
  if (Buffer.from(key, 'base64').length !== 16)
    fail('invalid', 'websocket.key', 'Sec-WebSocket-Key must be 16 bytes in base64');
  if (version !== '13') fail('invalid', 'websocket.version', 'Sec-WebSocket-Version must be 13');
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  if (head.length > 0) socket.unshift(head);
  socket.on('error', () => {}); // 'close' follows
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  return wireOver(socket, minor < 28 ? opcodes.text : opcodes.binary);
}

function wireOver(socket: Duplex, opcode: number): Wire {
  const input = new PassThrough();
  let closing = false;
  const sendClose = (code: number): void => {
    if (closing) return;
    closing = true;
    const reason = Buffer.alloc(2);
    reason.writeUInt16BE(code);
    socket.end(webFrame(opcodes.close, reason));
    setTimeout(() => socket.destroy(), closeMs).unref();
  };
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => void socket.write(webFrame(opcode, chunk), () => done()),
    final(done) {
      sendClose(1000);
      done();
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
    autoDestroy: false,
  });
  const reader: MessageReader = messageReader({
    onData(bytes) {
      if (!input.write(bytes)) {
        socket.pause();
        input.once('drain', () => socket.resume());
      }
    },
    onPing: (bytes) => void (closing || socket.write(webFrame(opcodes.pong, bytes))),
    onClose() {
      sendClose(1000);
      input.end();
      output.destroy();
    },
    onError(code) {
      sendClose(code);
      input.end();
      output.destroy();
    },
  });
  socket.on('data', reader);
  socket.on('end', () => socket.destroy()); // a websocket ends with a close frame; half of one is of no use
  socket.on('close', () => {
    input.end();
    output.destroy();
  });
  return { input, output };
}
