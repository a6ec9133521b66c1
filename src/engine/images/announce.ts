// Events about images, with Docker's ids and attributes: the labels of the image, and what it is called.

import { familiarName, familiarRepository, type Reference } from '../../spec/oci/reference.ts';
import type { ImagesDeps } from './deps.ts';

type Labels = Readonly<Record<string, string>>;

/** `name`: what `tag` gave it; everything else tells the id again, as Docker does. */
export function announce(
  { events }: Pick<ImagesDeps, 'events'>,
  action: 'create' | 'delete' | 'import' | 'load' | 'save' | 'tag' | 'untag',
  id: string,
  { name = id, labels }: { readonly name?: string; readonly labels?: Labels | undefined } = {},
): void {
  events?.emit('image', action, id, { ...labels, name });
}

/** Of `pull` and `push`, where the name is the object and its repository the attribute. */
export function announceTransfer(
  { events }: Pick<ImagesDeps, 'events'>,
  action: 'pull' | 'push',
  ref: Reference,
  labels?: Labels,
): void {
  events?.emit('image', action, familiarName(ref), { ...labels, name: familiarRepository(ref) });
}
