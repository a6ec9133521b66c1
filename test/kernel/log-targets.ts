// Little servers that log drivers send to, inside a test's network namespace. What they get they say, as hex, one line each.

import type { Running } from './program.ts';
import type { World } from './world.ts';

export interface Target {
  readonly port: number;
  /** All bytes so far: of a stream joined, of datagrams one by one. */
  received(): readonly Buffer[];
  text(): string;
  stop(): Promise<void>;
}

const scripts = {
  tcp: `const s = require('net').createServer((c) => { console.log('open'); c.on('data', (d) => { console.log('data ' + d.toString('hex')); if (process.argv[2] === 'ack') answer(c, d); }); c.on('error', () => {}); });
function answer(c, d) { const at = d.indexOf('chunk'); if (at < 0) return; const n = d[at + 5] & 31; const id = d.subarray(at + 6, at + 6 + n); c.write(Buffer.concat([Buffer.from([0x81, 0xa3]), Buffer.from('ack'), Buffer.from([0xa0 | n]), id])); }
s.listen(Number(process.argv[1]), '127.0.0.1', () => console.log('port ' + s.address().port));`,
  udp: `const s = require('dgram').createSocket('udp4'); s.on('message', (d) => console.log('data ' + d.toString('hex')));
s.bind(Number(process.argv[1]), '127.0.0.1', () => console.log('port ' + s.address().port));`,
} as const;

export async function startTarget(world: World, kind: keyof typeof scripts, port = 0, manner = ''): Promise<Target> {
  const running = world.start([process.execPath, '-e', scripts[kind], String(port), manner]);
  const [, chosen = ''] = await running.until(/^port (\d+)$/m);
  return targetOf(running, Number(chosen));
}

/** A unix datagram socket, which Node does not have. */
export async function startUnixTarget(world: World, path: string): Promise<Target> {
  const script = `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(sys.argv[1]); print('port 1',flush=True)
while True: print('data '+s.recv(1<<20).hex(),flush=True)`;
  const running = world.start(['python3', '-c', script, path]);
  await running.until(/^port 1$/m);
  return targetOf(running, 0);
}

function targetOf(running: Running, port: number): Target {
  const received = (): readonly Buffer[] =>
    [...running.said().matchAll(/^data ([0-9a-f]*)$/gm)].map(([, hex = '']) => Buffer.from(hex, 'hex'));
  return {
    port,
    received,
    text: () => Buffer.concat([...received()]).toString(),
    async stop() {
      running.child.kill('SIGKILL');
      await running.ended.catch(() => undefined);
    },
  };
}
