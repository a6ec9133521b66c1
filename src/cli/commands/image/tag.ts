// hoist tag: another name for an image.

import { fail } from '../../../base/errors.ts';
import { parseReference } from '../../../spec/oci/reference.ts';
import type { Command } from '../../command.ts';

export const tag: Command = {
  names: [['tag'], ['image', 'tag']],
  summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  args: { min: 2, max: 2 },
  flags: [],
  completes: 'image',
  async run({ args, engine }) {
    const [source = '', target = ''] = args;
    try {
      if (parseReference(target).digest === undefined) {
        await engine.images.tag(source, target);
        return 0;
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'reference.invalid')) throw error;
      const why = error.message.replace(/: ".*"$/, '');
      fail('invalid', 'cli.plain', `Error parsing reference: "${target}" is not a valid repository/tag: ${why}`);
    }
    return fail('invalid', 'cli.plain', 'refusing to create a tag with a digest reference');
  },
};
