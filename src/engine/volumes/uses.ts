// What a container needs of volumes and images, as its record keeps it. Types alone.

import type { Digest } from '../../spec/oci/image.ts';

/** A volume that a container needs: what it takes to make it, and what inspect does not show. */
export interface VolumeUse {
  readonly name: string;
  readonly destination: string;
  /** Nobody named it: it goes with the container, where that is asked for. */
  readonly anonymous: boolean;
  /** What the image has at the destination is still to be copied into it. */
  readonly copy: boolean;
  /** The part of it that is mounted. */
  readonly subpath?: string;
  readonly driver?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Another image whose files are mounted. */
export interface ImageUse {
  readonly destination: string;
  readonly id: Digest;
  readonly manifest: Digest;
  readonly layers: readonly Digest[];
  /** The part of it that is mounted. */
  readonly subpath?: string;
}
