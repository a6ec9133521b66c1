// attach: where a terminal joins a container's process; also one that is not started yet, as the API's clients do it.

import { fail, HoistError } from '../../base/errors.ts';
import type { AttachPoint } from '../engine.ts';
import type { Attacher, ContainerPool, Live } from './deps.ts';
import { findContainer } from './find.ts';
import { pathsOf } from './record.ts';
import { tell } from './tell.ts';

export function attachContainer(pool: ContainerPool, ref: string, wait?: AbortSignal): Promise<AttachPoint> {
  const live = findContainer(pool, ref);
  const { record, link } = live;
  requireAttachable(live, wait !== undefined);
  tell(pool, record, 'attach');
  if (link) return Promise.resolve(attachPoint(pool, live, pathsOf(pool.deps.paths, record.id).socket));
  return nextStart(live, wait ?? new AbortController().signal);
}

export function attachPoint(pool: ContainerPool, live: Live, socket: string): AttachPoint {
  const { Tty, OpenStdin } = live.record.config;
  return { socket, tty: Tty, stdin: OpenStdin, detached: () => tell(pool, live.record, 'detach') };
}

function requireAttachable({ record, link }: Live, waits: boolean): void {
  const { id, state } = record;
  if (state.status === 'paused')
    fail('conflict', 'container.paused', `container ${id} is paused, unpause the container before attach`);
  if (state.status === 'restarting')
    fail('conflict', 'container.restarting', `container ${id} is restarting, wait until the container is running`);
  if (!link && !waits)
    fail('conflict', 'container.not_running', 'You cannot attach to a stopped container, start it first');
}

function nextStart(live: Live, wait: AbortSignal): Promise<AttachPoint> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      live.attaching.delete(attacher);
      live.removed.delete(gone);
      wait.removeEventListener('abort', gone);
    };
    const gone = (): void =>
      attacher.refuse(new HoistError('cancelled', 'attach.cancelled', 'nobody is there to attach'));
    const attacher: Attacher = {
      join(point) {
        stop();
        resolve(point);
      },
      refuse(error) {
        stop();
        reject(error);
      },
    };
    live.attaching.add(attacher);
    live.removed.add(gone);
    wait.addEventListener('abort', gone);
    if (wait.aborted) gone();
  });
}

/** The process of a start can be joined. */
export function letJoin(live: Live, point: AttachPoint): void {
  for (const attacher of [...live.attaching]) attacher.join(point);
}

/** A start failed: as with Docker, whoever waited for it need not wait any longer. */
export function refuseAll(live: Live, error: unknown): void {
  for (const attacher of [...live.attaching])
    attacher.refuse(error instanceof Error ? error : new Error(String(error)));
}
