// hoist image bootstrap: a base image from this machine's own packages, for places without a registry.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { showProgress } from '../../render/progress.ts';

export const bootstrap: Command = {
  names: [['image', 'bootstrap']],
  summary: "Make a base image from this machine's own packages",
  description: `Make a base image from this machine's own packages, without a registry.

busybox          from /bin/busybox of the package busybox-static
debian[:SUITE]   with mmdebstrap or debootstrap from this machine's package sources`,
  usage: '[OPTIONS] busybox|debian[:SUITE]',
  args: { min: 1, max: 1 },
  flags: flagTable(`
  -q, --quiet        Suppress verbose output
  -t, --tag string   Name and optionally a tag for the image (default is that of the base)`),
  async run({ io, flags, args, engine }) {
    if (engine.images.bootstrap === undefined) {
      return fail('unsupported', 'cli.bootstrap', 'this engine makes no base images');
    }
    const progress = showProgress(flags.bool('quiet') ? undefined : io.stderr, io);
    const tag = flags.string('tag');
    const options = { onProgress: progress.report, signal: io.signal, ...(tag === '' ? {} : { tag }) };
    try {
      const { reference, id } = await engine.images.bootstrap(args[0] ?? '', options);
      progress.report({ kind: 'message', text: `Made ${reference}` });
      await progress.done();
      await io.stdout.write(`${id}\n`);
      return 0;
    } finally {
      await progress.done();
    }
  },
};
