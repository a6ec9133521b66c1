// Against the real kernel: an executor in a network namespace of its own, containers as bare clones.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { k, op, type Plan } from '../plan/ops.ts';
import { type Executor, type PlanResult, startExecutor } from '../sys/executor.ts';
import { type Bridge, type BridgeConfig, ensureBridge, runOps } from './bridge.ts';
import { type Endpoint, endpointOps, noneOps, vethName } from './endpoint.ts';
import type { PublishedPort } from './ports.ts';
import { explainPortFailure, sweepPorts } from './publish.ts';

const native = new URL('../../bin/hoist', import.meta.url).pathname;

function missing(): string | false {
  try {
    accessSync(native);
  } catch {
    return 'bin/hoist is not built';
  }
  if (process.getuid?.() !== 0) return 'needs root';
  if (spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status !== 0)
    return 'needs network namespaces and ip';
  if (spawnSync('nft', ['--version']).error) return 'needs nft';
  return false;
}

interface Lab {
  readonly executor: Executor;
  readonly directory: string;
  /** Runs a program in the executor's network namespace. */
  readonly inside: (program: string, ...args: string[]) => string;
}

async function lab(t: TestContext): Promise<Lab> {
  const directory = mkdtempSync(join(tmpdir(), 'hoist-network-'));
  const wrapper = join(directory, 'native');
  writeFileSync(wrapper, `#!/bin/sh\nexec unshare -n sh -c 'ip link set lo up; exec ${native} "$@"' sh "$@"\n`);
  chmodSync(wrapper, 0o755);
  const executor = startExecutor(wrapper, () => {});
  const awake = setInterval(() => {}, 1000); // the executor does not keep Node alive
  t.after(async () => {
    await executor[Symbol.asyncDispose]();
    clearInterval(awake);
    rmSync(directory, { recursive: true });
  });
  await executor.run({ setup: [], child: [], cleanup: [] }, 'here');
  assert.notEqual(readlinkSync(`/proc/${executor.pid}/ns/net`), readlinkSync('/proc/self/ns/net'));
  const inside = (program: string, ...args: string[]): string =>
    execFileSync('nsenter', ['-t', String(executor.pid), '-n', program, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  return { executor, directory, inside };
}

const config: BridgeConfig = { name: 'hoist9', mtu: 1500, gateway: undefined, table: 'hoist-test' };

/** Starts a shell command as a "container": network namespace, the endpoint, nothing else. `cleanup` is left to the test. */
async function start(
  lab: Lab,
  ops: ReturnType<typeof endpointOps>,
  command: string,
  name: string,
): Promise<PlanResult> {
  const output = join(lab.directory, `${name}.out`);
  const plan: Plan = {
    setup: [
      ...ops.before,
      op('clone', { flags: k.CLONE_NEWNET, cgroup: undefined, pidfd: 'pidfd' }, 'the container'),
      ...ops.setup,
      op('signal', {}, ''),
      op('awaitExec', {}, ''),
    ],
    child: [
      op('await', {}, ''),
      ...ops.child,
      op(
        'exec',
        {
          paths: ['/bin/sh'],
          argv: ['sh', '-c', `{ ${command}\n} > ${output} 2>&1; test -d ${lab.directory} && echo end >> ${output}`],
          env: [`PATH=${process.env['PATH']}`],
        },
        '',
      ),
    ],
    cleanup: [],
  };
  return lab.executor.run(plan, 'fork');
}

/** Runs a command in a container to its end; what it wrote. */
async function container(lab: Lab, ops: ReturnType<typeof endpointOps>, command: string, name = 'c'): Promise<string> {
  const result = await start(lab, ops, command, name);
  assert.ok(result.ok, JSON.stringify(result));
  const output = join(lab.directory, `${name}.out`);
  for (let tries = 0; ; tries++) {
    assert.ok(tries < 1000, `the container ${name} did not end`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    try {
      const text = readFileSync(output, 'utf8');
      if (text.endsWith('end\n')) return text.slice(0, -4);
    } catch {}
  }
}

const endpoint = (bridge: Bridge, last: number, more: Partial<Endpoint> = {}): ReturnType<typeof endpointOps> =>
  endpointOps(bridge, { veth: vethName('0123456789abcdef', last), address: `172.17.0.${last}`, ...more });

test('the bridge: made once, found again, its subnet beside what the host has', { skip: missing() }, async (t) => {
  const { executor, inside } = await lab(t);
  inside('ip', 'link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1');
  inside('ip', 'link', 'set', 'd1', 'up');
  inside('ip', 'address', 'add', '172.17.4.1/24', 'dev', 'd0');
  inside('ip', 'link', 'set', 'd0', 'up');
  inside('ip', 'route', 'add', '172.18.0.0/15', 'via', '172.17.4.2');
  const first = await ensureBridge(executor, config);
  assert.deepEqual(first.gateway, { address: Uint8Array.of(172, 20, 0, 1), bits: 16 });
  const again = await ensureBridge(executor, config);
  assert.equal(again.index, first.index);
  assert.deepEqual([...again.gateway.address], [172, 20, 0, 1], 'a bridge keeps its subnet');
  const [link] = JSON.parse(inside('ip', '-j', '-d', 'link', 'show', 'hoist9'));
  assert.equal(link.linkinfo.info_kind, 'bridge');
  assert.equal(link.linkinfo.info_data.forward_delay, 0);
  assert.equal(link.linkinfo.info_data.stp_state, 0);
  assert.equal(link.address, '02:42:ac:14:00:01');
  assert.ok(link.flags.includes('UP'));
  assert.equal(
    inside('cat', '/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv4/conf/hoist9/route_localnet'),
    '1\n1\n',
  );
});

test('a name that is taken by something else is said so', { skip: missing() }, async (t) => {
  const { executor, inside } = await lab(t);
  inside('ip', 'link', 'add', 'hoist9', 'type', 'veth');
  await assert.rejects(ensureBridge(executor, config), /hoist9 exists and is no bridge/);
});

test('a container on the bridge: address, route, no IPv6 on eth0, and the cable gone at its end', {
  skip: missing(),
}, async (t) => {
  const one = await lab(t);
  const bridge = await ensureBridge(one.executor, config);
  const output = await container(
    one,
    endpoint(bridge, 2),
    'ip -j address; ip -j route; cat /proc/net/if_inet6; ip -j -d link show eth0',
  );
  const [addresses, routes] = output
    .split('\n')
    .filter((line) => line.startsWith('['))
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    addresses.map((one: { ifname: string }) => one.ifname),
    ['lo', 'eth0'],
  );
  const eth0 = addresses[1];
  assert.equal(eth0.ifindex, 2);
  assert.equal(eth0.address, '02:42:ac:11:00:02');
  assert.deepEqual(
    eth0.addr_info.map((one: { local: string; prefixlen: number; broadcast: string }) => [
      one.local,
      one.prefixlen,
      one.broadcast,
    ]),
    [['172.17.0.2', 16, '172.17.255.255']],
  );
  assert.deepEqual(
    routes.map((one: { dst: string; gateway?: string }) => [one.dst, one.gateway]),
    [
      ['default', '172.17.0.1'],
      ['172.17.0.0/16', undefined],
    ],
  );
  for (let tries = 0; JSON.parse(one.inside('ip', '-j', 'link')).length > 2; tries++) {
    assert.ok(tries < 100, 'the veth is still there');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test('--network none has its loopback and nothing else', { skip: missing() }, async (t) => {
  const output = await container(await lab(t), noneOps(), 'ip -j address');
  const links = JSON.parse(output);
  assert.deepEqual(
    links.map((one: { ifname: string; operstate: string }) => one.ifname),
    ['lo'],
  );
  assert.ok(links[0].flags.includes('UP'));
});

/** Answers on TCP 80 and UDP 53 with the address that it was called from; ends with the test's directory. */
const server = `'${process.execPath}' -e '
require("net").createServer((s) => s.end(s.remoteAddress + "\\n")).listen(80, "0.0.0.0", () => require("fs").writeFileSync(process.argv[1], ""));
const u = require("dgram").createSocket("udp4"); u.on("message", (m, r) => u.send(r.address + "\\n", r.port, r.address)); u.bind(53);
setTimeout(() => setInterval(() => require("fs").existsSync(process.argv[1]) || process.exit(), 50), 2000)' `;

async function serve(one: Lab, ops: ReturnType<typeof endpointOps>, name: string): Promise<void> {
  const result = await start(one, ops, `${server} ${join(one.directory, `${name}.up`)}`, name);
  assert.ok(result.ok, JSON.stringify(result));
  for (let tries = 0; ; tries++) {
    try {
      return accessSync(join(one.directory, `${name}.up`));
    } catch {
      assert.ok(tries < 500, 'the server did not start');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

const call = (address: string, port: number, protocol = 'tcp'): string[] => [
  'bash',
  '-c',
  `exec 3<>/dev/${protocol}/${address}/${port} && ${protocol === 'udp' ? 'echo >&3 &&' : ''} timeout 1 head -n 1 <&3 || echo closed`,
];
const shell = (args: readonly string[]): string => args.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');

test('published ports: from outside, from the host, from containers, and nothing that is not published', {
  skip: missing(),
}, async (t) => {
  const one = await lab(t);
  const ports: PublishedPort[] = [
    { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
    { containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8081 },
    { containerPort: 53, protocol: 'udp', hostIp: '0.0.0.0', hostPort: 5353 },
  ];
  const bridge = await ensureBridge(one.executor, config);
  const ops = endpoint(bridge, 2, { ports });
  // a machine beside the host: 10.9.0.2, with a cable of its own
  const outside = spawn('unshare', ['-n', 'sleep', '30']);
  t.after(() => outside.kill());
  await new Promise((resolve) => setTimeout(resolve, 50));
  const beside = (...args: string[]): string =>
    execFileSync('nsenter', ['-t', String(outside.pid), '-n', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  one.inside('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(outside.pid));
  one.inside('ip', 'address', 'add', '10.9.0.1/24', 'dev', 'up0');
  one.inside('ip', 'link', 'set', 'up0', 'up');
  beside('ip', 'address', 'add', '10.9.0.2/24', 'dev', 'eth0');
  beside('ip', 'link', 'set', 'eth0', 'up');
  beside('ip', 'route', 'add', '172.17.0.0/16', 'via', '10.9.0.1');
  await serve(one, ops, 'server');

  const host = (...args: string[]): string => one.inside(args[0] ?? '', ...args.slice(1)).trim();
  const closed = (args: string[], run: (...args: string[]) => string): boolean => {
    try {
      return run('timeout', '0.5', ...args).trim() === 'closed';
    } catch {
      return true;
    }
  };
  assert.equal(beside(...call('10.9.0.1', 8080)).trim(), '10.9.0.2', "the client's own address is seen");
  assert.equal(beside(...call('10.9.0.1', 5353, 'udp')).trim(), '10.9.0.2');
  assert.equal(host(...call('127.0.0.1', 8080)), '172.17.0.1', 'from 127.0.0.1, by the bridge');
  assert.equal(host(...call('127.0.0.1', 8081)), '172.17.0.1');
  assert.equal(host(...call('127.0.0.1', 5353, 'udp')), '172.17.0.1');
  assert.equal(host(...call('10.9.0.1', 8080)), '10.9.0.1');
  assert.equal(host(...call('172.17.0.2', 80)), '172.17.0.1', 'the host reaches every port of a container');
  assert.ok(closed(call('10.9.0.1', 8081), beside), '127.0.0.1 alone is not for others');
  assert.ok(closed(call('10.9.0.1', 8081), one.inside));
  assert.ok(
    closed(call('172.17.0.2', 80), beside),
    "a container's address is no way in from outside, even for a published port",
  );
  assert.ok(closed(call('10.9.0.1', 80), beside));

  const inner = await container(
    one,
    endpoint(bridge, 3),
    [call('172.17.0.2', 80), call('172.17.0.1', 8080), call('10.9.0.1', 8080)].map(shell).join('; '),
    'client',
  );
  assert.deepEqual(
    inner.trim().split('\n'),
    ['172.17.0.3', '172.17.0.1', '172.17.0.1'],
    'neighbours directly; by the host, with its address',
  );

  // outwards: a server beside the host sees the host's address
  const far = spawn('nsenter', [
    '-t',
    String(outside.pid),
    '-n',
    'sh',
    '-c',
    `exec ${server} ${join(one.directory, 'far.up')}`,
  ]);
  t.after(() => far.kill());
  for (let tries = 0; tries < 300 && !existsSync(join(one.directory, 'far.up')); tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await container(one, endpoint(bridge, 4), shell(call('10.9.0.2', 80)), 'outwards')).trim(), '10.9.0.1');

  // set up again: ports stay; taken away: closed
  await ensureBridge(one.executor, config);
  assert.equal(beside(...call('10.9.0.1', 8080)).trim(), '10.9.0.2');
  await runOps(one.executor, ops.cleanup);
  assert.ok(closed(call('10.9.0.1', 8080), beside));
  assert.ok(closed(call('127.0.0.1', 8080), one.inside));
});

test('CVE-2020-8558: a container cannot send to 127.0.0.1 of the host, though its bridge routes it', {
  skip: missing(),
}, async (t) => {
  const one = await lab(t);
  const bridge = await ensureBridge(one.executor, config);
  const local = spawn('nsenter', [
    '-t',
    String(one.executor.pid),
    '-n',
    process.execPath,
    '-e',
    'require("net").createServer((s) => s.end("reached\\n")).listen(99, "127.0.0.1", () => console.log("up")); setTimeout(() => process.exit(), 9000)',
  ]);
  t.after(() => local.kill());
  await new Promise((resolve) => local.stdout.once('data', resolve));
  assert.equal(one.inside(...(call('127.0.0.1', 99) as [string, ...string[]])).trim(), 'reached');
  const attack = [
    'ip rule add pref 50 lookup 7',
    'ip rule add pref 100 lookup local',
    'ip rule del pref 0',
    'ip route add 127.0.0.1 via 172.17.0.1 src 172.17.0.2 table 7',
    'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet',
    'ip route get 127.0.0.1',
    `timeout 1 ${shell(call('127.0.0.1', 99))}`,
  ].join('; ');
  const output = await container(one, endpoint(bridge, 2), attack, 'first');
  assert.match(output, /127\.0\.0\.1 via 172\.17\.0\.1 dev eth0/, 'the packets do leave');
  assert.doesNotMatch(output, /reached/);
  one.inside('nft', 'flush', 'chain', 'inet', 'hoist-test', 'raw');
  assert.match(
    await container(one, endpoint(bridge, 3), attack.replace('172.17.0.2', '172.17.0.3'), 'second'),
    /reached/,
    'the attack is real',
  );
});

test('a port that a program of the host has, and one that another container has', { skip: missing() }, async (t) => {
  const one = await lab(t);
  const bridge = await ensureBridge(one.executor, config);
  const program = spawn('nsenter', [
    '-t',
    String(one.executor.pid),
    '-n',
    process.execPath,
    '-e',
    'require("net").createServer().listen(8080, "127.0.0.1", () => console.log("up")); setTimeout(() => process.exit(), 9000)',
  ]);
  t.after(() => program.kill());
  await new Promise((resolve) => program.stdout.once('data', resolve));
  const ports = (hostPort: number): PublishedPort[] => [
    { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort },
  ];
  const taken = endpoint(bridge, 2, { ports: ports(8080) });
  const result = await start(one, taken, 'true', 'taken');
  assert.ok(!result.ok);
  const error = explainPortFailure(taken.before[result.failure.index], result.failure.errno);
  assert.equal(error?.message, 'failed to bind host port 0.0.0.0:8080/tcp: address already in use');
  assert.equal(
    one.inside('nft', 'list', 'map', 'inet', 'hoist-test', 'anywhere4').includes('8080'),
    false,
    'nothing is left behind',
  );
  assert.ok((await start(one, endpoint(bridge, 3, { ports: ports(9000) }), 'true', 'first')).ok);
  const second = await start(one, endpoint(bridge, 4, { ports: ports(9000) }), 'true', 'second');
  assert.ok(!second.ok && second.failure.errno === k.EEXIST);
});

test('beside a firewall that drops all forwarding by policy: its rules stay in force, its policy does not hit us', {
  skip: missing(),
}, async (t) => {
  const one = await lab(t);
  const foreign = [
    'add table ip filter',
    'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }',
    'add rule ip filter FORWARD ip daddr 172.17.0.9 drop',
  ];
  for (const line of foreign) one.inside('nft', line);
  const bridge = await ensureBridge(one.executor, config);
  await ensureBridge(one.executor, config);
  const rules = one.inside('nft', 'list', 'chain', 'ip', 'filter', 'FORWARD');
  assert.deepEqual(
    rules.match(/(iifname|oifname) "hoist9" counter packets 0 bytes 0 accept comment "hoist: hoist9"/g)?.length,
    2,
    rules,
  );
  assert.ok(rules.indexOf('172.17.0.9 drop') < rules.indexOf('iifname'), 'at the end');
  const outside = spawn('unshare', ['-n', 'sleep', '30']);
  t.after(() => outside.kill());
  await new Promise((resolve) => setTimeout(resolve, 50));
  one.inside('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(outside.pid));
  one.inside('ip', 'address', 'add', '10.9.0.1/24', 'dev', 'up0');
  one.inside('ip', 'link', 'set', 'up0', 'up');
  const beside = ['nsenter', '-t', String(outside.pid), '-n'];
  execFileSync(beside[0] ?? '', [...beside.slice(1), 'ip', 'address', 'add', '10.9.0.2/24', 'dev', 'eth0']);
  execFileSync(beside[0] ?? '', [...beside.slice(1), 'ip', 'link', 'set', 'eth0', 'up']);
  const ports: PublishedPort[] = [{ containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 }];
  await serve(one, endpoint(bridge, 2, { ports }), 'server');
  assert.equal(
    execFileSync(beside[0] ?? '', [...beside.slice(1), ...call('10.9.0.1', 8080)], { encoding: 'utf8' }).trim(),
    '10.9.0.2',
  );
});

test('a UDP client that never stops sending from one port finds the container, and the next one', {
  skip: missing(),
}, async (t) => {
  const one = await lab(t);
  const bridge = await ensureBridge(one.executor, config);
  const answers: string[] = [];
  const client = spawn('nsenter', [
    '-t',
    String(one.executor.pid),
    '-n',
    process.execPath,
    '-e',
    `
    const u = require("dgram").createSocket("udp4"); u.on("error", () => {}); u.on("message", (m) => process.stdout.write(m));
    u.bind(4000, "127.0.0.1"); setInterval(() => u.send("x", 5353, "127.0.0.1"), 20); setTimeout(() => process.exit(), 15000)`,
  ]);
  t.after(() => client.kill());
  client.stdout.on('data', (data) => answers.push(...String(data).trim().split('\n')));
  const wait = async (): Promise<boolean> => {
    const before = answers.length;
    for (let tries = 0; tries < 100 && answers.length === before; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    return answers.length > before;
  };
  await new Promise((resolve) => setTimeout(resolve, 300));
  const ports: PublishedPort[] = [{ containerPort: 53, protocol: 'udp', hostIp: '0.0.0.0', hostPort: 5353 }];
  const first = endpoint(bridge, 2, { ports });
  await serve(one, first, 'first');
  assert.ok(await wait(), 'its first packets went nowhere, before the port was published');
  await runOps(one.executor, first.cleanup);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await wait(), false, 'nothing answers any more');
  await serve(one, endpoint(bridge, 3, { ports }), 'second');
  assert.ok(await wait());
});

test('ports of killed keepers are swept, those of running containers stay', { skip: missing() }, async (t) => {
  const one = await lab(t);
  const bridge = await ensureBridge(one.executor, config);
  const held = {
    address: '172.17.0.2',
    ports: [
      { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
      { containerPort: 53, protocol: 'udp', hostIp: '127.0.0.1', hostPort: 53 },
    ] as PublishedPort[],
  };
  const leaked = {
    address: '172.17.0.9',
    ports: [
      { containerPort: 81, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8081 },
      { containerPort: 82, protocol: 'sctp', hostIp: '0.0.0.0', hostPort: 8080 },
    ] as PublishedPort[],
  };
  for (const { address, ports } of [held, leaked])
    await runOps(one.executor, endpointOps(bridge, { veth: 'none', address, ports }).setup.slice(1));
  assert.equal(await sweepPorts(one.executor, bridge, () => [held]), 2);
  assert.equal(await sweepPorts(one.executor, bridge, () => [held]), 0);
  const left = one.inside('nft', 'list', 'table', 'inet', 'hoist-test');
  assert.match(left, /tcp \. 8080 : 172\.17\.0\.2 \. 80/);
  assert.match(left, /udp \. 127\.0\.0\.1 \. 53 : 172\.17\.0\.2 \. 53/);
  assert.doesNotMatch(left, /172\.17\.0\.9/);
});
