// What a request may ask for and this engine cannot give: each refused with one sentence, never passed over. Pure.

import { fail } from '../../base/errors.ts';
import type { HostConfig } from '../../spec/docker/container.ts';

/** Fails with kind unsupported, or invalid where the value means nothing to Docker either. */
export function refuseUnsupported(host: HostConfig): void {
  const no = (asked: boolean, what: string): void => {
    if (asked) fail('unsupported', 'container.unsupported', what);
  };
  for (const { Driver, Capabilities } of host.DeviceRequests ?? []) {
    const words = [...(Capabilities ?? []).flat()];
    const what = Driver === 'cdi' ? 'devices of the Container Device Interface' : `devices with ${words.join(', ')}`;
    no(true, `could not select device driver "${Driver}": ${what} are not supported; --device gives single devices`);
  }
  if (Object.keys(host.StorageOpt ?? {}).length > 0)
    fail(
      'invalid',
      'storage.options',
      "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    );
  const runtime = host.Runtime ?? '';
  if (runtime !== '' && runtime !== 'hoist')
    fail('invalid', 'runtime.unknown', `unknown or invalid runtime name: ${runtime}`);
  if (!['', 'default'].includes(host.Isolation ?? ''))
    fail('invalid', 'isolation.unknown', `invalid isolation (${host.Isolation}): linux only supports 'default'`);
  for (const option of host.SecurityOpt ?? []) refuseSecurityOption(option);
}

/** Without SELinux and AppArmor in play, `label=disable` and `apparmor=unconfined` are true as things stand. */
function refuseSecurityOption(option: string): void {
  if (/^seccomp[=:]/.test(option) || option === 'no-new-privileges') return;
  const [, name = '', value = ''] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? [];
  if (name === 'no-new-privileges') {
    if (!/^(1|0|t|f|true|false)$/i.test(value))
      fail('invalid', 'security_opt.invalid', `invalid --security-opt 2: "${option}"`);
    return;
  }
  if ((name === 'label' && value === 'disable') || (name === 'apparmor' && value === 'unconfined')) return;
  if (name === 'label' || name === 'apparmor')
    fail('unsupported', 'security_opt.unsupported', `--security-opt ${option} is not supported: no ${name} is applied`);
  fail('invalid', 'security_opt.invalid', `invalid --security-opt 2: "${option}"`);
}
