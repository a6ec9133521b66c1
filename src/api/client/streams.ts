// A process's streams over a connection that was taken over from HTTP, as a terminal joins them.

import type { Duplex } from 'node:stream';
import { Transform } from 'node:stream';
import { demultiplexer } from '../../base/multiplex.ts';
import type { ProcessStream, StreamEnd, StreamRequest } from '../../runtime/keeper-stream.ts';
import type { Hijacked } from './call.ts';

/** The server says nothing of why it ends a stream: the detach keys are looked for here as well, as Docker's client does. */
export function hijackedStream(
  { socket, framed }: Hijacked,
  tty: boolean,
  { detachKeys, stdin }: StreamRequest,
): ProcessStream {
  let detach = (): void => {};
  const detached = new Promise<void>((resolve) => {
    detach = resolve;
  });
  const keys = tty && stdin ? detachKeys : new Uint8Array(0);
  const input = keys.length === 0 ? socket : scanning(socket, keys, () => detach());
  if (!stdin) socket.end(); // as Docker's client: the half that nobody uses
  return {
    input,
    read(onOutput): Promise<StreamEnd> {
      const take = (framed ?? !tty) ? demultiplexer((type, bytes) => onOutput(type === 2 ? 2 : 1, bytes)) : undefined;
      return new Promise((resolve) => {
        const lost = (): void => resolve({ reason: 'lost' });
        void detached.then(() => resolve({ reason: 'detached' }));
        socket.on('end', lost);
        socket.on('close', lost);
        socket.on('data', (bytes: Buffer) => (take ? take(bytes) : onOutput(1, bytes)));
        if (socket.destroyed) lost();
      });
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
  };
}

/** Passes bytes on but for the sequence; what only begins like it is passed on when it goes on otherwise. */
function scanning(socket: Duplex, keys: Uint8Array, found: () => void): Transform {
  const wanted = Buffer.from(keys);
  let held: Buffer = Buffer.alloc(0);
  const scan = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const bytes = Buffer.concat([held, chunk]);
      const at = bytes.indexOf(wanted);
      if (at >= 0) {
        held = Buffer.alloc(0);
        this.push(bytes.subarray(0, at));
        found();
        return done();
      }
      let keep = Math.min(wanted.length - 1, bytes.length);
      while (keep > 0 && !bytes.subarray(bytes.length - keep).equals(wanted.subarray(0, keep))) keep--;
      held = bytes.subarray(bytes.length - keep);
      this.push(bytes.subarray(0, bytes.length - keep));
      done();
    },
    flush(done) {
      this.push(held);
      done();
    },
  });
  scan.pipe(socket);
  return scan;
}
