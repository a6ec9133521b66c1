// hoist pull: fetch an image, with bars on a terminal and lines in a pipe.

import { fail } from '../../../base/errors.ts';
import { parseReference } from '../../../spec/oci/reference.ts';
import type { Command } from '../../command.ts';
import { authFor } from '../../credentials.ts';
import { flagTable } from '../../flags.ts';
import { showProgress } from '../../render/progress.ts';
import { checkPlatform } from '../../run/platform.ts';
import { withTag } from '../container/launch.ts';

export const pull: Command = {
  names: [['pull'], ['image', 'pull']],
  summary: 'Download an image from a registry',
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  args: { min: 1, max: 1 },
  flags: flagTable(`
  -a, --all-tags                Download all tagged images in the repository
      --disable-content-trust   Skip image verification (default true)
      --platform string         Set platform if server is multi-platform capable
  -q, --quiet                   Suppress verbose output`),
  completes: 'image',
  async run({ io, flags, args, engine }) {
    const [reference = ''] = args;
    const quiet = flags.bool('quiet');
    const allTags = flags.bool('all-tags');
    const platform = checkPlatform(flags.string('platform') || (io.env['DOCKER_DEFAULT_PLATFORM'] ?? ''));
    const name = withTag(reference);
    const parsed = parseReference(reference);
    const untagged = parsed.tag === undefined && parsed.digest === undefined;
    if (allTags && !untagged) fail('invalid', 'cli.plain', "tag can't be used with --all-tags/-a");
    if (untagged && !quiet && !allTags) await io.stdout.write('Using default tag: latest\n');
    const progress = showProgress(quiet ? undefined : io.stdout, io);
    let pulled: Awaited<ReturnType<typeof engine.images.pull>>;
    try {
      const auth = await authFor(io, reference);
      const options = { platform, auth, onProgress: progress.report, signal: io.signal };
      pulled = await engine.images.pull(reference, allTags ? { ...options, allTags } : options);
      progress.report({ kind: 'message', text: `Digest: ${pulled.digest}` });
      const how = pulled.changed ? 'Downloaded newer image' : 'Image is up to date';
      progress.report({ kind: 'message', text: `Status: ${how} for ${name}` });
    } finally {
      await progress.done();
    }
    await io.stdout.write(`${pulled.reference}\n`);
    return 0;
  },
};
