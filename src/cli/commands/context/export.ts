// hoist context export and import: a context as a tar, which Docker's client reads and writes as well.

import { errnoOf, fail, isHoistError } from '../../../base/errors.ts';
import { collectBytes } from '../../../base/streams.ts';
import { readTar } from '../../../base/tar.ts';
import { type TarOutput, tarHeader, tarPadding, tarTrailer } from '../../../base/tar-write.ts';
import type { Command } from '../../command.ts';
import {
  type Context,
  checkContextName,
  defaultContext,
  documentOf,
  readContext,
  type TlsFile,
  tlsFiles,
  writeContext,
} from '../../contexts/store.ts';
import type { Io } from '../../io.ts';
import { exists } from './create.ts';
import { defaultHost } from './ls.ts';

/** As Docker's: no context is near to it. */
const importLimit = 10 << 20;

export const exportContext: Command = {
  names: [['context', 'export']],
  summary: 'Export a context to a tar archive FILE or a tar stream on STDOUT.',
  usage: '[OPTIONS] CONTEXT [FILE|-]',
  args: { min: 1, max: 2 },
  completes: 'context',
  flags: [],
  async run({ io, args }) {
    const [name = '', file = `${name}.dockercontext`] = args;
    const bytes = archive(name === defaultContext ? ownContext(io) : await readContext(io, name));
    if (file === '-') {
      if (io.stdout.isTTY)
        fail('invalid', 'cli.plain', 'cowardly refusing to export to a terminal, specify a file path');
      await io.stdout.write(bytes);
      return 0;
    }
    if (
      await io.readFile(file).then(
        () => true,
        () => false,
      )
    )
      fail('conflict', 'cli.plain', `open ${file}: file exists`);
    await io.replaceFile(file, once(bytes), { mode: 0o600 });
    await io.stderr.write(`Written file "${file}"\n`);
    return 0;
  },
};

function ownContext(io: Io): Context {
  const Endpoints = { docker: { Host: defaultHost(io), SkipTLSVerify: false } };
  return { document: { Name: defaultContext, Metadata: {}, Endpoints }, tls: new Map() };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function archive({ document, tls }: Context): Buffer {
  const entry = (kind: TarOutput['kind'], path: string, mode: number, bytes: Uint8Array): Buffer => {
    const header = tarHeader({ kind, path, link: '', size: bytes.byteLength, mode, uid: 0, gid: 0, mtime: 0 });
    return Buffer.concat([header, bytes, tarPadding(bytes.byteLength)]);
  };
  const nothing = new Uint8Array(0);
  return Buffer.concat([
    entry('file', 'meta.json', 0o644, Buffer.from(JSON.stringify(document))),
    entry('directory', 'tls/', 0o700, nothing),
    ...(tls.size > 0 ? [entry('directory', 'tls/docker/', 0o700, nothing)] : []),
    ...[...tls].map(([kind, pem]) => entry('file', `tls/docker/${kind}.pem`, 0o600, pem)),
    tarTrailer(),
  ]);
}

export const importContext: Command = {
  names: [['context', 'import']],
  summary: 'Import a context from a tar or zip file',
  usage: 'CONTEXT FILE|-',
  args: { min: 2, max: 2 },
  flags: [],
  async run({ io, args }) {
    const [name = '', file = ''] = args;
    checkContextName(name);
    if (await exists(io, name)) fail('conflict', 'cli.plain', `context "${name}" already exists`);
    let bytes: Uint8Array;
    try {
      bytes = await collectBytes(file === '-' ? io.stdin.read() : io.openFile(file), importLimit, 'the context');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return fail('not_found', 'cli.plain', `open ${file}: no such file or directory`);
    }
    const { document, tls } = unpack(bytes);
    await writeContext(io, { document: { ...document, Name: name }, tls });
    await io.stdout.write(`${name}\n`);
    await io.stderr.write(`Successfully imported context "${name}"\n`);
    return 0;
  },
};

/** Names in the archive are compared, never used as paths. */
function unpack(bytes: Uint8Array): Context {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b)
    fail('unsupported', 'cli.plain', 'contexts in zip files are not read: make a tar with docker context export');
  const files = new Map<string, Buffer>();
  let current = '';
  let chunks: Uint8Array[] = [];
  const reader = readTar({
    entry({ path }) {
      current = path.replace(/^\.\//, '');
      chunks = [];
    },
    data: (chunk) => void chunks.push(Buffer.from(chunk)),
    endEntry: () => void files.set(current, Buffer.concat(chunks)),
  });
  try {
    reader.write(bytes);
    reader.end();
  } catch (error) {
    if (isHoistError(error)) fail('corrupt', 'cli.plain', error.message);
    throw error;
  }
  const meta = files.get('meta.json');
  if (meta === undefined) return fail('invalid', 'cli.plain', 'invalid context: no metadata found');
  const tls = new Map<TlsFile, Uint8Array>();
  for (const kind of tlsFiles) {
    const pem = files.get(`tls/docker/${kind}.pem`);
    if (pem !== undefined) tls.set(kind, pem);
  }
  return { document: documentOf(meta.toString('utf8')), tls };
}
