// What stands above the commands: the global flags and the management groups.

import type { Flag } from './command.ts';
import { flagTable } from './flags.ts';

export interface Group {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  /** What stands after the name in `Usage:` of a mistake. */
  readonly usage?: string;
}

export const groups: readonly Group[] = [
  {
    name: 'completion',
    summary: 'Generate the autocompletion script for the specified shell',
    description: `Generate the autocompletion script for hoist for the specified shell.
See each sub-command's help for details on how to use the generated script.`,
  },
  { name: 'container', summary: 'Manage containers' },
  { name: 'context', summary: 'Manage contexts' },
  { name: 'engine', summary: 'Manage the engine' },
  { name: 'image', summary: 'Manage images' },
  { name: 'network', summary: 'Manage networks' },
  { name: 'plugin', summary: 'Manage plugins' },
  { name: 'system', summary: 'Manage Hoist' },
  { name: 'volume', summary: 'Manage volumes', usage: 'COMMAND' },
];

/**
 * Flags before the command. --root, --run-root and -H choose the engine, so the launcher has acted on them before this
 * code runs; here they are only known, so that they parse and show.
 */
export function rootFlags(home: string): readonly Flag[] {
  return flagTable(`
      --config string      Location of client config files (default "${home}/.docker")
  -c, --context string     Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with "docker context use")
  -D, --debug              Enable debug mode
  -H, --host list          Daemon socket to connect to
      --insecure           Send commands over the network in plain text: whoever sees them has root on that machine
  -l, --log-level string   Set the logging level ("debug", "info", "warn", "error", "fatal") (default "info")
      --root string        Directory of images and containers (overrides HOIST_ROOT env var)
      --run-root string    Directory of sockets and running state (overrides HOIST_RUN_ROOT env var)
      --tls                Use TLS; implied by --tlsverify
      --tlscacert string   Trust certs signed only by this CA (default "${home}/.docker/ca.pem")
      --tlscert string     Path to TLS certificate file (default "${home}/.docker/cert.pem")
      --tlskey string      Path to TLS key file (default "${home}/.docker/key.pem")
      --tlsverify          Use TLS and verify the remote
  -v, --version            Print version information and quit`);
}
