// Docker's Engine API documents for volumes (API 1.51).

/** The body of `POST /volumes/create`. */
export interface VolumeCreate {
  /** '' makes an anonymous one, with 64 hex digits for a name. */
  readonly Name?: string;
  readonly Driver?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** `GET /volumes/{name}` and rows of `GET /volumes`. */
export interface Volume {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly CreatedAt: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Scope: 'local';
  readonly Options: Readonly<Record<string, string>> | null;
  /** Only in `GET /system/df`; -1 where it was not counted. */
  readonly UsageData?: { readonly Size: number; readonly RefCount: number };
}
