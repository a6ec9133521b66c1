// Docker's Engine API documents for images (API 1.51).

import type { ImageRunConfig } from '../oci/image.ts';

/** One row of `GET /images/json`. */
export interface ImageSummary {
  /** `sha256:…`, the digest of the image's configuration. */
  readonly Id: string;
  readonly ParentId: string;
  /** Familiar names: `busybox:latest`. */
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  /** Unix seconds. */
  readonly Created: number;
  /** Unpacked bytes of all layers. */
  readonly Size: number;
  readonly SharedSize: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  /** -1: not counted. */
  readonly Containers: number;
}

/** Where an image says nothing, null or an empty text. */
export type ShownRunConfig = { readonly [K in keyof ImageRunConfig]?: ImageRunConfig[K] | null };

/** `GET /images/{name}/json` */
export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created: string;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: ShownRunConfig | null;
  /** Only for clients of API 1.44 and older, which expect both. */
  readonly Container?: string;
  readonly ContainerConfig?: ShownRunConfig;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly Size: number;
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> };
  readonly RootFS: { readonly Type: 'layers'; readonly Layers: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
}

/** One line of the answer to `DELETE /images/{name}`. */
export type ImageDeleteItem = { readonly Untagged: string } | { readonly Deleted: string };
