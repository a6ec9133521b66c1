// hoist logout: forgets the credentials for a registry.

import { registryDomain } from '../../../engine/login.ts';
import { serverName } from '../../../registry/client/credentials.ts';
import type { Command } from '../../command.ts';
import { eraseLogin } from '../../credentials.ts';

export const logout: Command = {
  names: [['logout']],
  summary: 'Log out from a registry',
  description: `Log out from a registry.
If no server is specified, the default is defined by the daemon.`,
  usage: '[SERVER]',
  args: { min: 0, max: 1 },
  flags: [],
  async run({ io, args }) {
    const domain = registryDomain(args[0] ?? '');
    await io.stdout.write(`Removing login credentials for ${serverName(domain)}\n`);
    await eraseLogin(io, domain);
    return 0;
  },
};
