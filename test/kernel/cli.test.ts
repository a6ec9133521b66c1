// The command line on a real engine: verbs that print what the engine knows, plugins in the user's own process, completion.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { binary, busybox, eventually, inWorld, type World } from './world.ts';

async function running(world: World, name: string, ...flags: string[]): Promise<void> {
  await world.ok(['run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000']);
}

inWorld('command line', { prepare: busybox }, (check) => {
  check('rename, port, top, pause and unpause', async (world) => {
    await running(world, 'one', '-p', '127.0.0.1:18080:80', '-p', '127.0.0.1:18443:443/tcp');
    await world.ok(['rename', 'one', 'two']);
    assert.equal(await world.ok(['port', 'two']), '80/tcp -> 127.0.0.1:18080\n443/tcp -> 127.0.0.1:18443');
    assert.equal(await world.ok(['port', 'two', '443']), '127.0.0.1:18443');
    const none = await world.hoist(['port', 'two', '81']);
    assert.deepEqual([none.code, none.stderr], [1, "Error: No public port '81' published for two\n"]);
    const top = await world.ok(['top', 'two', '-o', 'pid,args']);
    assert.match(top, /^PID +COMMAND\n\d+ +sleep 1000$/);
    assert.equal(await world.ok(['pause', 'two']), 'two');
    assert.equal(await world.ok(['ps', '--format', '{{.Names}} {{.State}}']), 'two paused');
    assert.equal(await world.ok(['unpause', 'two']), 'two');
    await world.ok(['rm', '-f', 'two']);
  });

  check('stats once, as a table and as JSON; update changes the limit that it shows', async (world) => {
    await running(world, 'eater', '-m', '64m');
    const row = JSON.parse(await world.ok(['stats', '--no-stream', '--format', 'json', 'eater']));
    assert.equal(row.Name, 'eater');
    assert.match(row.MemUsage, / \/ 64MiB$/);
    assert.match(row.CPUPerc, /^\d+\.\d\d%$/);
    assert.equal(row.PIDs, '1');
    assert.equal(await world.ok(['update', '-m', '128m', '--memory-swap', '-1', 'eater']), 'eater');
    const table = await world.ok(['stats', '--no-stream']);
    assert.match(table, /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n/);
    assert.match(table, /eater .*\/ 128MiB/);
    const gone = await world.hoist(['stats', '--no-stream', 'nope']);
    assert.deepEqual([gone.code, gone.stderr], [1, 'Error response from daemon: No such container: nope\n']);
    await world.ok(['rm', '-f', 'eater']);
  });

  check('events since a moment, filtered and formatted', async (world) => {
    const since = String(Date.now() / 1000 - 1);
    await world.ok(['run', '--rm', '--name', 'brief', 'busybox', 'true']);
    const args = ['events', '--since', since, '--until', '0s', '-f', 'container=brief', '-f', 'type=container'];
    const actions = (await world.ok([...args, '--format', '{{.Action}}'])).split('\n');
    assert.deepEqual(
      ['create', 'attach', 'start', 'die', 'destroy'].filter((action) => !actions.includes(action)),
      [],
    );
    const [line = ''] = (await world.ok([...args, '-f', 'event=die'])).split('\n');
    assert.match(line, /^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}\S* container die [0-9a-f]{64} \(.*exitCode=0.*name=brief\)$/);
  });

  check('prune asks first, and only then takes what stands still', async (world) => {
    await world.ok(['create', '--name', 'still', '-l', 'keep=no', 'busybox']);
    await running(world, 'moving');
    const no = await world.hoist(['container', 'prune'], { input: 'n\n' });
    assert.match(no.stdout, /^WARNING! This will remove all stopped containers\.\n.*\[y\/N\] $/);
    assert.equal(await world.ok(['ps', '-a', '-f', 'name=still', '--format', '{{.Names}}']), 'still');
    const other = await world.ok(['container', 'prune', '-f', '--filter', 'label=keep=yes']);
    assert.equal(other, 'Total reclaimed space: 0B');
    const yes = await world.hoist(['container', 'prune'], { input: 'y\n' });
    assert.match(yes.stdout, /Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: /);
    assert.equal(await world.ok(['ps', '-a', '--format', '{{.Names}}']), 'moving');
    assert.match(await world.ok(['system', 'df']), /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +1 +1 /);
    await world.ok(['rm', '-f', 'moving']);
  });

  check('a plugin runs in the user own process, with the words, the input and the exit code', async (world) => {
    const directory = path.join(world.dir, '.docker/cli-plugins');
    mkdirSync(directory, { recursive: true });
    const plugin = (name: string, text: string): void => {
      writeFileSync(path.join(directory, `docker-${name}`), `#!/bin/sh\n${text}`);
      chmodSync(path.join(directory, `docker-${name}`), 0o755);
    };
    const metadata = '{"SchemaVersion":"0.1.0","Vendor":"test"}';
    plugin(
      'hello',
      `[ "$1" = docker-cli-plugin-metadata ] && exec echo '${metadata}'\necho "$@ $DOCKER_HOST"; cat; exit 7`,
    );
    plugin('broken', 'echo no');
    const result = await world.hoist(['hello', '--flag', 'x y'], { input: 'typed' });
    const host = `unix://${path.join(world.runRoot, 'docker.sock')}`;
    assert.deepEqual([result.code, result.stdout], [7, `hello --flag x y ${host}\ntyped`]);
    const broken = await world.hoist(['broken']);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /docker-broken is no CLI plugin: /);
    assert.match((await world.hoist(['nothing'])).stderr, /^hoist: unknown command: hoist nothing\n/);
  });

  check('bash completes commands, flags, values and names', async (world) => {
    await running(world, 'complete-me');
    const script = `
      PATH=${path.dirname(binary)}:$PATH
      source <(hoist completion bash)
      ask() {
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        _hoist 2>/dev/null
        echo "\${COMPREPLY[*]}"
      }
      ask hoist ren
      ask hoist run --restart un
      ask hoist run --restart = on
      ask hoist stop comp
      ask hoist run busybox : la
      ask hoist network connect bri`;
    const { stdout } = await world.program(['bash', '-c', script]);
    assert.deepEqual(stdout.split('\n').slice(0, 6), [
      'rename',
      'unless-stopped',
      'on-failure',
      'complete-me',
      'latest',
      'bridge',
    ]);
    await world.ok(['rm', '-f', 'complete-me']);
    await eventually('no container is left', async () => (await world.ok(['ps', '-aq'])) === '');
  });

  check('fish and zsh complete the same, where they are installed', async (world) => {
    await running(world, 'complete-me');
    const env = { PATH: `${path.dirname(binary)}:${world.env['PATH']}` };
    const there = async (shell: string): Promise<boolean> =>
      (await world.program(['sh', '-c', `command -v ${shell}`])).code === 0;
    if (await there('fish')) {
      const ask = (line: string): string => `complete -C '${line}' | string split -f1 \\t`;
      const lines = ['hoist ren', 'hoist run --restart=un', 'hoist stop comp', 'hoist run busybox:la'].map(ask);
      const script = ['hoist completion fish | source', ...lines].join('\n');
      const { stdout } = await world.program(['fish', '--no-config', '-c', script], { env });
      assert.equal(stdout, 'rename\n--restart=unless-stopped\ncomplete-me\nbusybox:latest\n');
    }
    if (await there('zsh')) {
      // the function alone, with stand-ins for what the line editor brings
      const script = `
        compdef() { : }
        _describe() { print -l -- \${\${(P)2}//\\\\:/:} | sed 's/:[A-Z].*//' }
        source <(hoist completion zsh)
        ask() { words=("$@"); CURRENT=$#; _hoist }
        ask hoist ren; ask hoist run --restart=un; ask hoist stop comp; ask hoist run busybox:la`;
      const { stdout } = await world.program(['zsh', '-f', '-c', script], { env });
      assert.equal(stdout, 'rename\n--restart=unless-stopped\ncomplete-me\nbusybox:latest\n');
    }
    await world.ok(['rm', '-f', 'complete-me']);
  });
});
