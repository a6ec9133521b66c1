// Whether the machine has the Docker client that the command line follows.

import { execFileSync } from 'node:child_process';

const follows = '28.2.';

/** For a test's `skip`: false, or why not. */
export function hasRealDocker(): string | false {
  try {
    const version = execFileSync('docker', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return version.includes(` ${follows}`) ? false : `the docker client here is not ${follows}x: ${version.trim()}`;
  } catch {
    return 'no docker client on this machine';
  }
}
