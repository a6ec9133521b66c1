// Just enough of Docker's Engine API on a Unix socket for the real client to print the documents of a test.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Answer = { readonly status: number; readonly body: unknown };

export interface RealDocker extends AsyncDisposable {
  run(args: readonly string[]): Promise<{ readonly out: string; readonly err: string; readonly code: number }>;
}

/** `answer` gets the path without the version, with its query, and the body; undefined: nobody listens. */
export async function realDocker(
  answer: ((path: string, body: string) => Answer) | undefined,
  { cwd }: { readonly cwd?: string } = {},
): Promise<RealDocker> {
  const directory = await mkdtemp(join(tmpdir(), 'hoist-cli-'));
  const socket = join(directory, 'docker.sock');
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '');
    const headers = { 'Api-Version': '1.50', Ostype: 'linux', 'Content-Type': 'application/json' };
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const sent = Buffer.concat(parts).toString();
      const known = path !== '/_ping' && answer !== undefined;
      const { status, body } = known ? answer(path, sent) : { status: 200, body: 'OK' };
      response.writeHead(status, headers);
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  if (answer !== undefined) await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    run: (args) =>
      new Promise((resolve) => {
        const env = {
          PATH: process.env['PATH'],
          HOME: directory,
          DOCKER_HOST: `unix://${socket}`,
          DOCKER_CLI_HINTS: 'false',
          TZ: 'UTC',
        };
        const child = execFile(
          'docker',
          [...args],
          { env, ...(cwd === undefined ? {} : { cwd }) },
          (error, out, err) => {
            const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
            resolve({ out, err, code });
          },
        );
        child.stdin?.end();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (answer !== undefined) await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true });
    },
  };
}
