// Options of the driver local (type, o, device): a volume that is a file system of its own. Pure.

import { fail } from '../base/errors.ts';
import { k, type Op, op } from '../plan/ops.ts';

export type DriverOptions = Readonly<Record<string, string>>;

/** Fails in Docker's words: `invalid option`, `missing required option`. */
export function checkOptions(name: string, options: DriverOptions): void {
  for (const [key, value] of Object.entries(options)) {
    if (!['type', 'o', 'device', 'size'].includes(key))
      fail('invalid', 'volume.option', `create ${name}: invalid option: ${JSON.stringify(key)}`);
    if (key === 'size')
      fail('unsupported', 'volume.quota', `create ${name}: quota size requested but no quota support`, {
        hint: 'a volume of a fixed size: --opt type=tmpfs --opt device=tmpfs --opt o=size=100m',
      });
    if (/[\0\n]/.test(value)) fail('invalid', 'volume.option', `create ${name}: invalid value of option ${key}`);
  }
  if (Object.keys(options).length === 0) return;
  for (const key of options['o'] !== undefined || options['type'] !== undefined ? ['device'] : ['type', 'device'])
    if (!options[key])
      fail('invalid', 'volume.option', `create ${name}: missing required option: ${JSON.stringify(key)}`);
}

/** Words of `o` that are flags of mount(2) (mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS"); `no` ones clear. */
const flags: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  defaults: [0, 0],
  ro: [1, 0],
  rw: [0, 1],
  nosuid: [2, 0],
  suid: [0, 2],
  nodev: [4, 0],
  dev: [0, 4],
  noexec: [8, 0],
  exec: [0, 8],
  sync: [16, 0],
  async: [0, 16],
  dirsync: [128, 0],
  mand: [64, 0],
  nomand: [0, 64],
  noatime: [1024, 0],
  atime: [0, 1024],
  nodiratime: [2048, 0],
  diratime: [0, 2048],
  bind: [4096, 0],
  rbind: [4096 | 16384, 0],
  relatime: [1 << 21, 0],
  norelatime: [0, 1 << 21],
  strictatime: [1 << 24, 0],
  nostrictatime: [0, 1 << 24],
};
const bindFlag = 4096;
const remount = 32;

/** The host's directory that a volume is, where it is one. */
export function boundDirectory({ device = '', o = '' }: DriverOptions): string | undefined {
  return o.split(',').some((word) => word === 'bind' || word === 'rbind') ? device : undefined;
}

/** What failed, as Docker says it: `mount device:place, flags: 0x1000, data: …`. */
export function describeMount(ops: readonly Op[]): string {
  const [first] = ops;
  if (first?.op !== 'mountClassic') return 'mount';
  const data = first.data === '' ? '' : `, data: ${first.data}`;
  return `mount ${first.source}:${first.target}, flags: 0x${first.flags.toString(16)}${data}`;
}

/** Name of the server to be looked up before the mount, as Docker does for NFS and CIFS: `addr=host`. */
export function serverOf({ type = '', o = '' }: DriverOptions): string | undefined {
  if (!/^(nfs4?|cifs)$/.test(type)) return undefined;
  return o
    .split(',')
    .find((word) => word.startsWith('addr='))
    ?.slice('addr='.length);
}

/** Ops that mount a volume's file system at `target`. `address`: of serverOf, looked up. */
export function mountVolumeOps(options: DriverOptions, target: string, address: string | undefined): Op[] {
  const { type = '', device = '', o = '' } = options;
  const words = o.split(',').filter((word) => word !== '');
  let set = 0;
  const data: string[] = [];
  for (const word of words) {
    const flag = Object.hasOwn(flags, word) ? flags[word] : undefined;
    if (flag) set = (set & ~flag[1]) | flag[0];
    else data.push(address !== undefined && word.startsWith('addr=') ? `addr=${address}` : word);
  }
  const why = `the volume is ${device}`;
  const once = op(
    'mountClassic',
    { source: device, target, fstype: type === '' ? 'none' : type, flags: BigInt(set), data: data.join(',') },
    why,
  );
  // a bind mount takes its flags only when it is mounted again (mount(2), "Creating a bind mount")
  const again = (set & bindFlag) !== 0 && (set & ~(bindFlag | 16384)) !== 0;
  return [
    once,
    ...(again
      ? [
          op(
            'mountClassic',
            { source: '', target, fstype: 'none', flags: BigInt((set & ~16384) | remount), data: '' },
            `${why}: ${o}`,
          ),
        ]
      : []),
  ];
}

export function unmountVolumeOps(target: string): Op[] {
  return [op('umount', { path: target, flags: k.MNT_DETACH }, 'nobody uses the volume any more', k.EINVAL)];
}
