// Which mounts are refused: Docker's rules for Binds, Mounts, Tmpfs and Volumes, in its words. Pure.

import type { ContainerConfig, HostConfig, MountSpec } from '../../spec/docker/container.ts';
import { type Bind, parseBind } from './mounts.ts';

type Refuse = (code: string, message: string) => never;

/** At most one word of each kind. */
const modeKinds = [
  /^(ro|rw)$/,
  /^(z|Z)$/,
  /^nocopy$/,
  /^r?(private|shared|slave)$/,
  /^(consistent|cached|delegated)$/,
] as const;

export function validateMounts(host: HostConfig, config: ContainerConfig, refuse: Refuse): void {
  for (const bind of host.Binds ?? []) validateBind(bind, refuse);
  for (const [target, options] of Object.entries(host.Tmpfs ?? {})) {
    requireTarget(target, '', refuse);
    for (const option of options.split(',')) validateTmpfsOption(option, refuse);
  }
  for (const mount of host.Mounts ?? []) validateMount(mount, refuse);
  for (const target of Object.keys(config.Volumes ?? {}))
    requireTarget(
      target,
      `invalid volume specification: '${target}': invalid mount config for type "volume": `,
      refuse,
    );
}

function validateBind(text: string, refuse: Refuse): void {
  const bind = parseBind(text);
  const specification = `invalid volume specification: '${text}'`;
  if (!bind || (bind.source !== '' && bind.mode === '' && isMode(bind.target))) {
    refuse('mount.spec', specification);
    return;
  }
  if (bind.mode !== '' && !isMode(bind.mode)) refuse('mount.mode', `invalid mode: ${bind.mode}`);
  const where = `${specification}: invalid mount config for type "${bind.type}": `;
  requireTarget(bind.target, where, refuse);
  validateModes(bind, where, refuse);
}

function isMode(mode: string): boolean {
  const words = mode.split(',');
  const kinds = words.map((word) => modeKinds.findIndex((kind) => kind.test(word)));
  return !kinds.includes(-1) && new Set(kinds).size === words.length;
}

function validateModes({ type, modes }: Bind, where: string, refuse: Refuse): void {
  if (type === 'volume' && modes.some((word) => modeKinds[3].test(word)))
    refuse('mount.field', `${where}field BindOptions must not be specified`);
  if (type === 'bind' && modes.includes('nocopy'))
    refuse('mount.field', `${where}field VolumeOptions must not be specified`);
}

const optionsOf: Readonly<Record<string, string>> = {
  bind: 'BindOptions',
  volume: 'VolumeOptions',
  tmpfs: 'TmpfsOptions',
  image: 'ImageOptions',
};

function validateMount(mount: MountSpec, refuse: Refuse): void {
  const where = `invalid mount config for type "${mount.Type}": `;
  const wrong = (what: string): never => refuse('mount.field', `${where}${what}`);
  if (!Object.hasOwn(optionsOf, mount.Type)) wrong('mount type unknown');
  if (mount.Target === '') wrong('field Target must not be empty');
  requireTarget(mount.Target, where, refuse);
  for (const [type, field] of Object.entries(optionsOf)) {
    const options: unknown = Reflect.get(mount, field);
    if (type !== mount.Type && options !== undefined && options !== null) wrong(`field ${field} must not be specified`);
  }
  const source = mount.Source ?? '';
  if (mount.Type === 'bind') {
    if (source === '') wrong('field Source must not be empty');
    if (!source.startsWith('/')) wrong(`invalid mount path: '${source}' mount path must be absolute`);
    const propagation = mount.BindOptions?.Propagation ?? '';
    if (propagation !== '' && !modeKinds[3].test(propagation)) wrong(`invalid propagation mode: ${propagation}`);
  }
  if (mount.Type === 'tmpfs') {
    if (source !== '') wrong('field Source must not be specified');
    if ((mount.TmpfsOptions?.SizeBytes ?? 0) < 0) wrong('invalid tmpfs size');
    for (const [key = '', value] of mount.TmpfsOptions?.Options ?? [])
      validateTmpfsOption(value === undefined ? key : `${key}=${value}`, refuse);
  }
  if (mount.Type === 'volume') validateVolume(mount, wrong);
  if (mount.Type === 'image') {
    if (source === '') wrong('field Source must not be empty');
    requireInside(mount.ImageOptions?.Subpath ?? '', wrong);
  }
}

function validateVolume({ Source, ReadOnly, VolumeOptions }: MountSpec, wrong: (what: string) => never): void {
  const subpath = VolumeOptions?.Subpath ?? '';
  if (!Source && subpath !== '') wrong('must not set Subpath when using anonymous volumes');
  if (!Source && ReadOnly) wrong('must not set ReadOnly mode when using anonymous volumes');
  requireInside(subpath, wrong);
}

/** Also of an image, Docker says `volume`. */
function requireInside(subpath: string, wrong: (what: string) => never): void {
  if (subpath.startsWith('/') || subpath.split('/').includes('..'))
    wrong('subpath must be a relative path within the volume');
}

const tmpfsFlags =
  /^(defaults|ro|rw|r?(private|shared|slave|unbindable)|(no)?(suid|dev|exec|atime|diratime|relatime|strictatime)|a?sync|dirsync|(no)?mand|remount|r?bind)$/;

function validateTmpfsOption(option: string, refuse: Refuse): void {
  const valid =
    option === '' || tmpfsFlags.test(option) || /^(size|nr_blocks|nr_inodes|mode|uid|gid|huge|mpol)=/.test(option);
  if (!valid) refuse('mount.tmpfs_option', `invalid tmpfs option ${JSON.stringify(option)}`);
}

function requireTarget(target: string, where: string, refuse: Refuse): void {
  if (!target.startsWith('/'))
    refuse('mount.target', `${where}invalid mount path: '${target}' mount path must be absolute`);
  if (/^(\/+\.{0,2})*\/*$/.test(target))
    refuse('mount.target', `${where}invalid specification: destination can't be '/'`);
}
