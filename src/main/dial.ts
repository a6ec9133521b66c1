// `hoist system dial-stdio`: the other end of an ssh:// address. Standard input and output become a connection to the API.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Command } from '../cli/command.ts';
import type { Io } from '../cli/io.ts';

export function dialCommand(dial: () => Duplex | Promise<Duplex>): Command {
  return {
    names: [['system', 'dial-stdio']],
    summary: 'Proxy the stdio stream to the daemon connection. Should not be invoked manually.',
    usage: '',
    args: { min: 0, max: 0 },
    flags: [],
    hidden: true,
    async run({ io }) {
      const connection = await dial();
      connection.on('error', () => {}); // ends the output
      io.signal.addEventListener('abort', () => connection.destroy());
      void upload(io, connection);
      for await (const chunk of connection) await io.stdout.write(chunk as Uint8Array);
      return 0;
    },
  };
}

async function upload(io: Io, connection: Duplex): Promise<void> {
  try {
    for await (const chunk of io.stdin.read()) {
      if (connection.destroyed) return;
      if (!connection.write(chunk)) await Promise.race([once(connection, 'drain'), once(connection, 'close')]);
    }
    connection.end();
  } catch {
    connection.destroy();
  }
}
