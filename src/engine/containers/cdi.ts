// Devices by name, of the Container Device Interface: `--device vendor.com/class=name`, and `--gpus`, which means the devices
// of a vendor's class `gpu`. The specifications are read when a container starts: drivers come and go.

import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, fail, isHoistError } from '../../base/errors.ts';
import { type CdiDeviceNode, type CdiEdits, type CdiSpec, readCdiSpec } from '../../spec/cdi/spec.ts';
import { parseSimpleYaml } from '../../spec/cdi/yaml.ts';
import type { DeviceRequest } from '../../spec/docker/host-config.ts';
import { readJson } from '../../spec/oci/config-read.ts';
import type { OciConfig, OciDevice, OciDeviceRule, OciHooks } from '../../spec/oci/runtime.ts';
import { deviceAt } from './devices.ts';
import { mergeEnv } from './merge.ts';

/** Later ones win. */
export function cdiDirectories(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return env['CDI_SPEC_DIRS']?.split(':').filter((dir) => dir !== '') ?? ['/etc/cdi', '/var/run/cdi'];
}

interface Found {
  readonly spec: CdiSpec;
  readonly edits: CdiEdits;
  readonly file: string;
  readonly directory: string;
}

/** `vendor.com/class=name` -> what it adds. A file that cannot be read says so only where one of its devices is missed. */
function readSpecs(directories: readonly string[]): { devices: Map<string, Found>; broken: string[] } {
  const devices = new Map<string, Found>();
  const broken: string[] = [];
  for (const directory of directories) {
    for (const name of namesIn(directory)) {
      const file = path.join(directory, name);
      try {
        const text = readFileSync(file, 'utf8');
        const spec = readCdiSpec(
          name.endsWith('.json') ? readJson(text, file) : { value: parseSimpleYaml(text), path: '' },
        );
        for (const { name: device, edits } of spec.devices) {
          const full = `${spec.kind}=${device}`;
          const other = devices.get(full);
          if (other?.directory === directory)
            fail('conflict', 'cdi.conflict', `device ${full} is in ${other.file} as well`);
          devices.set(full, { spec, edits, file, directory });
        }
      } catch (error) {
        if (!isHoistError(error) && errnoOf(error) === undefined) throw error;
        broken.push(`${file}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  return { devices, broken };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.(json|ya?ml)$/.test(name))
      .sort();
  } catch {
    return []; // no such directory: no devices there
  }
}

/** Undefined where nothing was asked. Fails with `cdi.unresolvable`, `device.driver` in Docker's words. */
export async function cdiChanges(
  requests: readonly DeviceRequest[],
  directories: readonly string[],
): Promise<((config: OciConfig) => OciConfig) | undefined> {
  if (requests.length === 0) return undefined;
  const { devices, broken } = readSpecs(directories);
  const names = requests.flatMap((request) =>
    request.Driver === 'cdi' ? (request.DeviceIDs ?? []) : gpuNames(request, [...devices.keys()]),
  );
  const missing = [...new Set(names)].filter((name) => !devices.has(name));
  if (missing.length > 0)
    fail('invalid', 'cdi.unresolvable', `CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`, {
      hint:
        broken.length > 0
          ? `not read: ${broken.join('; ')}`
          : `specifications are looked for in ${directories.join(' and ')}`,
    });
  const found = [...new Set(names)].flatMap((name) => devices.get(name) ?? []);
  // what all devices of a specification need comes once
  const edits = [...found.map((one) => one.edits), ...new Set(found.map(({ spec }) => spec.edits))];
  const nodes = await Promise.all(edits.flatMap(({ deviceNodes }) => deviceNodes).map(nodeOf));
  return (config) => withEdits(config, edits, nodes);
}

/** `--gpus all`, `--gpus 2`, `--gpus device=0,1`: devices of the first vendor that has some. */
function gpuNames({ Driver, Count, DeviceIDs, Capabilities }: DeviceRequest, known: readonly string[]): string[] {
  const kinds = known.map((name) => name.slice(0, name.indexOf('='))).filter((kind) => kind.endsWith('/gpu'));
  const kind = kinds.find((one) => one === 'nvidia.com/gpu') ?? kinds[0];
  const asksForGpu = (Capabilities ?? []).some((all) => all.includes('gpu'));
  if (kind === undefined || !asksForGpu || !['', 'nvidia'].includes(Driver)) {
    const words = (Capabilities ?? []).map((all) => `[${all.join(' ')}]`).join(' ');
    return fail(
      'unsupported',
      'device.driver',
      `could not select device driver "${Driver}" with capabilities: [${words}]`,
      {
        hint: 'a vendor describes its devices in /etc/cdi; for NVIDIA: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml',
      },
    );
  }
  const ids = DeviceIDs?.length
    ? DeviceIDs
    : Count < 0
      ? ['all']
      : Array.from({ length: Count }, (_, index) => String(index));
  return ids.map((id) => `${kind}=${id}`);
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
    mounts: [...config.mounts, ...edits.flatMap((one) => one.mounts)],
    ...(Object.keys(hooks).length > 0 ? { hooks } : {}),
    linux: {
      ...linux,
      devices: [...linux.devices.filter((one) => !paths.has(one.path)), ...nodes.map(({ device }) => device)],
      resources: guarded ? { ...linux.resources, devices: [...linux.resources.devices, ...rules] } : linux.resources,
    },
  };
}
