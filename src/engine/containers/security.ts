// --security-opt: what each option says, and what follows from it for the configuration of a container. Pure.

import { fail } from '../../base/errors.ts';
import type { HostConfig } from '../../spec/docker/container.ts';
import type { MachineFacts } from '../../sys/facts.ts';

export interface SecurityOptions {
  /** `unconfined`, `builtin`, or a profile as its JSON: the client read the file. undefined: nothing was said. */
  readonly seccomp: string | undefined;
  readonly apparmor: string | undefined;
  /** `user`, `role`, `type`, `level` of SELinux -> what it is to be; empty: nothing was said, or `disable`. */
  readonly label: Readonly<Record<string, string>>;
  readonly noNewPrivileges: boolean;
  readonly writableCgroups: boolean;
  /** Podman's: paths that are hidden besides, and those that are not. `ALL` shows everything. */
  readonly mask: readonly string[];
  readonly unmask: readonly string[];
}

type Mutable = { -readonly [K in keyof SecurityOptions]: SecurityOptions[K] };

/** The last word of each kind counts. Fails with `security_opt.invalid`. */
export function securityOptions(options: readonly string[]): SecurityOptions {
  const found: Mutable = {
    seccomp: undefined,
    apparmor: undefined,
    label: {},
    noNewPrivileges: false,
    writableCgroups: false,
    mask: [],
    unmask: [],
  };
  for (const option of options) readOption(option, found);
  return found;
}

function readOption(option: string, found: Mutable): void {
  const invalid = (): never => fail('invalid', 'security_opt.invalid', `invalid --security-opt 2: "${option}"`);
  const paths = (text: string): string[] => {
    const all = text.split(':').filter((path) => path !== '');
    if (all.length === 0 || all.some((path) => !path.startsWith('/'))) invalid();
    return all;
  };
  if (option === 'no-new-privileges') found.noNewPrivileges = true;
  else if (option === 'writable-cgroups') found.writableCgroups = true;
  else {
    const [, name, value = ''] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? [];
    if (name === undefined) fail('invalid', 'security_opt.invalid', `invalid --security-opt 1: "${option}"`);
    if (name === 'seccomp') found.seccomp = value;
    else if (name === 'apparmor') found.apparmor = value;
    else if (name === 'label') found.label = readLabel(value, found.label, invalid);
    else if (name === 'no-new-privileges') found.noNewPrivileges = truth(value) ?? invalid();
    else if (name === 'writable-cgroups') found.writableCgroups = truth(value) ?? invalid();
    else if (name === 'mask') found.mask = [...found.mask, ...paths(value)];
    else if (name === 'unmask')
      found.unmask = [...found.unmask, ...(value.toUpperCase() === 'ALL' ? ['ALL'] : paths(value))];
    else if (name === 'systempaths' && value === 'unconfined') found.unmask = [...found.unmask, 'ALL'];
    else invalid();
  }
}

function readLabel(value: string, before: SecurityOptions['label'], invalid: () => never): SecurityOptions['label'] {
  if (value === 'disable') return {};
  const [, part = '', text = ''] = /^(user|role|type|level|filetype):(.+)$/.exec(value) ?? [];
  return part === '' ? invalid() : { ...before, [part]: text };
}

/** What Go's ParseBool takes. */
function truth(text: string): boolean | undefined {
  if (/^(1|t|true)$/i.test(text)) return true;
  return /^(0|f|false)$/i.test(text) ? false : undefined;
}

/** Fails with `security_opt.unsupported` where the kernel has no such security module: a wall that would not stand. */
export function requireModules({ SecurityOpt }: HostConfig, { lsm }: Pick<MachineFacts, 'lsm'>): void {
  const { apparmor, label } = securityOptions(SecurityOpt ?? []);
  const no = (option: string, module: string): never =>
    fail(
      'unsupported',
      'security_opt.unsupported',
      `--security-opt ${option} cannot hold: this machine has no ${module}`,
    );
  if (apparmor !== undefined && apparmor !== 'unconfined' && lsm !== 'apparmor') no(`apparmor=${apparmor}`, 'AppArmor');
  const [part] = Object.entries(label);
  if (part !== undefined && lsm !== 'selinux') no(`label=${part.join(':')}`, 'SELinux');
}

/** What the process runs as. `unconfined` is AppArmor's name for no profile, which holds without being written. */
export function labelsOf({ SecurityOpt, Privileged }: HostConfig): {
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
} {
  const { apparmor, label } = securityOptions(SecurityOpt ?? []);
  const { user = 'system_u', role = 'system_r', type = 'container_t', level = 's0' } = label;
  return {
    ...(apparmor === undefined || apparmor === 'unconfined' || Privileged ? {} : { apparmorProfile: apparmor }),
    ...(Object.keys(label).length === 0 ? {} : { selinuxLabel: `${user}:${role}:${type}:${level}` }),
  };
}

const masked = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
const readonly = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** What is hidden, and what cannot be written: Docker's lists or the user's, less `unmask`, more `mask`. */
export function hiddenPaths(host: HostConfig): { readonly MaskedPaths: string[]; readonly ReadonlyPaths: string[] } {
  const { mask, unmask } = securityOptions(host.SecurityOpt ?? []);
  const open = (path: string): boolean => unmask.includes('ALL') || unmask.some((one) => covers(one, path));
  const [hide, keep] = host.Privileged
    ? [[], []]
    : [host.MaskedPaths ?? masked, host.ReadonlyPaths ?? readonly].map((list) => list.filter((path) => !open(path)));
  return { MaskedPaths: [...new Set([...(hide ?? []), ...mask])], ReadonlyPaths: [...(keep ?? [])] };
}

/** `/proc/acpi`, `/proc/a*`, `/proc/*` */
function covers(pattern: string, path: string): boolean {
  const words = pattern.replace(/\/+$/, '').split('*');
  return new RegExp(`^${words.map((word) => word.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('[^/]*')}$`).test(path);
}
