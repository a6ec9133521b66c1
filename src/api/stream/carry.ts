// Carries bytes between a process's keeper and a client, whatever the client does: one that reads slowly gets a spool, one
// that vanishes is forgotten.

import { PassThrough } from 'node:stream';
import { multiplexed } from '../../base/multiplex.ts';
import type { AttachPoint } from '../../engine/engine.ts';
import { joinStream, type StreamEnd, type StreamRequest } from '../../runtime/keeper-stream.ts';
import { type Spool, type SpoolLimits, spool } from './spool.ts';
import type { Wire } from './wire.ts';

/** A stream that may begin: everything that can be refused with a status was looked at. */
export interface StreamSession {
  /** With a terminal the bytes are raw, without one they are in frames. */
  readonly tty: boolean;
  /** Carries until one side is done. Never rejects. */
  serve(wire: Wire): Promise<void>;
}

export interface Client {
  /** Aborted when nobody reads any more. */
  readonly gone: AbortSignal;
  readonly spool: Spool;
  /** stdout is 1, stderr 2. Takes the bytes; false: wait for room before the next ones. */
  put(stream: 1 | 2, bytes: Uint8Array): boolean;
  /** Resolves when there is room, or nobody reads any more. */
  room(): Promise<void>;
  /** What the client says, in a buffer: its end is noticed before anybody reads. */
  readonly input: PassThrough;
}

export function clientOf(wire: Wire, framed: boolean, limits: SpoolLimits): Client {
  const abort = new AbortController();
  const input = new PassThrough();
  wire.input.on('error', () => abort.abort());
  wire.output.on('error', () => abort.abort());
  wire.output.on('close', () => abort.abort());
  if (wire.output.destroyed) abort.abort();
  wire.input.pipe(input);
  let wake = (): void => {};
  const client: Client = {
    gone: abort.signal,
    spool: spool(wire.output, limits, () => wake()),
    room: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    put: (stream, bytes) => client.spool.push(framed ? multiplexed(stream, bytes) : Buffer.from(bytes)),
    input,
  };
  return client;
}

/** Joins the process and carries until it comes apart or the client goes. */
export async function carry(client: Client, point: AttachPoint, request: StreamRequest): Promise<StreamEnd> {
  const stream = point.open ? await point.open(request) : joinStream(point.socket, request);
  const leave = (): void => stream.close();
  client.gone.addEventListener('abort', leave);
  if (client.gone.aborted) leave();
  if (request.stdin) client.input.pipe(stream.input);
  else client.input.resume();
  const end = await stream.read((from, bytes) => {
    if (client.put(from, bytes)) return;
    stream.pause();
    void client.room().then(() => stream.resume());
  });
  client.gone.removeEventListener('abort', leave);
  client.input.unpipe(stream.input);
  client.input.resume(); // what it still says goes nowhere
  if (end.reason === 'detached') point.detached?.();
  return end;
}
