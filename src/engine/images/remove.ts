// `rmi`: takes a name away, and the image with its last name, unless a container needs it.
// The rules and sentences are Docker's: hard conflicts hold even with --force, soft ones do not.

import { createHash } from 'node:crypto';
import { fail } from '../../base/errors.ts';
import type { ImageDeleteItem } from '../../spec/docker/image.ts';
import type { Digest } from '../../spec/oci/image.ts';
import {
  canonicalName,
  familiarName,
  familiarRepository,
  parseReference,
  type Reference,
  repositoryName,
} from '../../spec/oci/reference.ts';
import type { StoredImage } from '../../store/store.ts';
import { announce } from './announce.ts';
import { type ImageGroup, imageWithId, unpackedSize } from './catalog.ts';
import type { ImagesDeps } from './deps.ts';
import { namesById, resolveImage } from './resolve.ts';

export interface RemoveOptions {
  readonly force: boolean;
}

export async function removeImage(
  deps: ImagesDeps,
  text: string,
  options: RemoveOptions,
): Promise<readonly ImageDeleteItem[]> {
  const { store } = deps;
  const { id, stored, config } = await resolveImage(store, text);
  const group = (await imageWithId(store, id)) ?? { id, config, rows: [] };
  if (namesById(text, id) && !isNameOf(group, text)) return removeById(deps, group, options);
  const digest = text.includes('@') ? parseReference(text).digest : undefined;
  if (digest !== undefined && referenceOf(stored).tag !== undefined) return forgetDigest(deps, group, stored);

  const rest = namedRows(group).filter((row) => row !== stored);
  const gone = [stored, ...onlyDigestsLeft(stored, rest)];
  const last = gone.length === namedRows(group).length;
  const [user] = deps.usedBy(id);
  if (last && !options.force && user !== undefined) {
    const message = `conflict: unable to remove repository reference "${text}" (must force) - container ${short(user.id)} is using its referenced image ${short(id)}`;
    fail('conflict', 'image.in_use', message);
  }
  const left = rest.filter((row) => !gone.includes(row));
  if (last && !deps.usedBy(id).some(({ running }) => running)) return (await deleteImages(deps, [group])).items;
  // Forced, and a container runs from it: the name goes, the image stays without one.
  const items = untagged(gone, left);
  await Promise.all(gone.map((row) => store.images.untag(row.name ?? '', { keepDangling: last })));
  if (!last) await store.collect(deps.heldManifests());
  for (const _ of items) announce(deps, 'untag', id, { labels: config.config?.Labels });
  return items;
}

async function removeById(
  deps: ImagesDeps,
  group: ImageGroup,
  { force }: RemoveOptions,
): Promise<readonly ImageDeleteItem[]> {
  const users = deps.usedBy(group.id);
  const running = users.find((user) => user.running);
  if (running !== undefined) {
    const message = `conflict: unable to delete ${short(group.id)} (cannot be forced) - image is being used by running container ${short(running.id)}`;
    fail('conflict', 'image.in_use', message);
  }
  if (!force && (repositoriesOf(group).length > 1 || tagsOf(group).length > 1))
    mustForce(group.id, 'image is referenced in multiple repositories');
  const [stopped] = users;
  if (stopped !== undefined && !force)
    mustForce(group.id, `image is being used by stopped container ${short(stopped.id)}`);
  return (await deleteImages(deps, [group])).items;
}

/** What a registry called a repository is forgotten; its tags stay. */
async function forgetDigest(
  deps: ImagesDeps,
  group: ImageGroup,
  { repoDigest, name }: StoredImage,
): Promise<readonly ImageDeleteItem[]> {
  const repository = repositoryName(parseReference(name ?? ''));
  const rows = namedRows(group).filter((row) => repositoryName(referenceOf(row)) === repository);
  for (const row of rows) await deps.store.images.tag({ ...row, repoDigest: undefined });
  await deps.store.collect(deps.heldManifests());
  announce(deps, 'untag', group.id, { labels: group.config.config?.Labels });
  return [
    {
      Untagged: `${familiarRepository(parseReference(name ?? ''))}@${repoDigest ?? group.rows[0]?.stored.manifest.digest}`,
    },
  ];
}

/** A name can look like an id (`cafe`); a name that exists wins, as in resolve. */
function isNameOf(group: ImageGroup, text: string): boolean {
  return (
    !/^(?:sha256:)?[a-f0-9]{64}$/.test(text) &&
    !text.startsWith('sha256:') &&
    namedRows(group).some(({ name }) => name === canonicalName({ tag: 'latest', ...parseReference(text) }))
  );
}

function namedRows(group: ImageGroup): readonly StoredImage[] {
  return group.rows.map(({ stored }) => stored).filter(({ name }) => name !== undefined);
}

function referenceOf(row: StoredImage): Reference {
  return parseReference(row.name ?? '');
}

function tagsOf(group: ImageGroup): readonly StoredImage[] {
  return namedRows(group).filter((row) => referenceOf(row).tag !== undefined);
}

function repositoriesOf(group: ImageGroup): readonly string[] {
  return [...new Set(namedRows(group).map((row) => repositoryName(referenceOf(row))))];
}

/** With the last tag of a repository go its digest names: nobody would look for them. */
function onlyDigestsLeft(removed: StoredImage, rest: readonly StoredImage[]): readonly StoredImage[] {
  if (referenceOf(removed).tag === undefined) return [];
  const repository = repositoryName(referenceOf(removed));
  const same = rest.filter((row) => repositoryName(referenceOf(row)) === repository);
  return same.every((row) => referenceOf(row).tag === undefined) ? same : [];
}

/** `Untagged:` lines: the names, then the digests by which registries knew repositories that have no name left. */
function untagged(rows: readonly StoredImage[], rest: readonly StoredImage[]): readonly ImageDeleteItem[] {
  const left = new Set(rest.map((row) => repositoryName(referenceOf(row))));
  const names = rows.map((row) => familiarName(referenceOf(row)));
  const digests = rows.flatMap((row) => {
    const ref = referenceOf(row);
    return row.repoDigest === undefined || left.has(repositoryName(ref))
      ? []
      : [`${familiarRepository(ref)}@${row.repoDigest}`];
  });
  return [...new Set([...names, ...digests])].map((name) => ({ Untagged: name }));
}

function mustForce(id: string, why: string): never {
  return fail('conflict', 'image.in_use', `conflict: unable to delete ${short(id)} (must be forced) - ${why}`);
}

/** Takes images away with all their names, and what nothing else reaches with them. Nobody is asked. */
export async function deleteImages(
  deps: ImagesDeps,
  groups: readonly ImageGroup[],
): Promise<{ readonly items: readonly ImageDeleteItem[]; readonly reclaimed: number }> {
  const { store } = deps;
  const manifests = new Set(groups.flatMap(({ rows }) => rows.map(({ stored }) => stored.manifest.digest)));
  const sizes = new Map<Digest, number>();
  for (const { config } of groups) {
    for (const diffId of config.rootfs.diff_ids) sizes.set(diffId, await unpackedSize(store, [diffId]));
  }
  await Promise.all([...manifests].map((manifest) => store.images.forget(manifest)));
  if (groups.length > 0) await store.collect(deps.heldManifests());
  const items: ImageDeleteItem[] = [];
  const told = new Set<Digest>();
  let reclaimed = 0;
  for (const group of groups) {
    const names = untagged(namedRows(group), []);
    for (const _ of names) announce(deps, 'untag', group.id, { labels: group.config.config?.Labels });
    announce(deps, 'delete', group.id);
    items.push(...names, { Deleted: group.id });
    for (const { diffId, chainId } of [...chainIds(group.config.rootfs.diff_ids)].reverse()) {
      if (told.has(diffId) || (await store.layers.has(diffId))) continue;
      told.add(diffId);
      reclaimed += sizes.get(diffId) ?? 0;
      items.push({ Deleted: chainId });
    }
  }
  return { items, reclaimed };
}

/** A layer with all below it has a chain id (image-spec config.md, "Layer ChainID"): what Docker prints here. */
function chainIds(diffIds: readonly Digest[]): readonly { readonly diffId: Digest; readonly chainId: Digest }[] {
  let chainId = '';
  return diffIds.map((diffId) => {
    chainId = chainId === '' ? diffId : `sha256:${createHash('sha256').update(`${chainId} ${diffId}`).digest('hex')}`;
    return { diffId, chainId };
  });
}

function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
