// The body of volume create.

import type { VolumeCreate } from '../../spec/docker/volume.ts';
import { jsonBody } from '../route.ts';
import { object, optional, text, textMap } from './read.ts';

const readCreate = object<VolumeCreate>({
  Name: optional(text),
  Driver: optional(text),
  DriverOpts: optional(textMap),
  Labels: optional(textMap),
});

export const volumeCreateBody = jsonBody<VolumeCreate>((value) => readCreate(value, ''));
