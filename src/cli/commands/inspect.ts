// hoist inspect, and inspect of containers and images: whole documents, or a template over them.

import { fail, isHoistError } from '../../base/errors.ts';
import type { Command, Flag, Invocation } from '../command.ts';
import { errorLines } from '../each.ts';
import { flagTable } from '../flags.ts';
import { documentFormatFlag } from '../formatflag.ts';
import { renderDocuments } from '../render/document.ts';
import { checkPlatform } from '../run/platform.ts';
import { isGone } from '../session.ts';
import { notSwarm } from './unsupported.ts';

const types = 'config container image network node plugin secret service task volume'.split(' ');

export const inspect: Command = {
  names: [['inspect']],
  summary: 'Return low-level information on Docker objects',
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  args: { min: 1 },
  flags: flagTable(`
${documentFormatFlag}
  -s, --size            Display total file sizes if the type is container
      --type string     Only inspect objects of the given type`),
  completes: 'object',
  async run(invocation) {
    const type = invocation.flags.string('type');
    if (invocation.flags.has('type') && type === '')
      fail(
        'invalid',
        'cli.plain',
        'type is empty: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"',
      );
    if (type !== '' && !types.includes(type)) {
      fail(
        'invalid',
        'cli.plain',
        `unknown type: "${type}": must be one of ${types.map((name) => `"${name}"`).join(', ')}`,
      );
    }
    return await inspectAll(invocation, (ref) => anyObject(invocation, ref, type));
  },
};

export const containerInspect: Command = {
  names: [['container', 'inspect']],
  summary: 'Display detailed information on one or more containers',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags: flagTable(`
${documentFormatFlag}
  -s, --size            Display total file sizes`),
  completes: 'container',
  run: (invocation) => inspectAll(invocation, (ref) => oneContainer(invocation, ref)),
};

export const imageInspect: Command = {
  names: [['image', 'inspect']],
  summary: 'Display detailed information on one or more images',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  args: { min: 1 },
  flags: imageFlags(),
  completes: 'image',
  run(invocation) {
    const platform = checkPlatform(invocation.flags.string('platform'));
    const options = platform === '' ? {} : { platform };
    return inspectAll(invocation, (ref) => invocation.engine.images.inspect(ref, options));
  },
};

function imageFlags(): readonly Flag[] {
  const indented = documentFormatFlag
    .replace(/--format string {3}/, '--format string     ')
    .replace(/\n {24}/g, `\n${' '.repeat(26)}`);
  const column = ' '.repeat(26);
  return flagTable(`
${indented}
      --platform string   Inspect a specific platform of the multi-platform image.
${column}If the image or the server is not multi-platform capable, the command will error out if the platform does not match.
${column}'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`);
}

function oneContainer({ engine, flags }: Invocation, ref: string): Promise<unknown> {
  return engine.containers.inspect(ref, { size: flags.bool('size') });
}

/** By type: how to look one up, in the order in which Docker looks for an object of any type. */
const lookups: Readonly<Record<string, (invocation: Invocation, ref: string) => Promise<unknown>>> = {
  container: oneContainer,
  image: ({ engine }, ref) => engine.images.inspect(ref),
  network: ({ engine }, ref) => engine.networks.inspect(ref),
  volume: ({ engine }, ref) => engine.volumes.inspect(ref),
};

async function anyObject(invocation: Invocation, ref: string, type: string): Promise<unknown> {
  if (type !== '') {
    const lookup = lookups[type];
    if (lookup === undefined) return refuseObject(type, ref);
    return await found(invocation, type, lookup(invocation, ref));
  }
  for (const [name, lookup] of Object.entries(lookups)) {
    try {
      return await found(invocation, name, lookup(invocation, ref));
    } catch (error) {
      if (!isGone(error) && !isHoistError(error, 'reference.invalid')) throw error;
    }
  }
  return fail('not_found', 'cli.no_such_object', `Error: No such object: ${ref}`);
}

async function found({ io, flags }: Invocation, type: string, object: Promise<unknown>): Promise<unknown> {
  const document = await object;
  if (type !== 'container' && flags.has('size') && flags.bool('size')) {
    await io.stderr.write(`WARNING: --size ignored for ${type}\n`);
  }
  return document;
}

/** What an engine without swarm and plugins says of theirs. */
function refuseObject(type: string, ref: string): never {
  if (type === 'plugin') return fail('not_found', 'plugin.not_found', `plugin "${ref}" not found`);
  return fail('unavailable', 'swarm.none', notSwarm);
}

/** What was found is printed although something was not. */
export async function inspectAll(
  { io, flags, args }: Invocation,
  find: (ref: string) => Promise<unknown>,
): Promise<number> {
  const found: unknown[] = [];
  const failures: string[] = [];
  const render = renderDocuments(flags.string('format'));
  for (const ref of args) {
    try {
      found.push(await find(ref));
    } catch (error) {
      failures.push(errorLines(error));
    }
  }
  const { text, failure } = render(found);
  await io.stdout.write(text);
  if (failure !== undefined) await io.stderr.write(`${failure}\n`);
  await io.stderr.write(failures.join(''));
  return failures.length > 0 || failure !== undefined ? 1 : 0;
}
