// What Docker's client has and this engine has not: known by name, listed nowhere, refused with one sentence.

import type { Command } from '../command.ts';

/** Docker's words, for whatever asks a swarm for something. */
export const notSwarm =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const noSwarm = 'this engine is not part of a swarm; it runs the containers of one machine';
const noCheckpoints = 'checkpoints of running processes are not built';
const noPlugins = 'the engine takes no plugins; its drivers are built in';
const noBuilds = 'building images is not built yet; hoist import and hoist load bring images in';
const noManifests = 'manifest lists are not made here';
const noTrust = 'Docker Content Trust is at its end, and not built';

const table: Readonly<Record<string, readonly [why: string, verbs: string]>> = {
  builder: [noBuilds, 'build prune'],
  buildx: [noBuilds, 'bake build create dial-stdio du history imagetools inspect install ls prune rm stop use version'],
  checkpoint: [noCheckpoints, 'create ls list rm remove'],
  config: [noSwarm, 'create inspect ls list rm remove'],
  manifest: [noManifests, 'annotate create inspect push rm'],
  node: [noSwarm, 'demote inspect ls list promote ps rm remove update'],
  plugin: [noPlugins, 'create disable enable inspect install push rm remove set upgrade'],
  secret: [noSwarm, 'create inspect ls list rm remove'],
  service: [noSwarm, 'create inspect logs ls list ps rm remove rollback scale update'],
  stack: [noSwarm, 'config deploy up ls list ps rm down remove services'],
  swarm: [noSwarm, 'ca init join join-token leave unlock unlock-key update'],
  trust: [noTrust, 'inspect key revoke sign signer'],
};

function refusedCommand(names: Command['names'], refused: string): Command {
  return {
    names,
    summary: `Not supported: ${refused}`,
    usage: '[OPTIONS] [ARG...]',
    args: { min: 0 },
    flags: [],
    hidden: true,
    refused,
    run: async () => 1,
  };
}

export const unsupported: readonly Command[] = [
  refusedCommand([['build'], ['image', 'build']], noBuilds),
  refusedCommand([['completion', 'powershell']], 'there are scripts for bash, zsh and fish'),
  ...Object.entries(table).flatMap(([group, [why, verbs]]) => [
    ...(group === 'plugin' ? [] : [refusedCommand([[group]], why)]),
    ...verbs.split(' ').map((verb) => refusedCommand([[group, verb]], why)),
  ]),
];
