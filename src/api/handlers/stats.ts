// What a container uses, once or once a second.

import type { Handler } from '../call.ts';
import { isTrue } from '../query.ts';

export const containerStats: Handler<'ContainerStats'> = ({ engine, params, query, minor, signal }) => {
  const stream = query.stream === '' || isTrue(query.stream);
  return engine.containers.stats(params.id, { stream, oneShot: !stream && minor >= 41 && query['one-shot'], signal });
};
