// Networks that users make: who reaches whom, by which names, and what is left afterwards.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { ContainerInspect } from '../../src/spec/docker/container.ts';
import type { NetworkInspect } from '../../src/spec/docker/network.ts';
import { get } from './clients.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

type Endpoints = ContainerInspect['NetworkSettings']['Networks'];

async function docker(world: World, ...args: string[]): Promise<string> {
  const result = await world.program(['docker', '-H', `unix://${world.runRoot}/docker.sock`, ...args]);
  assert.equal(result.code, 0, `docker ${args.join(' ')} -> ${result.code}\n${result.stderr}`);
  return result.stdout.trimEnd();
}

async function refused(world: World, ...args: string[]): Promise<string> {
  const result = await world.program(['docker', '-H', `unix://${world.runRoot}/docker.sock`, ...args]);
  assert.notEqual(result.code, 0, `docker ${args.join(' ')}: ${result.stdout}`);
  return result.stderr;
}

const sleeper = (world: World, name: string, ...flags: string[]): Promise<string> =>
  docker(world, 'run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000');

/** A web server that says its name. */
async function web(world: World, name: string, ...flags: string[]): Promise<void> {
  const script = `mkdir -p /w; echo I am ${name} >/w/index.html; exec httpd -f -p 80 -h /w`;
  await docker(world, 'run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', script);
  await eventually(`${name} listens`, async () => {
    const listening = await world.hoist(['exec', name, 'sh', '-c', 'netstat -ltn | grep -q ":80 "']);
    return listening.code === 0;
  });
}

/** What `from` gets of a web server; '' where it gets nothing. */
async function fetch(world: World, from: string, host: string): Promise<string> {
  const result = await world.hoist(['exec', from, 'timeout', '3', 'wget', '-qO-', `http://${host}/`]);
  return result.code === 0 ? result.stdout.trim() : '';
}

/** The addresses of a name, as a container learns them; [] where it learns of none. */
async function addresses(world: World, from: string, name: string): Promise<string[]> {
  const { stdout } = await world.hoist(['exec', from, 'nslookup', '-type=a', name]);
  const [, answer = ''] = stdout.split(/\n\n/);
  return [...answer.matchAll(/^Address: (\S+)$/gm)].map(([, address]) => address ?? '').sort();
}

async function networks(world: World, name: string): Promise<Endpoints> {
  const [document] = JSON.parse(await world.ok(['inspect', name])) as ContainerInspect[];
  return document?.NetworkSettings.Networks ?? assert.fail(name);
}

async function inspected(world: World, name: string): Promise<NetworkInspect> {
  const [document] = JSON.parse(await docker(world, 'network', 'inspect', name)) as NetworkInspect[];
  return document ?? assert.fail(name);
}

const links = (world: World): string => execFileSync('ip', ['-n', world.network, '-o', 'link'], { encoding: 'utf8' });
const rules = async (world: World): Promise<string> => (await world.program(['nft', 'list', 'ruleset'])).stdout;
const remove = (world: World, ...names: string[]) => world.ok(['rm', '-f', ...names]);

/** Knows test.example by UDP, and much.example by TCP alone. */
const nameServer = `
const answer = (query, cut) => {
  const end = query.indexOf(0, 12) + 5;
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(cut ? 0x8380 : 0x8180, 2);
  head.writeUInt16BE(cut ? 0 : 1, 6); head.writeUInt32BE(0, 8);
  return Buffer.concat([head, query.subarray(12, end), ...(cut ? [] : [Buffer.from('c00c000100010000000a0004c0000263', 'hex')])]);
};
const udp = require('dgram').createSocket('udp4');
udp.on('message', (query, { port, address }) => udp.send(answer(query, query.includes('much')), port, address));
udp.bind(53, '192.0.2.53', () => console.log('udp'));
require('net').createServer((socket) => socket.on('data', (data) => {
  const reply = answer(data.subarray(2));
  socket.end(Buffer.concat([Buffer.from([0, reply.length]), reply]));
})).listen(53, '192.0.2.53', () => console.log('tcp'));
`;

inWorld('networks of users', { prepare: busybox, needs: ['docker', 'nft'] }, (check) => {
  check('names, aliases, short ids and host names are known within a network, and there alone', async (world) => {
    await docker(world, 'network', 'create', 'inside');
    await docker(world, 'network', 'create', 'elsewhere');
    const id = await sleeper(world, 'one', '--network', 'inside', '--network-alias', 'both', '--hostname', 'Uno');
    await sleeper(world, 'two', '--network', 'inside', '--network-alias', 'both');
    await sleeper(world, 'stranger', '--network', 'elsewhere');
    const one = (await networks(world, 'one'))['inside']?.IPAddress ?? '';
    const two = (await networks(world, 'two'))['inside']?.IPAddress ?? '';
    for (const name of ['one', 'ONE', id.slice(0, 12), 'uno', 'one.inside'])
      assert.deepEqual(await addresses(world, 'two', name), [one], name);
    assert.deepEqual(await addresses(world, 'two', 'both'), [one, two].sort());
    for (const name of ['one', id.slice(0, 12), 'both', 'one.inside'])
      assert.deepEqual(await addresses(world, 'stranger', name), [], name);
    const resolv = await world.ok(['exec', 'two', 'cat', '/etc/resolv.conf']);
    assert.match(resolv, /^nameserver 127\.0\.0\.11$/m);
    assert.match(resolv, /^options .*ndots:0$/m);
    const reverse = one.split('.').reverse().join('.');
    assert.match(
      (await world.hoist(['exec', 'two', 'nslookup', '-type=ptr', `${reverse}.in-addr.arpa`])).stdout,
      /one\.inside/,
    );
    const six = await world.hoist(['exec', 'two', 'nslookup', '-type=aaaa', 'one']);
    assert.doesNotMatch(six.stdout, /SERVFAIL|NXDOMAIN/, 'a name that is known has no IPv6 address; it is not unknown');
    await world.ok(['rename', 'one', 'first']);
    assert.deepEqual(await addresses(world, 'two', 'first'), [one]);
    assert.deepEqual(await addresses(world, 'two', 'one'), []);
    await remove(world, 'first', 'two', 'stranger');
    await docker(world, 'network', 'rm', 'inside', 'elsewhere');
  });

  check(
    'what a network does not know is asked of others, by UDP and by TCP; an internal one asks nobody',
    async (world) => {
      execFileSync('ip', ['-n', world.network, 'address', 'add', '192.0.2.53/32', 'dev', 'lo']);
      const server = world.start([process.execPath, '-e', nameServer]);
      await server.until(/(udp|tcp)\n(udp|tcp)/);
      await docker(world, 'network', 'create', 'asking');
      await docker(world, 'network', 'create', '--internal', 'silent');
      await sleeper(world, 'asker', '--network', 'asking', '--dns', '192.0.2.53');
      await sleeper(world, 'mute', '--network', 'silent', '--dns', '192.0.2.53');
      assert.deepEqual(await addresses(world, 'asker', 'test.example'), ['192.0.2.99']);
      assert.deepEqual(await addresses(world, 'mute', 'test.example'), []);
      assert.equal((await addresses(world, 'mute', 'mute')).length, 1);
      // by TCP: a query in its frame through the rule for port 53
      const query = '\\0\\036\\01\\02\\01\\0\\0\\01\\0\\0\\0\\0\\0\\0\\04much\\07example\\0\\0\\01\\0\\01';
      const script = `(printf '${query}'; sleep 1) | timeout 5 nc 127.0.0.11 53 | od -An -tx1 | tr -d ' \\n'`;
      assert.match(await world.ok(['exec', 'asker', 'sh', '-c', script]), /^002e0102.*c0000263$/);
      server.child.kill('SIGKILL');
      await remove(world, 'asker', 'mute');
      await docker(world, 'network', 'rm', 'asking', 'silent');
    },
  );

  check('networks are apart; an internal one from everything; without icc all are apart', async (world) => {
    await docker(world, 'network', 'create', 'red');
    await docker(world, 'network', 'create', 'blue');
    await docker(world, 'network', 'create', '--internal', 'dark');
    await docker(world, 'network', 'create', '-o', 'com.docker.network.bridge.enable_icc=false', 'shy');
    for (const [name, network] of [
      ['r1', 'red'],
      ['r2', 'red'],
      ['b1', 'blue'],
      ['d1', 'dark'],
      ['d2', 'dark'],
      ['s1', 'shy'],
      ['s2', 'shy'],
    ] as const)
      await web(world, name, '--network', network);
    await web(world, 'plain');
    const at = async (name: string) => Object.values(await networks(world, name))[0]?.IPAddress ?? '';
    assert.equal(await fetch(world, 'r1', 'r2'), 'I am r2');
    assert.equal(await fetch(world, 'd1', 'd2'), 'I am d2');
    for (const [from, to] of [
      ['r1', 'b1'],
      ['b1', 'r1'],
      ['r1', 'd1'],
      ['d1', 'r1'],
      ['s1', 's2'],
      ['plain', 'r1'],
      ['r1', 'plain'],
      ['d1', 'plain'],
    ] as const)
      assert.equal(await fetch(world, from, await at(to)), '', `${from} -> ${to}`);
    assert.doesNotMatch(await world.ok(['exec', 'd1', 'ip', 'route']), /default/);
    await remove(world, 'r1', 'r2', 'b1', 'd1', 'd2', 's1', 's2', 'plain');
    await docker(world, 'network', 'rm', 'red', 'blue', 'dark', 'shy');
  });

  check(
    'published ports; connect and disconnect of a container that runs: addresses, routes, names and ports follow',
    async (world) => {
      await docker(world, 'network', 'create', '--subnet', '10.77.1.0/24', 'aa');
      await docker(world, 'network', 'create', '--subnet', '10.77.2.0/24', 'bb');
      await web(world, 'site', '--network', 'aa', '-p', '8090:80');
      await web(world, 'other', '--network', 'bb');
      assert.equal(await get(world, '127.0.0.1', 8090), 'I am site\n');
      await docker(world, 'network', 'connect', '--alias', 'shop', '--ip', '10.77.2.50', 'bb', 'site');
      assert.equal(await fetch(world, 'other', 'shop'), 'I am site');
      assert.equal(await fetch(world, 'site', 'other'), 'I am other');
      const both = await networks(world, 'site');
      assert.deepEqual(Object.keys(both), ['aa', 'bb']);
      assert.equal(both['bb']?.IPAddress, '10.77.2.50');
      assert.deepEqual(both['bb']?.DNSNames?.slice(0, 2), ['site', 'shop']);
      assert.match(await world.ok(['exec', 'site', 'cat', '/etc/hosts']), /^10\.77\.2\.50\t/m);
      assert.match(await world.ok(['exec', 'site', 'ip', 'route']), /default via 10\.77\.1\.1 dev eth0/);
      assert.match(
        await refused(world, 'network', 'connect', 'bb', 'site'),
        /endpoint with name site already exists in network bb/,
      );
      await docker(world, 'network', 'disconnect', 'aa', 'site');
      assert.match(await world.ok(['exec', 'site', 'ip', 'route']), /default via 10\.77\.2\.1 dev eth1/);
      assert.equal(await get(world, '127.0.0.1', 8090), 'I am site\n');
      assert.doesNotMatch(await world.ok(['exec', 'site', 'cat', '/etc/hosts']), /10\.77\.1\./);
      await docker(world, 'network', 'connect', 'aa', 'site');
      assert.match(await world.ok(['exec', 'site', 'ip', '-o', 'address']), /eth0 +inet 10\.77\.1\./);
      await world.ok(['restart', '-t', '0', 'site']);
      await eventually('it answers again', async () => (await fetch(world, 'other', 'shop')) === 'I am site');
      await remove(world, 'site', 'other');
      await docker(world, 'network', 'rm', 'aa', 'bb');
    },
  );

  check('the default bridge and a network of the user: name service comes and goes', async (world) => {
    await docker(world, 'network', 'create', 'late');
    await sleeper(world, 'plain');
    await sleeper(world, 'named', '--network', 'late');
    assert.deepEqual(await addresses(world, 'plain', 'named'), []);
    await docker(world, 'network', 'connect', 'late', 'plain');
    assert.equal((await addresses(world, 'plain', 'named')).length, 1);
    await docker(world, 'network', 'disconnect', 'late', 'plain');
    assert.doesNotMatch(await world.ok(['exec', 'plain', 'cat', '/etc/resolv.conf']), /127\.0\.0\.11/);
    await docker(world, 'network', 'connect', 'late', 'plain');
    assert.equal((await addresses(world, 'plain', 'named')).length, 1);
    await remove(world, 'plain', 'named');
    await docker(world, 'network', 'rm', 'late');
  });

  check('several networks at create: eth0 is the mode, the gateway goes by priority', async (world) => {
    for (const name of ['n1', 'n2', 'n3']) await docker(world, 'network', 'create', name);
    const flags = ['--network', 'n3', '--network', 'name=n2,gw-priority=10', '--network', 'n1'];
    await sleeper(world, 'many', ...flags);
    const found = await networks(world, 'many');
    const route = await world.ok(['exec', 'many', 'ip', 'route']);
    const routes = ['n3', 'n1', 'n2'].map(
      (name, place) => `eth${place}.*${found[name]?.IPAddress.replace(/\./g, '\\.')}`,
    );
    for (const one of routes) assert.match(route, new RegExp(one));
    assert.match(route, new RegExp(`default via ${found['n2']?.Gateway.replace(/\./g, '\\.')} `));
    await world.ok(['stop', '-t', '0', 'many']);
    const stopped = await networks(world, 'many');
    assert.deepEqual(
      Object.values(stopped).map(({ IPAddress }) => IPAddress),
      ['', '', ''],
    );
    await remove(world, 'many');
    await docker(world, 'network', 'rm', 'n1', 'n2', 'n3');
  });

  check("addresses of one's own; what is refused says why, in the words that clients know", async (world) => {
    await docker(
      world,
      'network',
      'create',
      '--subnet',
      '10.78.0.0/24',
      '--ip-range',
      '10.78.0.128/28',
      '--label',
      'a=b',
      'own',
    );
    await docker(world, 'network', 'create', 'pool');
    await sleeper(world, 'fixed', '--network', 'own', '--ip', '10.78.0.77', '--mac-address', '02:00:00:00:00:07');
    await sleeper(world, 'free', '--network', 'own');
    assert.equal((await networks(world, 'fixed'))['own']?.IPAddress, '10.78.0.77');
    assert.match(await world.ok(['exec', 'fixed', 'ip', 'link', 'show', 'eth0']), /02:00:00:00:00:07/);
    assert.match((await networks(world, 'free'))['own']?.IPAddress ?? '', /^10\.78\.0\.1(2[89]|3\d|4[0-3])$/);
    const run = ['run', '--rm', 'busybox', 'true'];
    const cases: [args: string[], words: RegExp][] = [
      [
        ['run', '--rm', '--network', 'own', '--ip', '10.78.0.77', 'busybox', 'true'],
        /failed to set up container networking: Address already in use/,
      ],
      [
        ['run', '--rm', '--network', 'own', '--ip', '10.79.0.1', 'busybox', 'true'],
        /no configured subnet or ip-range contain the IP address 10\.79\.0\.1/,
      ],
      [
        ['run', '--rm', '--network', 'pool', '--ip', '172.18.0.9', 'busybox', 'true'],
        /supported only when connecting to networks with user configured subnets/,
      ],
      [['run', '--rm', '--ip', '172.17.0.9', 'busybox', 'true'], /supported on user defined networks only/],
      [
        ['run', '--rm', '--network', 'nope', ...run.slice(2)],
        /failed to set up container networking: network nope not found/,
      ],
      [['network', 'create', 'own'], /network with name own already exists/],
      [['network', 'create', 'bridge'], /operation is not permitted on predefined bridge network/],
      [['network', 'create', '--subnet', '10.78.0.0/16', 'x'], /Pool overlaps with other one on this address space/],
      [
        ['network', 'create', '--subnet', '10.78.9.1/24', 'x'],
        /invalid subnet 10\.78\.9\.1\/24: it should be 10\.78\.9\.0\/24/,
      ],
      [['network', 'create', '-d', 'host', 'x'], /only one instance of "host" network is allowed/],
      [['network', 'create', '-d', 'nope', 'x'], /plugin "nope" not found/],
      [['network', 'rm', 'bridge'], /bridge is a pre-defined network and cannot be removed/],
      [['network', 'rm', 'own'], /network own has active endpoints \(name:"fixed" id:"[0-9a-f]{12}", name:"free"/],
      [['network', 'connect', 'host', 'fixed'], /container must be created in host network mode/],
      [['network', 'connect', 'none', 'fixed'], /one of the networks in private \(none\) mode/],
      [['network', 'disconnect', 'pool', 'fixed'], /is not connected to network pool/],
    ];
    for (const [args, words] of cases) assert.match(await refused(world, ...args), words, args.join(' '));
    const document = await inspected(world, 'own');
    assert.deepEqual(document.IPAM.Config, [{ Subnet: '10.78.0.0/24', IPRange: '10.78.0.128/28' }]);
    assert.deepEqual(
      Object.values(document.Containers ?? {})
        .map(({ Name }) => Name)
        .sort(),
      ['fixed', 'free'],
    );
    assert.equal(await docker(world, 'network', 'ls', '-q', '--filter', 'label=a=b', '--no-trunc'), document.Id);
    await remove(world, 'fixed', 'free');
    assert.match(await docker(world, 'network', 'prune', '-f'), /\nown\npool/);
  });

  check('the engine is killed: names, addresses and ports go on; what is removed leaves nothing', async (world) => {
    const before = {
      links: links(world),
      rules: await rules(world),
      files: readdirSync(path.join(world.root, 'networks')),
    };
    await docker(world, 'network', 'create', 'lasting');
    await web(world, 'up', '--network', 'lasting', '-p', '8091:80');
    await sleeper(world, 'peer', '--network', 'lasting');
    const address = (await networks(world, 'up'))['lasting']?.IPAddress;
    process.kill(await world.enginePid(), 'SIGKILL');
    assert.equal(await get(world, '127.0.0.1', 8091), 'I am up\n');
    assert.equal(await fetch(world, 'peer', 'up'), 'I am up', 'the exec starts an engine, which answers');
    assert.equal((await networks(world, 'up'))['lasting']?.IPAddress, address);
    await sleeper(world, 'new', '--network', 'lasting');
    assert.notEqual((await networks(world, 'new'))['lasting']?.IPAddress, address);
    assert.equal(await fetch(world, 'new', 'up'), 'I am up');
    // as after a reboot: the document is there, the bridge is not
    await remove(world, 'new', 'peer', 'up');
    const bridge = /br-[0-9a-f]{12}/.exec(links(world))?.[0] ?? assert.fail('no bridge');
    execFileSync('ip', ['-n', world.network, 'link', 'del', bridge]);
    await world.ok(['engine', 'restart']);
    await web(world, 'again', '--network', 'lasting', '-p', '8091:80');
    assert.equal(await get(world, '127.0.0.1', 8091), 'I am again\n');
    await remove(world, 'again');
    await docker(world, 'network', 'rm', 'lasting');
    await eventually('no interface is left', () => !/br-|hv/.test(links(world)));
    assert.doesNotMatch(await rules(world), /br-/);
    assert.deepEqual(readdirSync(path.join(world.root, 'networks')), before.files);
    assert.ok(!existsSync(path.join(world.root, 'networks', 'lasting')));
  });

  check('twenty at once in one network, all of them with addresses and names of their own', async (world) => {
    await docker(world, 'network', 'create', 'crowd');
    const names = Array.from({ length: 20 }, (_, index) => `c${index}x`);
    await Promise.all(names.map((name) => sleeper(world, name, '--network', 'crowd')));
    const members = Object.values((await inspected(world, 'crowd')).Containers ?? {});
    assert.equal(new Set(members.map(({ IPv4Address }) => IPv4Address)).size, 20);
    const script = names.map((name) => `nslookup -type=a ${name} >/dev/null || echo ${name}`).join('; ');
    assert.equal(await world.ok(['exec', 'c0x', 'sh', '-c', script]), '');
    await remove(world, ...names);
    await docker(world, 'network', 'rm', 'crowd');
  });

  check('events of networks, with what they are about', async (world) => {
    const events = world.start([
      'docker',
      '-H',
      `unix://${world.runRoot}/docker.sock`,
      'events',
      '--filter',
      'type=network',
      '--format',
      '{{.Action}} {{json .Actor.Attributes}}',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await docker(world, 'network', 'create', 'told');
    const id = await sleeper(world, 'who', '--network', 'told');
    await docker(world, 'network', 'disconnect', 'told', 'who');
    await remove(world, 'who');
    await docker(world, 'network', 'rm', 'told');
    await events.until(/destroy/);
    events.child.kill('SIGKILL');
    const about = `{"container":"${id}","name":"told","type":"bridge"}`;
    const alone = '{"name":"told","type":"bridge"}';
    assert.deepEqual(events.said().trim().split('\n'), [
      `create ${alone}`,
      `connect ${about}`,
      `disconnect ${about}`,
      `destroy ${alone}`,
    ]);
  });
});
