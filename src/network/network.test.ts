// Against the real kernel: an executor in a network namespace of its own, containers as bare clones.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, chmodSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { k, op, type Plan } from '../plan/ops.ts';
import { type Executor, startExecutor } from '../sys/executor.ts';
import {
  type Bridge,
  type BridgeConfig,
  type Endpoint,
  endpointOps,
  ensureBridge,
  noneOps,
  vethName,
} from './bridge.ts';

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

/** Starts a shell command as a "container": network namespace, the endpoint, nothing else. Resolves when it has ended. */
async function container(lab: Lab, ops: ReturnType<typeof endpointOps>, command: string, name = 'c'): Promise<string> {
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
          argv: ['sh', '-c', `{ ${command}\n} > ${output} 2>&1; echo end >> ${output}`],
          env: [`PATH=${process.env['PATH']}`],
        },
        '',
      ),
    ],
    cleanup: ops.cleanup,
  };
  const result = await lab.executor.run(plan, 'fork');
  assert.ok(result.ok, JSON.stringify(result));
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
