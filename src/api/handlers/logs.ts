// What a container has said, and says.

import { fail } from '../../base/errors.ts';
import type { Handler } from '../call.ts';
import { logBody } from '../stream/logs.ts';

export const containerLogs: Handler<'ContainerLogs'> = async ({ engine, params, query, signal }) => {
  const { stdout, stderr, follow, since, until, timestamps, details } = query;
  const { Config } = await engine.containers.inspect(params.id);
  if (!stdout && !stderr) fail('invalid', 'logs.stream', 'Bad parameters: you must choose at least one stream');
  const lines = engine.containers.logs(params.id, {
    follow,
    since: since ?? 0,
    until: until ?? 0,
    ...(/^\d+$/.test(query.tail) ? { tail: Number(query.tail) } : {}),
    stdout,
    stderr,
    signal,
  });
  return { tty: Config.Tty, bytes: logBody(lines, { timestamps, details }, Config.Tty) };
};
