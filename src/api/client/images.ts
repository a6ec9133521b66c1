// Images of another engine. It has no access to this user's credentials: they go with each request that needs them.

import { fail } from '../../base/errors.ts';
import type { Images, LoadedImage, Progress, PulledImage, PushedImage } from '../../engine/engine.ts';
import type { ProgressLine } from '../../spec/docker/progress.ts';
import type { RegistryAuth } from '../../spec/docker/system.ts';
import type { Platform } from '../../spec/oci/image.ts';
import { parsePlatform } from '../../spec/oci/platform.ts';
import { parseReference, repositoryName, withDefaultTag } from '../../spec/oci/reference.ts';
import type { Caller } from './call.ts';
import { splitReference } from './containers.ts';

/** What the user has for the registry of a reference. */
export type AuthFor = (reference: string) => Promise<RegistryAuth | undefined>;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of verbs, each a request
export function remoteImages(caller: Caller, authFor: AuthFor): Images {
  const { call } = caller;
  const auth = async (ref: string, given: RegistryAuth | undefined) => ({ auth: given ?? (await authFor(ref)) });
  const inspect: Images['inspect'] = (ref, options) =>
    call('ImageInspect', { params: { name: ref }, query: { platform: platformJson(options?.platform) } });

  return {
    async pull(reference, options): Promise<PulledImage> {
      const parsed = parseReference(reference);
      const whole = options.allTags === true ? parsed : withDefaultTag(parsed);
      const [fromImage, tag] = splitReference(withoutHub(reference, whole));
      const query = { fromImage, tag, platform: options.platform };
      const { signal } = options;
      const lines = await call('ImageCreate', {
        params: {},
        query,
        ...(await auth(reference, options.auth)),
        signal,
      });
      let digest = '';
      let changed = false;
      for await (const line of lines) {
        const status = checked(line).status ?? '';
        if (status.startsWith('Digest: ')) digest = status.slice('Digest: '.length);
        else if (status.startsWith('Status: ')) changed = !status.includes('up to date');
        else for (const progress of progressOf(line)) options.onProgress(progress);
      }
      const id = options.allTags === true ? '' : (await inspect(reference)).Id;
      const name = `${repositoryName(parsed)}${tag === '' ? '' : tag.includes(':') ? `@${tag}` : `:${tag}`}`;
      return { reference: name, id, digest, changed };
    },
    async import(tar, { reference, message, changes, platform, signal }) {
      const [repo, tag] = splitReference(reference ?? '');
      const query = { fromSrc: '-', repo, tag, message, changes, platform };
      let id = '';
      for await (const line of await call('ImageCreate', { params: {}, query, body: tar, signal }))
        id = checked(line).status ?? id;
      return id;
    },
    list: ({ all, filters, sharedSize }) =>
      call('ImageList', { params: {}, query: { all, filters, 'shared-size': sharedSize ?? false } }),
    inspect,
    remove: (ref, { force, prune }) =>
      call('ImageDelete', { params: { name: ref }, query: { force, noprune: !prune } }),
    tag: (ref, target) => {
      const [repo, tag] = splitReference(target);
      return call('ImageTag', { params: { name: ref }, query: { repo, tag } });
    },
    async push(reference, { allTags, onProgress, signal, auth: given }): Promise<readonly PushedImage[]> {
      const [name, tag] = splitReference(reference);
      const query = { tag: allTags === true ? '' : tag || 'latest' };
      const known = (await auth(reference, given)).auth ?? {}; // the header must be there
      const pushed: PushedImage[] = [];
      for await (const line of await call('ImagePush', { params: { name }, query, auth: known, signal })) {
        const aux = checked(line).aux;
        if (isPushed(aux)) pushed.push({ tag: aux.Tag, digest: aux.Digest, size: aux.Size });
        else for (const progress of progressOf(line)) onProgress(progress);
      }
      return pushed;
    },
    async *save(refs, { platform, signal }) {
      const query = { names: refs, platform: platformList(platform) };
      yield* await call('ImageGetAll', { params: {}, query, signal });
    },
    async load(tar, { platform, signal }): Promise<readonly LoadedImage[]> {
      const query = { quiet: true, platform: platformList(platform) };
      const loaded: LoadedImage[] = [];
      for await (const line of await call('ImageLoad', { params: {}, query, body: tar, signal })) {
        const [, kind, name = ''] = /^Loaded image( ID)?: (\S+)/.exec(checked(line).stream ?? '') ?? [];
        if (name === '') continue;
        loaded.push(
          kind === undefined ? { reference: name, id: (await inspect(name)).Id } : { reference: undefined, id: name },
        );
      }
      return loaded;
    },
    history: (ref, options) =>
      call('ImageHistory', { params: { name: ref }, query: { platform: platformJson(options?.platform) } }),
    search: async (term, { limit, filters, signal, auth: given }) =>
      call('ImageSearch', { params: {}, query: { term, limit, filters }, ...(await auth(term, given)), signal }),
    async prune(filters) {
      const { ImagesDeleted, SpaceReclaimed } = await call('ImagePrune', { params: {}, query: { filters } });
      return { ImagesDeleted: ImagesDeleted ?? [], SpaceReclaimed };
    },
    distribution: async (ref, { auth: given, signal }) =>
      call('DistributionInspect', { params: { name: ref }, ...(await auth(ref, given)), signal }),
  };
}

/** The name as the user gave it, with the tag that it means. */
function withoutHub(text: string, whole: { readonly tag?: string; readonly digest?: string }): string {
  const [name] = splitReference(text);
  const bare = splitReference(name)[0];
  if (whole.digest !== undefined) return `${bare}@${whole.digest}`;
  return whole.tag === undefined ? bare : `${bare}:${whole.tag}`;
}

function checked(line: ProgressLine): ProgressLine {
  const message = line.errorDetail?.message ?? line.error;
  if (message === undefined) return line;
  const missing = /not found|does not exist|manifest unknown|no such/i.test(message);
  const denied = /denied|unauthorized|authentication required/i.test(message);
  return fail(denied ? 'denied' : missing ? 'not_found' : 'system', 'remote.progress', message);
}

function progressOf({ status, stream, id, progressDetail }: ProgressLine): readonly Progress[] {
  if (status === undefined) return stream === undefined ? [] : [{ kind: 'message', text: stream.trimEnd() }];
  if (id === undefined || id === '') return [{ kind: 'message', text: status }];
  if (!/^[0-9a-f]{12}$/.test(id)) return [{ kind: 'message', text: `${id}: ${status}` }];
  const { current, total } = progressDetail ?? {};
  const amount = current === undefined ? {} : { current, ...(total === undefined ? {} : { total }) };
  return [{ kind: 'layer', id, phase: status, ...amount }];
}

interface PushedAux {
  readonly Tag: string;
  readonly Digest: string;
  readonly Size: number;
}

function isPushed(aux: unknown): aux is PushedAux {
  return typeof aux === 'object' && aux !== null && 'Tag' in aux && 'Digest' in aux && 'Size' in aux;
}

const anywhere: Platform = { os: 'linux', architecture: '' };

/** Where the API wants a platform as a document. */
function platformJson(text: string | undefined): string {
  if (text === undefined || text === '') return '';
  return JSON.stringify(parsePlatform(text, anywhere));
}

function platformList(text: string): readonly string[] {
  return text === '' ? [] : [platformJson(text)];
}
