// hoist push: an image here becomes one at a registry, with bars on a terminal and lines in a pipe.

import { fail, HoistError, isHoistError } from '../../../base/errors.ts';
import { familiarName, parseReference, withDefaultTag } from '../../../spec/oci/reference.ts';
import type { Command } from '../../command.ts';
import { authFor } from '../../credentials.ts';
import { flagTable } from '../../flags.ts';
import { showProgress } from '../../render/progress.ts';

export const push: Command = {
  names: [['push'], ['image', 'push']],
  summary: 'Upload an image to a registry',
  usage: '[OPTIONS] NAME[:TAG]',
  args: { min: 1, max: 1 },
  flags: flagTable(
    `
  -a, --all-tags                Push all tags of an image to the repository
      --disable-content-trust   Skip image signing (default true)
      --platform string         Push a platform-specific manifest as a
                                single-platform image to the registry.
                                Image index won't be pushed, meaning that
                                other manifests, including attestations
                                won't be preserved.
                                'os[/arch[/variant]]': Explicit platform
                                (eg. linux/amd64)
  -q, --quiet                   Suppress verbose output`,
    { refused: { platform: 'an image here is of one platform' } },
  ),
  completes: 'image',
  async run({ io, flags, args, engine }) {
    const [reference = ''] = args;
    const quiet = flags.bool('quiet');
    const allTags = flags.bool('all-tags');
    const given = parseReference(reference);
    if (allTags && given.tag !== undefined) fail('invalid', 'cli.plain', "tag can't be used with --all-tags/-a");
    if (given.digest !== undefined) fail('invalid', 'cli.plain', 'cannot push a digest reference');
    const untagged = given.tag === undefined && !allTags;
    if (untagged && !quiet) await io.stdout.write('Using default tag: latest\n');
    const progress = showProgress(quiet ? undefined : io.stdout, io);
    try {
      await engine.images.push(reference, {
        ...(allTags ? { allTags } : {}),
        auth: await authFor(io, reference),
        onProgress: progress.report,
        onPushed: ({ tag, digest, size }) =>
          progress.report({ kind: 'message', text: `${tag}: digest: ${digest} size: ${size}` }),
        signal: io.signal,
      });
    } catch (error) {
      // Told in the middle of what the engine said before: without its name in front.
      if (isHoistError(error)) throw inStream(error);
      throw error;
    } finally {
      await progress.done();
    }
    if (quiet) await io.stdout.write(`${familiarName(allTags ? given : withDefaultTag(given))}\n`);
    return 0;
  },
};

function inStream(error: HoistError): HoistError {
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new HoistError(error.kind, 'cli.stream', error.message, { ...hint, cause: error });
}
