// The bridge and published ports: from the host, from other containers, and from a machine on the other side of a cable.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { get, talk } from './clients.ts';
import { busybox, compile, eventually, inWorld, type World } from './world.ts';

const outsideOf = (world: World): string => `${world.network}-o`;
const ip = (...args: string[]): void => void execFileSync('ip', args);

/** 192.0.2.1 is the engine's machine, 192.0.2.2 another one, which knows nothing of containers. */
function cable(world: World): void {
  const outside = outsideOf(world);
  ip('netns', 'add', outside);
  ip('-n', world.network, 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', outside);
  for (const [namespace, address] of [
    [world.network, '192.0.2.1/24'],
    [outside, '192.0.2.2/24'],
  ] as const) {
    ip('-n', namespace, 'address', 'add', address, 'dev', 'up0');
    ip('-n', namespace, 'link', 'set', 'up0', 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }
  ip('-n', world.network, 'route', 'add', 'default', 'via', '192.0.2.2');
}

const udpEcho = `
#include <arpa/inet.h>
int main(void) {
  char room[2048];
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53)};
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(s, (void *)&a, sizeof a)) return 1;
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(s, room, sizeof room, 0, (void *)&from, &size);
    if (n > 0) sendto(s, room, n, 0, (void *)&from, size);
  }
}`;

/** Whether a tcp port (`:1F90 `, as in /proc/net/tcp) is in use there. */
function listening(network: string, port: string): boolean {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
  return spawnSync('nsenter', [`--net=/run/netns/${network}`, 'grep', '-q', port, ...tables]).status === 0;
}

/** A web server that says `text`. */
async function web(world: World, name: string, text: string, ...flags: string[]): Promise<string> {
  const script = `mkdir -p /w; echo ${text} >/w/index.html; exec httpd -f -p 80 -h /w`;
  const id = await world.ok(['run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', script]);
  await eventually(
    `${name} listens`,
    async () => (await world.hoist(['exec', name, 'sh', '-c', 'netstat -ltn | grep -q ":80 "'])).code === 0,
  );
  return id;
}

const ports = async (world: World, name: string) => (await world.inspect(name)).NetworkSettings.Ports;
const remove = (world: World, ...names: string[]) => world.ok(['rm', '-f', ...names]);

inWorld(
  'network',
  {
    async prepare(world) {
      cable(world);
      await busybox(world);
    },
    finish: (world) => ip('netns', 'del', outsideOf(world)),
  },
  (check) => {
    check('-p: from 127.0.0.1, from every address of the host, from outside', async (world) => {
      await web(world, 'pub', 'hello', '-p', '8080:80');
      for (const host of ['127.0.0.1', '127.1.2.3', '192.0.2.1', '172.17.0.1'])
        assert.equal(await get(world, host, 8080), 'hello\n', host);
      assert.equal(await get(world, '192.0.2.1', 8080, '/', { network: outsideOf(world) }), 'hello\n');
      assert.deepEqual((await ports(world, 'pub'))['80/tcp']?.[0], { HostIp: '0.0.0.0', HostPort: '8080' });
      assert.match(await world.ok(['ps', '--format', '{{.Ports}}']), /^0\.0\.0\.0:8080->80\/tcp/);
      await remove(world, 'pub');
      assert.equal(await get(world, '127.0.0.1', 8080), undefined);
    });

    check('-p with a host address: only there', async (world) => {
      await web(world, 'local', 'local', '-p', '127.0.0.1:8081:80');
      assert.equal(await get(world, '127.0.0.1', 8081), 'local\n');
      assert.equal(await get(world, '192.0.2.1', 8081), undefined);
      assert.equal(await get(world, '192.0.2.1', 8081, '/', { network: outsideOf(world), patience: 1 }), undefined);
      await web(world, 'wide', 'wide', '-p', '192.0.2.1:8081:80');
      assert.equal(await get(world, '192.0.2.1', 8081, '/', { network: outsideOf(world) }), 'wide\n');
      assert.equal(await get(world, '127.0.0.1', 8081), 'local\n');
      await remove(world, 'local', 'wide');
    });

    check('a packet from outside that says it is for 127.0.0.1 (CVE-2020-8558)', async (world) => {
      await web(world, 'loop', 'loop', '-p', '127.0.0.1:8082:80');
      ip('-n', outsideOf(world), 'route', 'add', '127.0.0.7/32', 'via', '192.0.2.1', 'dev', 'up0', 'table', 'main');
      execFileSync('nsenter', [
        `--net=/run/netns/${outsideOf(world)}`,
        'sh',
        '-c',
        'echo 1 >/proc/sys/net/ipv4/conf/up0/route_localnet; ip rule add pref 0 to 127.0.0.7 lookup 99; ip route add 127.0.0.7 via 192.0.2.1 table 99; ip rule del pref 0 lookup local; ip rule add pref 1 lookup local',
      ]);
      assert.equal(await get(world, '127.0.0.7', 8082, '/', { network: outsideOf(world), patience: 1 }), undefined);
      // the same by hand to the container's address: it was never published to the outside
      const { IPAddress } = (await world.inspect('loop')).NetworkSettings;
      ip('-n', outsideOf(world), 'route', 'add', '172.17.0.0/16', 'via', '192.0.2.1');
      assert.equal(await get(world, IPAddress, 80, '/', { network: outsideOf(world), patience: 1 }), undefined);
      ip('-n', outsideOf(world), 'route', 'del', '172.17.0.0/16');
      await remove(world, 'loop');
    });

    check('udp, and tcp at the same number: from the host and from outside', async (world) => {
      const echo = compile(world, 'echo', udpEcho);
      const flags = ['-v', `${echo}:/echo:ro`, '-p', '5353:53/udp'];
      await web(world, 'both', 'tcp', ...flags, '-p', '5353:80');
      await world.ok(['exec', '-d', 'both', '/echo']);
      await eventually(
        'it listens',
        async () => (await world.hoist(['exec', 'both', 'grep', '-q', ':0035 ', '/proc/net/udp'])).code === 0,
      );
      assert.equal(await talk(world, ['udp', '127.0.0.1', 5353], 'near'), 'near');
      assert.equal(await talk(world, ['udp', '192.0.2.1', 5353], 'far', { network: outsideOf(world) }), 'far');
      assert.equal(await get(world, '127.0.0.1', 5353), 'tcp\n');
      assert.deepEqual(Object.keys(await ports(world, 'both')).sort(), ['53/udp', '80/tcp']);
      await remove(world, 'both');
    });

    check('ranges, chosen ports, -P with --expose', async (world) => {
      await world.ok(['run', '-d', '--name', 'range', '-p', '9000-9002:80-82', '-p', '83', 'busybox', 'sleep', '100']);
      const all = await ports(world, 'range');
      for (const [i, port] of ['80/tcp', '81/tcp', '82/tcp'].entries())
        assert.equal(all[port]?.[0]?.HostPort, String(9000 + i));
      assert.ok(Number(all['83/tcp']?.[0]?.HostPort) >= 32768);
      await web(world, 'chosen', 'chosen', '-P', '--expose', '80', '--expose', '90-91/udp');
      const chosen = await ports(world, 'chosen');
      assert.deepEqual(Object.keys(chosen).sort(), ['80/tcp', '90/udp', '91/udp']);
      assert.equal(await get(world, '127.0.0.1', Number(chosen['80/tcp']?.[0]?.HostPort)), 'chosen\n');
      await world.ok(['run', '-d', '--name', 'shared', '-p', '9100-9101:80', 'busybox', 'sleep', '100']);
      await world.ok(['run', '-d', '--name', 'shared2', '-p', '9100-9101:80', 'busybox', 'sleep', '100']);
      const third = await world.hoist(['run', '--rm', '-p', '9100-9101:80', 'busybox', 'true']);
      assert.equal(third.code, 125);
      await remove(world, 'range', 'chosen', 'shared', 'shared2');
      for (const bad of ['99999:80', 'x:80', '80:80/icmp', '1-3:1-2', '300.1.1.1:80:80', ':', '0.0.0.0:-1:80'])
        assert.equal((await world.hoist(['run', '--rm', '-p', bad, 'busybox', 'true'])).code, 125, bad);
    });

    check('a port in use: by a container, by a program of the host; both say so, and leave nothing', async (world) => {
      await world.ok(['run', '-d', '--name', 'first', '-p', '8090:80', 'busybox', 'sleep', '100']);
      const second = await world.hoist(['run', '-d', '--name', 'second', '-p', '8090:81', 'busybox', 'sleep', '100']);
      assert.deepEqual(
        [second.code, /Bind for 0\.0\.0\.0:8090 failed: port is already allocated/.test(second.stderr)],
        [125, true],
      );
      await remove(world, 'first');
      await world.ok(['start', 'second']);
      await remove(world, 'second');
      const listener = world.start(['busybox', 'nc', '-l', '-p', '8091']);
      await eventually('the host program listens', () => listening(world.network, ':1F9B '));
      const taken = await world.hoist(['run', '--rm', '-p', '8091:80', 'busybox', 'true']);
      assert.equal(taken.code, 125);
      assert.match(taken.stderr, /8091.*(address already in use|port is already allocated)/);
      listener.child.kill('SIGKILL');
      await listener.ended;
      await world.ok(['run', '--rm', '-p', '8091:80', 'busybox', 'true']);
      await eventually('nothing is left', async () => (await world.ok(['ps', '-aq'])) === '');
    });

    check('container to container by address; to itself through its own published port', async (world) => {
      await web(world, 'one', 'one', '-p', '8100:80');
      const { IPAddress } = (await world.inspect('one')).NetworkSettings;
      const fetched = await world.ok([
        'run',
        '--rm',
        'busybox',
        'sh',
        '-c',
        `wget -q -O - http://${IPAddress}; wget -q -O - http://172.17.0.1:8100; wget -q -O - http://192.0.2.1:8100; hostname -i`,
      ]);
      const [first, second, third, own = ''] = fetched.split('\n');
      assert.deepEqual([first, second, third], ['one', 'one', 'one']);
      assert.ok(/^172\.17\./.test(own) && own !== IPAddress);
      assert.equal(await world.ok(['exec', 'one', 'wget', '-q', '-O', '-', 'http://192.0.2.1:8100']), 'one');
      await remove(world, 'one');
    });

    check('out into the world, with the address of the host', async (world) => {
      const server = world.start([
        'nsenter',
        `--net=/run/netns/${outsideOf(world)}`,
        'busybox',
        'nc',
        '-l',
        '-p',
        '7000',
      ]);
      await eventually('it listens', () => listening(outsideOf(world), ':1B58 '));
      const { code, stderr } = await world.hoist([
        'run',
        '--rm',
        'busybox',
        'sh',
        '-c',
        'echo hello | nc -w 2 192.0.2.2 7000',
      ]);
      assert.equal(code, 0, stderr);
      // there is no way back to 172.17.0.0/16: that it came at all shows whose address it had
      await server.until(/^hello\n$/);
      server.child.kill();
    });

    check('addresses are released: at exit, after kill -9 of the keeper; two never share one', async (world) => {
      const ask = 'ip -4 -o addr show eth0 | sed "s/.*inet \\\\([0-9.]*\\\\).*/\\\\1/"';
      const addresses = new Set<string>();
      for (let i = 0; i < 5; i++) addresses.add(await world.ok(['run', '--rm', 'busybox', 'sh', '-c', ask]));
      const names = Array.from({ length: 8 }, (_, i) => `addr${i}`);
      await Promise.all(names.map((name) => world.ok(['run', '-d', '--name', name, 'busybox', 'sleep', '100'])));
      const held = await Promise.all(names.map(async (name) => (await world.inspect(name)).NetworkSettings.IPAddress));
      assert.equal(new Set(held).size, names.length);
      await remove(world, ...names);
      await eventually(
        'no link of a container is left',
        async () => !/veth/.test((await world.program(['ip', '-o', 'link'])).stdout),
      );
      const rules = (await world.program(['nft', 'list', 'ruleset'])).stdout;
      assert.doesNotMatch(rules, /elements = \{[^}]*: 172\.17/);
    });

    check('--network none, host, container:X', async (world) => {
      assert.equal(
        await world.ok([
          'run',
          '--rm',
          '--network',
          'none',
          'busybox',
          'sh',
          '-c',
          'ip -o addr | grep -vc " lo " || true',
        ]),
        '0',
      );
      const links = (await world.program(['ls', '/sys/class/net'])).code;
      assert.equal(links, 0);
      assert.match(await world.ok(['run', '--rm', '--network', 'host', 'busybox', 'ip', '-o', 'addr']), /192\.0\.2\.1/);
      await web(world, 'base', 'base', '-p', '8110:80');
      assert.equal(
        await world.ok([
          'run',
          '--rm',
          '--network',
          'container:base',
          'busybox',
          'wget',
          '-q',
          '-O',
          '-',
          'http://127.0.0.1',
        ]),
        'base',
      );
      const both = await world.hoist(['run', '--rm', '--network', 'container:base', '-p', '1:1', 'busybox', 'true']);
      assert.equal(both.code, 125);
      const nobody = await world.hoist(['run', '--rm', '--network', 'container:nobody', 'busybox', 'true']);
      assert.deepEqual([nobody.code, /No such container: nobody/.test(nobody.stderr)], [125, true]);
      await remove(world, 'base');
      const unknown = await world.hoist(['run', '--rm', '--network', 'lan', 'busybox', 'true']);
      assert.equal(unknown.code, 125);
    });

    check('a restart keeps the ports, published again', async (world) => {
      await web(world, 'again', 'again', '-p', '8120:80');
      await world.ok(['restart', '-t', '0', 'again']);
      await eventually('it serves again', async () => (await get(world, '127.0.0.1', 8120)) === 'again\n');
      await world.ok(['stop', '-t', '0', 'again']);
      assert.equal(await get(world, '127.0.0.1', 8120), undefined);
      await remove(world, 'again');
    });
  },
);
