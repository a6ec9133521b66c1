// What is in a container's file system: copied in and out, compared with its image, exported.

import { fail } from '../../base/errors.ts';
import type { Handler } from '../call.ts';

type Names =
  | 'ContainerArchiveInfo'
  | 'ContainerArchive'
  | 'PutContainerArchive'
  | 'ContainerChanges'
  | 'ContainerExport';

function pathOf({ path }: { readonly path: string }): string {
  if (path === '') fail('invalid', 'query.path', "bad parameters: 'path' cannot be empty");
  return path;
}

export const filesystemHandlers: { readonly [N in Names]: Handler<N> } = {
  ContainerArchiveInfo: ({ engine, params, query }) => engine.containers.statPath(params.id, pathOf(query)),
  ContainerArchive: ({ engine, params, query, signal }) =>
    engine.containers.getArchive(params.id, pathOf(query), signal),
  PutContainerArchive: async ({ engine, params, query, body }) => {
    await engine.containers.putArchive(params.id, pathOf(query), body, {
      noOverwriteDirNonDir: query.noOverwriteDirNonDir,
      copyUidGid: query.copyUIDGID,
    });
    return undefined;
  },
  ContainerChanges: async ({ engine, params }) => {
    const changes = await engine.containers.changes(params.id);
    return changes.length === 0 ? null : changes;
  },
  ContainerExport: ({ engine, params, signal }) => engine.containers.export(params.id, signal),
};
