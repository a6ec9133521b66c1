// hoist rmi: take names away, and images with their last name.

import type { Command } from '../../command.ts';
import { errorLines } from '../../each.ts';
import { flagTable } from '../../flags.ts';
import { isGone } from '../../session.ts';

export const rmi: Command = {
  names: [['rmi'], ['image', 'rm'], ['image', 'remove']],
  summary: 'Remove one or more images',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  args: { min: 1 },
  flags: flagTable(
    `
  -f, --force              Force removal of the image
      --no-prune           Do not delete untagged parents
      --platform strings   Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")`,
    { refused: { platform: 'an image here is of one platform' } },
  ),
  completes: 'image',
  async run({ io, flags, args, engine }) {
    const options = { force: flags.bool('force'), prune: !flags.bool('no-prune') };
    const failures: string[] = [];
    let fatal = false;
    // One after the other: two names may be of one image.
    for (const ref of args) {
      try {
        for (const item of await engine.images.remove(ref, options)) {
          await io.stdout.write('Deleted' in item ? `Deleted: ${item.Deleted}\n` : `Untagged: ${item.Untagged}\n`);
        }
      } catch (error) {
        failures.push(errorLines(error));
        fatal ||= !isGone(error);
      }
    }
    await io.stderr.write(failures.join(''));
    // -f does not mind what is not there.
    return failures.length === 0 || (options.force && !fatal) ? 0 : 1;
  },
};
