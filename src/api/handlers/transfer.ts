// Images that come and go: pull, push, import, save, load. Their progress as Docker's JSON lines.

import { fail } from '../../base/errors.ts';
import { humanSize } from '../../base/size.ts';
import type { Progress } from '../../engine/engine.ts';
import type { ProgressLine } from '../../spec/docker/progress.ts';
import type { Call, Handler } from '../call.ts';
import { named } from './images.ts';
import { onePlatform, platformText } from './platform.ts';
import { progressLines } from './progress.ts';

type Names = 'ImageCreate' | 'ImagePush' | 'ImageGet' | 'ImageGetAll' | 'ImageLoad';

export const transferHandlers: { readonly [N in Names]: Handler<N> } = {
  ImageCreate: (call) => {
    if (call.query.fromImage !== '') return pull(call);
    if (call.query.fromSrc !== '') return importTar(call);
    return fail('invalid', 'image.source', 'one of fromImage and fromSrc must be given');
  },
  ImagePush: ({ engine, params, query, auth, signal }) =>
    progressLines(async (say) => {
      const reference = query.tag === '' ? params.name : named({ repo: params.name, tag: query.tag });
      await engine.images.push(reference, {
        allTags: query.tag === '' && !/:[^/]*$|@/.test(params.name),
        ...(auth ? { auth } : {}),
        onProgress: (progress) => say(lineOf(progress)),
        onPushed: ({ tag, digest, size }) => {
          say({ status: `${tag}: digest: ${digest} size: ${size}` });
          say({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } });
        },
        signal,
      });
    }),
  ImageGet: ({ engine, params, query, signal }) =>
    engine.images.save([params.name], { platform: onePlatform(query.platform), signal }),
  ImageGetAll: ({ engine, query, signal }) => {
    const names = query.names.flatMap((one) => one.split(','));
    if (names.length === 0) fail('invalid', 'query.names', 'no image names were given');
    return engine.images.save(names, { platform: onePlatform(query.platform), signal });
  },
  ImageLoad: ({ engine, query, body, signal }) =>
    progressLines(async (say) => {
      const loaded = await engine.images.load(body, { platform: onePlatform(query.platform), signal });
      for (const { reference, id, replaced } of loaded) {
        const what = `The image ${reference} already exists, renaming the old one with ID ${replaced} to empty string\n`;
        if (replaced !== undefined) say({ stream: what });
        say({ stream: reference === undefined ? `Loaded image ID: ${id}\n` : `Loaded image: ${reference}\n` });
      }
    }),
};

function pull({ engine, query, auth, signal }: Call<'ImageCreate'>): AsyncIterable<ProgressLine> {
  const reference = query.tag === '' ? query.fromImage : named({ repo: query.fromImage, tag: query.tag });
  const allTags = query.tag === '' && !/:[^/]*$|@/.test(query.fromImage);
  return progressLines(async (say) => {
    const pulled = await engine.images.pull(reference, {
      platform: platformText(query.platform),
      allTags,
      ...(auth ? { auth } : {}),
      onProgress: (progress) => say(lineOf(progress)),
      signal,
    });
    const name = familiar(pulled.reference);
    say({ status: `Digest: ${pulled.digest}` });
    say({ status: `Status: ${pulled.changed ? 'Downloaded newer image' : 'Image is up to date'} for ${name}` });
  });
}

/** As people write it. */
const familiar = (reference: string): string => reference.replace(/^docker\.io\/(?:library\/)?/, '');

function importTar({ engine, query, body, signal }: Call<'ImageCreate'>): AsyncIterable<ProgressLine> {
  return progressLines(async (say) => {
    const source = query.fromSrc === '-' ? body : await download(query.fromSrc, signal, say);
    const id = await engine.images.import(source, {
      ...(query.repo === '' ? {} : { reference: named(query) }),
      message: query.message,
      changes: query.changes,
      platform: platformText(query.platform),
      signal,
    });
    say({ status: id });
  });
}

async function download(
  source: string,
  signal: AbortSignal,
  say: (line: ProgressLine) => void,
): Promise<AsyncIterable<Uint8Array>> {
  const url = URL.canParse(source) ? new URL(source) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    return fail('invalid', 'import.source', `${source} is no URL that an image can be imported from`);
  say({ status: `Downloading from ${url}` });
  const answer = await fetch(url, { signal }).catch((cause: unknown) =>
    fail('unavailable', 'import.download', `cannot download ${url}`, { cause }),
  );
  if (!answer.ok || answer.body === null)
    return fail('unavailable', 'import.download', `cannot download ${url}: status ${answer.status}`);
  return answer.body;
}

function lineOf(progress: Progress): ProgressLine {
  if (progress.kind === 'message') {
    const about = /^(\S+): (Pulling from .*)$/.exec(progress.text);
    return about ? { status: about[2] ?? '', id: about[1] ?? '' } : { status: progress.text };
  }
  const { id, phase, current, total } = progress;
  if (current === undefined) return { status: phase, progressDetail: {}, id };
  return {
    status: phase,
    progressDetail: { current, ...(total === undefined ? {} : { total }) },
    progress: bar(current, total),
    id,
  };
}

/** `[=====>     ]  1.2MB/3MB`, 50 wide. */
function bar(current: number, total: number | undefined): string {
  const amount = humanSize(current).padStart(8);
  if (total === undefined || total <= 0 || current > total) return amount;
  const done = Math.floor((current / total) * 50);
  const arrow = done < 50 ? '>' : '';
  return `[${'='.repeat(done)}${arrow}${' '.repeat(Math.max(0, 49 - done))}] ${amount}/${humanSize(total)}`;
}
