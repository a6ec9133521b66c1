// hoist import: an image of one layer from a tar file or stdin.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import type { Io } from '../../io.ts';
import { fileProblem } from '../../run/environment.ts';
import { checkPlatform } from '../../run/platform.ts';

export const importImage: Command = {
  names: [['import'], ['image', 'import']],
  summary: 'Import the contents from a tarball to create a filesystem image',
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  args: { min: 1 },
  flags: flagTable(`
  -c, --change list       Apply Dockerfile instruction to the created image
  -m, --message string    Set commit message for imported image
      --platform string   Set platform if server is multi-platform capable`),
  async run({ io, flags, args, engine }) {
    const [source = '', reference = ''] = args;
    const id = await engine.images.import(tarStream(io, source), {
      ...(reference === '' ? {} : { reference }),
      message: flags.string('message') || (source === '-' ? 'Imported from -' : `Imported from ${source}`),
      changes: flags.list('change'),
      platform: checkPlatform(flags.string('platform')),
      signal: io.signal,
    });
    await io.stdout.write(`${id}\n`);
    return 0;
  },
};

async function* tarStream(io: Io, source: string): AsyncIterable<Uint8Array> {
  if (/^(?:https?|ftp):\/\//.test(source)) {
    fail(
      'unsupported',
      'cli.refused',
      'importing from a URL is not supported yet: fetch it first, and import the file',
    );
  }
  if (source === '-') {
    yield* io.stdin.read();
    return;
  }
  try {
    yield* io.openFile(source);
  } catch (error) {
    fail('invalid', 'cli.file', `open ${source}: ${fileProblem(error)}`, { cause: error });
  }
}
