// What the image use cases stand on; src/main builds it once.

import type { RegistryClient } from '../../registry/client/client.ts';
import { type CredentialSource, givenCredentials } from '../../registry/client/credentials.ts';
import type { RegistryAuth } from '../../spec/docker/system.ts';
import type { Digest, Platform } from '../../spec/oci/image.ts';
import type { Store, UnpackLimits } from '../../store/store.ts';
import type { Events } from '../events.ts';
import type { KeyedLock } from './turns.ts';

export interface ImageUser {
  /** The container's full id. */
  readonly id: string;
  readonly running: boolean;
}

export interface ImagesDeps {
  readonly store: Store;
  readonly registry: RegistryClient;
  readonly credentials: CredentialSource;
  /** This machine's platform: hostPlatform(process.arch). */
  readonly host: Platform;
  readonly limits: UnpackLimits;
  /** The containers made from an image (its id, `sha256:…`). */
  readonly usedBy: (imageId: string) => readonly ImageUser[];
  /** Digests of the manifests that containers need, named or not: they survive garbage collection. */
  readonly heldManifests: () => ReadonlySet<Digest>;
  /** Of the tools that `bootstrap` starts: PATH, proxies. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly events?: Events;
  readonly now?: () => Date;
}

/** Shared by all pulls of one engine. */
export interface PullState {
  /** Two pulls of one layer are one after the other; the second finds it done. */
  readonly layerLock: KeyedLock;
}

/** Whose name a request goes by: its own where it brings one, else the user's configuration. */
export function credentialsOf(deps: ImagesDeps, auth: RegistryAuth | undefined): CredentialSource {
  return auth === undefined ? deps.credentials : givenCredentials(auth);
}
