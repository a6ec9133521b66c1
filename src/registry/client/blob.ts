// The bytes of one blob, whole, over as many connections as it takes: a broken body goes on where it broke (Range).

import { fail, HoistError } from '../../base/errors.ts';
import type { Descriptor } from '../../spec/oci/image.ts';
import { Transient } from './failure.ts';
import type { HttpAnswer } from './http.ts';
import { pauseBeforeRetry, type RetryPolicy } from './retry.ts';
import type { Session } from './session.ts';

export async function* fetchBlob(
  session: Session,
  policy: RetryPolicy,
  blob: Pick<Descriptor, 'digest' | 'size'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  let failures = 0;
  for (;;) {
    const before = offset;
    let broken: unknown;
    try {
      const answer = await session.ask({
        method: 'GET',
        path: `blobs/${blob.digest}`,
        headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
        what: `blob ${blob.digest} of ${session.name}`,
        kind: 'blob',
        expect: [200, 206],
        signal,
      });
      let skip = checkStart(answer, offset, blob, session.name);
      for await (const chunk of answer.body) {
        const fresh = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        offset += fresh.length;
        if (offset > blob.size) tooLong(blob, session.name);
        yield fresh;
      }
      if (offset === blob.size) return;
      const message = `blob ${blob.digest} of ${session.name} ended after ${offset} of ${blob.size} bytes`;
      broken = new Transient(new HoistError('corrupt', 'registry.truncated', message));
    } catch (error) {
      broken = error;
    }
    if (offset > before) failures = 0;
    // Silence after some progress is a broken connection; silence from the start is a registry that hangs.
    if (broken instanceof Transient && broken.stalled && offset > before) broken = new Transient(broken.final);
    failures++;
    await pauseBeforeRetry(broken, failures, policy, signal);
  }
}

/** How many bytes at the start of this answer we have already; fails where it cannot be this blob. */
function checkStart(
  answer: HttpAnswer,
  offset: number,
  blob: Pick<Descriptor, 'digest' | 'size'>,
  name: string,
): number {
  if (answer.status === 206) {
    const start = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1];
    if (start !== undefined && Number(start) === offset) return 0;
    answer.discard();
    return fail(
      'unavailable',
      'registry.range',
      `${answer.url.host} sent another part of ${blob.digest} than was asked for`,
    );
  }
  const length = answer.headers['content-length'];
  if (length !== undefined && Number(length) !== blob.size) {
    answer.discard();
    const message = `blob ${blob.digest} of ${name} has ${Number(length)} bytes where the manifest says ${blob.size}`;
    fail('corrupt', 'registry.size_mismatch', message);
  }
  return offset;
}

function tooLong(blob: Pick<Descriptor, 'digest' | 'size'>, name: string): never {
  const message = `blob ${blob.digest} of ${name} has more bytes than the ${blob.size} that the manifest says`;
  return fail('corrupt', 'registry.size_mismatch', message);
}
