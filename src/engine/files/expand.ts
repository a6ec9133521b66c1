// Archives as people pack them: plain, gzip, zstd; bzip2 and xz where this machine has the programs for them.

import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errnoOf, fail } from '../../base/errors.ts';
import { peekBytes } from '../../base/streams.ts';
import { decompress } from '../../store/decompress.ts';

const programs: readonly (readonly [magic: string, program: string])[] = [
  ['425a68', 'bzip2'],
  ['fd377a585a00', 'xz'],
];

export async function* expand(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, stream } = await peekBytes(source, 6);
  const hex = Buffer.from(head).toString('hex');
  const program = programs.find(([magic]) => hex.startsWith(magic))?.[1];
  if (program === undefined) yield* decompress(stream, 'detect');
  else yield* through(program, stream);
}

async function* through(program: string, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const child = spawn(program, ['-d', '-c'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  ended.catch(() => {}); // told below
  const fed = pipeline(Readable.from(stream), child.stdin);
  fed.catch(() => {}); // it ended early: its code says why, or nobody wants the rest
  try {
    yield* child.stdout;
    const code = await ended;
    if (code !== 0) fail('corrupt', 'layer.truncated', `the archive is not what ${program} made`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    fail('unsupported', 'archive.compression', `exec: "${program}": executable file not found in $PATH`, {
      hint: 'decompress it first',
    });
  } finally {
    child.kill('SIGKILL');
  }
}
