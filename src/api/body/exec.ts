// The bodies of exec create and exec start.

import type { ExecCreate } from '../../spec/docker/container.ts';
import { jsonBody } from '../route.ts';
import { consoleSize, flag, object, optional, required, text, texts, words } from './read.ts';

const readExec = object<ExecCreate>({
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  Tty: flag,
  DetachKeys: optional(text),
  Env: texts,
  Cmd: words,
  User: text,
  WorkingDir: text,
  Privileged: flag,
  ConsoleSize: optional(consoleSize),
});

export const execCreateBody = jsonBody<ExecCreate>((value) => readExec(required(value), ''));

export interface ExecStart {
  readonly Detach: boolean;
  readonly Tty: boolean;
  readonly ConsoleSize?: readonly [height: number, width: number];
}

const readStart = object<ExecStart>({ Detach: flag, Tty: flag, ConsoleSize: optional(consoleSize) });

export const execStartBody = jsonBody<ExecStart>((value) => readStart(value, ''));
