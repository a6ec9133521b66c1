// What CDI devices change in a container: their edits, with what only the host knows of its device nodes filled in.

import { stat } from 'node:fs/promises';
import { fail } from '../../base/errors.ts';
import type { CdiDeviceNode, CdiEdits } from '../../spec/cdi/spec.ts';
import type { DeviceRequest } from '../../spec/docker/host-config.ts';
import type { OciConfig, OciDevice, OciDeviceRule, OciHooks } from '../../spec/oci/runtime.ts';
import { deviceAt } from '../containers/devices.ts';
import { mergeEnv } from '../containers/merge.ts';
import { cdiDirectories, readCatalog } from './catalog.ts';
import { requestedNames } from './requests.ts';

/** Undefined where nothing was asked. Fails with `cdi.unresolvable`, `cdi.device`, and as requestedNames does. */
export async function cdiChanges(
  requests: readonly DeviceRequest[] | null | undefined,
): Promise<((config: OciConfig) => OciConfig) | undefined> {
  if (!requests?.length) return undefined;
  const { devices, problems } = await readCatalog();
  const names = [...new Set(requestedNames(requests, [...devices.keys()]))];
  const missing = names.filter((name) => !devices.has(name));
  if (missing.length > 0)
    fail('invalid', 'cdi.unresolvable', `CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`, {
      hint:
        problems.length > 0
          ? `not read: ${problems.join('; ')}`
          : `specifications are looked for in ${cdiDirectories().join(' and ')}`,
    });
  const found = names.flatMap((name) => devices.get(name) ?? []);
  // what all devices of a specification need comes once
  const edits = [...found.map((one) => one.edits), ...new Set(found.map(({ shared }) => shared))];
  const nodes = await Promise.all(edits.flatMap(({ deviceNodes }) => deviceNodes).map(nodeOf));
  return (config) => withEdits(config, edits, nodes);
}

interface Node {
  readonly device: OciDevice;
  readonly rule: OciDeviceRule | undefined;
}

async function nodeOf(node: CdiDeviceNode): Promise<Node> {
  const source = node.hostPath ?? node.path;
  const there = await stat(source).catch(() => undefined);
  const host = there && deviceAt(source, node.path, there);
  const type = node.type === 'u' ? 'c' : (node.type ?? host?.type);
  if (there === undefined && node.major === undefined && type !== 'p')
    fail(
      'not_found',
      'cdi.device',
      `CDI device injection failed: failed to stat CDI host device "${source}": no such file or directory`,
    );
  if (type === undefined || (type !== 'p' && host === undefined && node.major === undefined))
    fail('invalid', 'cdi.device', `CDI device injection failed: ${source} is not a device node`);
  const device: OciDevice = {
    path: node.path,
    source,
    type,
    major: node.major ?? host?.major ?? 0,
    minor: node.minor ?? host?.minor ?? 0,
    fileMode: node.fileMode ?? host?.fileMode ?? 0o666,
    uid: node.uid ?? host?.uid ?? 0,
    gid: node.gid ?? host?.gid ?? 0,
  };
  const { major, minor } = device;
  return {
    device,
    rule: type === 'p' ? undefined : { allow: true, type, major, minor, access: node.permissions },
  };
}

function withEdits(config: OciConfig, edits: readonly CdiEdits[], nodes: readonly Node[]): OciConfig {
  const { process, linux } = config;
  const paths = new Set(nodes.map(({ device }) => device.path));
  const mounts = edits.flatMap((one) => one.mounts);
  const taken = new Set(mounts.map(({ destination }) => destination)); // a device's mount takes the place of another
  const hooks: { -readonly [P in keyof OciHooks]: OciHooks[P] } = { ...config.hooks };
  for (const { point, hook } of edits.flatMap((one) => one.hooks)) hooks[point] = [...(hooks[point] ?? []), hook];
  const rules = nodes.flatMap(({ rule }) => rule ?? []);
  // no rules at all: everything is allowed, and a rule would end that
  const guarded = linux.resources.devices.some(({ allow }) => !allow);
  return {
    ...config,
    process: {
      ...process,
      env: mergeEnv(
        process.env,
        edits.flatMap((one) => one.env),
      ),
      user: {
        ...process.user,
        additionalGids: [...new Set([...process.user.additionalGids, ...edits.flatMap((one) => one.additionalGids)])],
      },
    },
    mounts: [...config.mounts.filter(({ destination }) => !taken.has(destination)), ...mounts],
    ...(Object.keys(hooks).length > 0 ? { hooks } : {}),
    linux: {
      ...linux,
      devices: [...linux.devices.filter((one) => !paths.has(one.path)), ...nodes.map(({ device }) => device)],
      resources: guarded ? { ...linux.resources, devices: [...linux.resources.devices, ...rules] } : linux.resources,
    },
  };
}
