// --gpus and --device vendor/class=name: which CDI devices a request means. Pure.

import { fail } from '../../base/errors.ts';
import type { DeviceRequest } from '../../spec/docker/container.ts';

/** Names of CDI devices, in order. Fails in dockerd's words. */
export function requestedNames(requests: readonly DeviceRequest[], known: readonly string[]): readonly string[] {
  return requests.flatMap((request) => {
    if (request.Driver === 'cdi') return namedDevices(request);
    const kind = gpuKind(request, known);
    if (kind === undefined) {
      const words = (request.Capabilities ?? []).map((all) => `[${all.join(' ')}]`).join(' ');
      return fail(
        'invalid',
        'device.driver',
        `could not select device driver "${request.Driver}" with capabilities: [${words}]`,
        { hint: 'GPUs are given by CDI specifications (nvidia-ctk cdi generate): hoist info lists what they describe' },
      );
    }
    return gpus(request, kind, known);
  });
}

function namedDevices({ Count, Options, DeviceIDs }: DeviceRequest): readonly string[] {
  if (Count !== 0) fail('invalid', 'device.count', 'unexpected count in CDI device request');
  if (Object.keys(Options ?? {}).length > 0)
    fail('invalid', 'device.options', 'unexpected options in CDI device request');
  return DeviceIDs ?? [];
}

/** What NVIDIA's own driver of Docker offers: a request for nothing beyond it. */
const offered = new Set('gpu nvidia compute compat32 graphics utility video display ngx'.split(' '));

function gpuKind({ Driver, Capabilities }: DeviceRequest, known: readonly string[]): string | undefined {
  const gpu = (Capabilities ?? []).some((all) => all.length > 0 && all.every((word) => offered.has(word)));
  if (!gpu || !['', 'nvidia'].includes(Driver)) return undefined;
  const kinds = known.map((name) => name.slice(0, name.indexOf('='))).filter((kind) => kind.endsWith('/gpu'));
  return kinds.find((kind) => kind === 'nvidia.com/gpu') ?? (Driver === '' ? kinds[0] : undefined);
}

function gpus({ Count, DeviceIDs }: DeviceRequest, kind: string, known: readonly string[]): readonly string[] {
  if (Count !== 0 && DeviceIDs?.length)
    fail('invalid', 'device.count', 'cannot set both Count and DeviceIDs on device request');
  if (DeviceIDs?.length) return DeviceIDs.map((id) => (id.includes('=') ? id : `${kind}=${id}`));
  const all = known.filter((name) => name.startsWith(`${kind}=`)).map((name) => name.slice(kind.length + 1));
  if (Count < 0) return (all.includes('all') ? ['all'] : all).map((name) => `${kind}=${name}`);
  // a device has a number, and other names besides
  const numbered = all.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
  if (Count > numbered.length)
    fail(
      'invalid',
      'device.count',
      `${Count} of ${kind} were asked for, and CDI specifications describe ${numbered.length} by number`,
    );
  return numbered.slice(0, Count).map((name) => `${kind}=${name}`);
}
