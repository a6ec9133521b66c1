// The Dev Containers CLI makes a development container of a folder, and runs commands in it.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Result } from '../kernel/program.ts';
import { busybox, inWorld, repository } from '../kernel/world.ts';

const program = path.join(repository, 'node_modules/.bin/devcontainer');

inWorld('devcontainers', { prepare: busybox, needs: ['docker'] }, (check) => {
  check('up, exec, up again, with files of the folder and commands of its life', async (world) => {
    await world.ok(['engine', 'start']);
    const folder = path.join(world.dir, 'project');
    mkdirSync(path.join(folder, '.devcontainer'), { recursive: true });
    writeFileSync(path.join(folder, 'main.txt'), 'source\n');
    const config = {
      image: 'busybox',
      remoteUser: 'root',
      updateRemoteUserUID: false,
      workspaceFolder: '/work',
      workspaceMount: `source=${folder},target=/work,type=bind`,
      containerEnv: { COLOUR: 'green' },
      mounts: ['source=dev-cache,target=/cache,type=volume'],
      postCreateCommand: 'echo made > /cache/made',
    };
    writeFileSync(path.join(folder, '.devcontainer/devcontainer.json'), JSON.stringify(config));
    const devcontainer = async (...args: readonly string[]): Promise<Result> => {
      const env = { DOCKER_HOST: `unix://${world.runRoot}/docker.sock` };
      const argv = [process.execPath, program, ...args, '--workspace-folder', folder];
      const result = await world.program(argv, { env, timeout: 100 });
      assert.equal(result.code, 0, `${args.join(' ')}\n${result.stdout}\n${result.stderr}`);
      return result;
    };
    const up = JSON.parse((await devcontainer('up')).stdout.trim().split('\n').at(-1) ?? '') as Record<string, string>;
    assert.equal(up['outcome'], 'success');
    assert.equal(up['remoteWorkspaceFolder'], '/work');
    const env = { DOCKER_HOST: `unix://${world.runRoot}/docker.sock` };
    const run = ['exec', '--workspace-folder', folder, 'sh', '-c', 'cat main.txt /cache/made; echo $COLOUR; pwd'];
    const inside = await world.program([process.execPath, program, ...run], { env, timeout: 100 });
    assert.equal(inside.stdout, 'source\nmade\ngreen\n/work\n', inside.stderr);
    const again = JSON.parse((await devcontainer('up')).stdout.trim().split('\n').at(-1) ?? '') as Record<
      string,
      string
    >;
    assert.equal(again['containerId'], up['containerId']);
  });
});
