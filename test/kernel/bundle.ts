// A bundle, for tests of plans that the OCI specification asks for: busybox as the root, a configuration of JSON parts, the
// plan of it carried out by an executor of the test's own. What the program printed comes back, and how it ended.

import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { containerPlan } from '../../src/plan/container.ts';
import { explainFailure } from '../../src/plan/print.ts';
import { seccompCompiler } from '../../src/plan/seccomp-profile.ts';
import { joinKeeper } from '../../src/runtime/keeper.ts';
import { parseOciConfig } from '../../src/spec/oci/config.ts';
import { errnoName } from '../../src/sys/errno.ts';
import { type Executor, startExecutor } from '../../src/sys/executor.ts';
import { measureFacts } from '../../src/sys/facts.ts';

const binary = process.env['HOIST_UNDER_TEST'] ?? fileURLToPath(new URL('../../bin/hoist', import.meta.url));

export interface Bundle {
  readonly dir: string;
  /** Runs `sh -c script` with these members of the configuration beside (or in place of) the usual ones. */
  run(script: string, changes?: Changes): Promise<{ readonly out: string; readonly code: number }>;
}

export interface Changes {
  readonly process?: object;
  readonly mounts?: readonly object[];
  readonly linux?: object;
  readonly [member: string]: unknown;
}

const proc = { destination: '/proc', type: 'proc', source: 'proc' };
const dev = { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] };

export function makeBundle(t: TestContext): Bundle {
  const dir = mkdtempSync(path.join(tmpdir(), 'hoist-bundle-'));
  chmodSync(dir, 0o755);
  const rootfs = path.join(dir, 'rootfs');
  for (const name of ['bin', 'proc', 'dev', 'tmp', 'data']) mkdirSync(path.join(rootfs, name), { recursive: true });
  cpSync('/bin/busybox', path.join(rootfs, 'bin/busybox'));
  const executor: Executor = startExecutor(binary, () => {});
  const awake = setInterval(() => {}, 1000);
  t.after(async () => {
    await executor[Symbol.asyncDispose]();
    clearInterval(awake);
    rmSync(dir, { recursive: true });
  });
  const facts = measureFacts();
  let count = 0;
  return {
    dir,
    async run(script, { process: own = {}, mounts = [], linux = {}, ...rest } = {}) {
      const at = path.join(dir, String(++count));
      mkdirSync(at);
      const config = parseOciConfig(
        JSON.stringify({
          ociVersion: '1.2.0',
          process: { args: ['/bin/busybox', 'sh', '-c', `exec 2>&1; ${script}`], cwd: '/', env: ['PATH=/bin'], ...own },
          root: { path: rootfs },
          mounts: [proc, dev, ...mounts],
          linux: {
            namespaces: ['mount', 'pid', 'ipc', 'uts', 'network'].map((type) => ({ type })),
            cgroupsPath: `/${path.basename(dir)}-${count}`,
            devices: [{ path: '/dev/null', type: 'c', major: 1, minor: 3 }],
            ...linux,
          },
          ...rest,
        }),
      );
      const log = path.join(at, 'log');
      const plan = containerPlan({
        config,
        facts,
        root: { directory: rootfs },
        keeper: {
          title: 'hoist-test-keeper',
          socket: path.join(at, 's'),
          log: { path: log, maxSize: 0, maxFiles: 1 },
          exitPath: '',
          stdin: false,
          stdinOnce: false,
          expect: 1,
        },
        runDirectory: at,
        dataDirectory: at,
        files: [],
        network: { before: [], setup: [], child: [], cleanup: [] },
        init: false,
        sourceKind: () => 'directory',
        subject: { id: 'test', bundle: dir },
        compileSeccomp: seccompCompiler(facts.arch),
      });
      let link: ReturnType<typeof joinKeeper> | undefined;
      const result = await executor.run(plan, 'launch', (reached) => {
        if (reached === 1) link = joinKeeper(path.join(at, 's'));
      });
      link?.catch(() => {});
      if (!result.ok) throw new Error(explainFailure(plan, result.failure, errnoName));
      const joined = await link;
      const end = await joined?.ended;
      joined?.close();
      const lines = readFileSync(log, 'utf8').split('\n');
      return {
        out: lines.flatMap((line) => (line === '' ? [] : [line.split(' ').slice(3).join(' ')])).join('\n'),
        code: end?.exitCode ?? -1,
      };
    },
  };
}
