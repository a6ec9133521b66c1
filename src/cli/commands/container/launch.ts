// Making a container for `run` and `create`: pull the image if it must be, create, write the cidfile.

import { dirname } from 'node:path';
import { errnoOf, fail, isHoistError } from '../../../base/errors.ts';
import type { ContainerCreate } from '../../../spec/docker/container.ts';
import { familiarName, isImageId, parseReference, withDefaultTag } from '../../../spec/oci/reference.ts';
import type { Flag, FlagValues, Invocation } from '../../command.ts';
import { authFor } from '../../credentials.ts';
import { flagTable } from '../../flags.ts';
import type { Io } from '../../io.ts';
import { showProgress } from '../../render/progress.ts';
import { checkPlatform } from '../../run/platform.ts';

export function pullFlag(help: string): readonly Flag[] {
  return flagTable(`      --pull string                      ${help} (default "missing")`);
}

export function checkPullPolicy(flags: FlagValues): void {
  const policy = flags.string('pull');
  if (['always', 'missing', 'never', ''].includes(policy)) return;
  fail('invalid', 'cli.pull', `invalid pull option: '${policy}': must be one of "always", "missing" or "never"`);
}

/** Returns the id. Messages go to stderr: stdout is the container's. */
export async function makeContainer(invocation: Invocation, request: ContainerCreate): Promise<string> {
  const { io, flags, engine } = invocation;
  const policy = flags.string('pull');
  const platform = checkPlatform(flags.string('platform') || (io.env['DOCKER_DEFAULT_PLATFORM'] ?? ''));
  const image = request.Config.Image;
  if (!isImageId(image)) parseReference(image);
  const cidfile = flags.string('cidfile');
  if (cidfile !== '') await refuseCidfile(io, cidfile);
  const create = async (): Promise<string> => {
    const made = await engine.containers.create(request, { name: flags.string('name'), platform });
    for (const warning of made.Warnings) await io.stderr.write(`WARNING: ${warning}\n`);
    return made.Id;
  };
  const pull = (): Promise<void> => pullFor(invocation, image, platform);
  if (policy === 'always') await pull();
  let id: string;
  try {
    id = await create();
  } catch (error) {
    if (policy === 'never' || policy === 'always' || !isHoistError(error, 'image.not_found')) throw error;
    if (!flags.bool('quiet')) await io.stderr.write(`Unable to find image '${withTag(image)}' locally\n`);
    await pull();
    id = await create();
  }
  if (cidfile !== '') await io.writeFile(cidfile, id, { exclusive: true });
  return id;
}

async function pullFor(invocation: Invocation, image: string, platform: string): Promise<void> {
  const { io, flags, engine } = invocation;
  const progress = showProgress(flags.bool('quiet') ? undefined : io.stderr, io);
  try {
    const auth = await authFor(io, image);
    const pulled = await engine.images.pull(image, { platform, auth, onProgress: progress.report, signal: io.signal });
    progress.report({ kind: 'message', text: `Digest: ${pulled.digest}` });
    const how = pulled.changed ? 'Downloaded newer image' : 'Image is up to date';
    progress.report({ kind: 'message', text: `Status: ${how} for ${withTag(image)}` });
  } finally {
    await progress.done();
  }
}

/** Before anything is made; written exclusively afterwards. */
async function refuseCidfile(io: Io, path: string): Promise<void> {
  const there = await io.readFile(path).then(
    () => true,
    () => false,
  );
  if (there) {
    const what = "container ID file found, make sure the other container isn't running or delete";
    fail('conflict', 'cli.cidfile', `${what} ${path}`);
  }
  const directory = dirname(path);
  const problem = await io.readFile(directory).catch(errnoOf);
  if (problem === 'ENOENT' || problem === 'ENOTDIR') {
    const why = `open ${path}: ${problem === 'ENOENT' ? 'no such file or directory' : 'not a directory'}`;
    fail('invalid', 'cli.cidfile', `failed to create the container ID file: ${why}`);
  }
}

/** The familiar name with its tag: `busybox` is `busybox:latest`. */
export function withTag(reference: string): string {
  return isImageId(reference) ? reference : familiarName(withDefaultTag(parseReference(reference)));
}
