// hoist update: other limits and another restart policy for containers that are there.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { errorLines } from '../../each.ts';
import { flagTable } from '../../flags.ts';
import { limits } from '../../run/resources.ts';
import { restartPolicy } from '../../run/restart.ts';

export const update: Command = {
  names: [['update'], ['container', 'update']],
  summary: 'Update configuration of one or more containers',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags: flagTable(
    `
      --blkio-weight uint16        Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)
      --cpu-period int             Limit CPU CFS (Completely Fair Scheduler) period
      --cpu-quota int              Limit CPU CFS (Completely Fair Scheduler) quota
      --cpu-rt-period int          Limit the CPU real-time period in microseconds
      --cpu-rt-runtime int         Limit the CPU real-time runtime in microseconds
  -c, --cpu-shares int             CPU shares (relative weight)
      --cpus decimal               Number of CPUs
      --cpuset-cpus string         CPUs in which to allow execution (0-3, 0,1)
      --cpuset-mems string         MEMs in which to allow execution (0-3, 0,1)
      --kernel-memory bytes        Kernel memory limit (deprecated)
  -m, --memory bytes               Memory limit
      --memory-reservation bytes   Memory soft limit
      --memory-swap bytes          Swap limit equal to memory plus swap: -1 to enable unlimited swap
      --pids-limit int             Tune container pids limit (set -1 for unlimited)
      --restart string             Restart policy to apply when a container exits`,
  ).map((flag) => (flag.name === 'kernel-memory' ? { ...flag, hidden: true } : flag)),
  completes: 'container',
  async run({ io, flags, args, engine }) {
    if (!given.some((name) => flags.has(name))) {
      fail('invalid', 'cli.update', 'you must provide one or more flags when using this command');
    }
    const RestartPolicy = flags.has('restart') ? restartPolicy(flags.string('restart')) : undefined;
    const change = { ...limits(flags), ...(RestartPolicy === undefined ? {} : { RestartPolicy }) };
    const warnings: string[] = [];
    const failures: string[] = [];
    for (const ref of args) {
      try {
        warnings.push(...(await engine.containers.update(ref, change)).Warnings);
        await io.stdout.write(`${ref}\n`);
      } catch (error) {
        failures.push(errorLines(error));
      }
    }
    if (warnings.length > 0) await io.stdout.write(`${warnings.join('\n')}\n`);
    await io.stderr.write(failures.join(''));
    return failures.length > 0 ? 1 : 0;
  },
};

const given =
  'blkio-weight cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems memory memory-reservation memory-swap pids-limit restart'.split(
    ' ',
  );
