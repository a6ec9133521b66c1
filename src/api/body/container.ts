// The bodies of container create and update: what clients send, sparse and in the forms of many years, as whole documents.

import { fail } from '../../base/errors.ts';
import type {
  ContainerConfig,
  ContainerCreate,
  ContainerUpdate,
  EndpointRequest,
} from '../../spec/docker/container.ts';
import type { HealthConfig } from '../../spec/oci/image.ts';
import { jsonBody } from '../route.ts';
import { readHostConfig, readResource, resourceNames } from './host-config.ts';
import {
  fields,
  flag,
  keySet,
  map,
  member,
  nullable,
  object,
  optional,
  type Reader,
  required,
  text,
  textMap,
  texts,
  whole,
  words,
} from './read.ts';

const health: Reader<HealthConfig> = object<HealthConfig>({
  Test: optional(texts),
  Interval: optional(whole),
  Timeout: optional(whole),
  StartPeriod: optional(whole),
  StartInterval: optional(whole),
  Retries: optional(whole),
});

export const readConfig: Reader<ContainerConfig> = object<ContainerConfig>({
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: optional(keySet),
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: texts,
  Cmd: nullable(words),
  Healthcheck: optional(health),
  Image: text,
  Volumes: nullable(keySet),
  WorkingDir: text,
  Entrypoint: nullable(words),
  Labels: textMap,
  StopSignal: optional(text),
  StopTimeout: optional(whole),
  OnBuild: nullable(texts),
  Shell: optional(texts),
  MacAddress: optional(text),
  NetworkDisabled: optional(flag),
});

export const readEndpoint: Reader<EndpointRequest> = object<EndpointRequest>({
  IPAMConfig: nullable(
    object<NonNullable<EndpointRequest['IPAMConfig']>>({
      IPv4Address: optional(text),
      IPv6Address: optional(text),
      LinkLocalIPs: optional(texts),
    }),
  ),
  Links: nullable(texts),
  Aliases: nullable(texts),
  MacAddress: optional(text),
  DriverOpts: nullable(textMap),
  GwPriority: optional(whole),
});

const endpoints = map(nullable(readEndpoint));

/** Config at the top level, the machine's part and the networks beside it. */
export const containerCreateBody = jsonBody<ContainerCreate>(
  (value) => {
    const given = fields(required(value), '');
    if (Object.keys(given).length === 0)
      fail('invalid', 'body.empty', 'config cannot be empty in order to create a container');
    const networking = fields(member(given, 'NetworkingConfig'), 'NetworkingConfig');
    const asked = member(networking, 'EndpointsConfig');
    return {
      Config: readConfig(given, ''),
      HostConfig: readHostConfig(member(given, 'HostConfig'), 'HostConfig'),
      ...(asked === undefined || asked === null
        ? {}
        : { NetworkingConfig: { EndpointsConfig: endpoints(asked, 'NetworkingConfig.EndpointsConfig') } }),
    };
  },
  ({ Config, HostConfig, NetworkingConfig }) => ({
    ...Config,
    HostConfig,
    ...(NetworkingConfig ? { NetworkingConfig } : {}),
  }),
);

/** Only what is there is read: what is not stays as it is. */
export const containerUpdateBody = jsonBody<ContainerUpdate>((value) => {
  const given = fields(value, '');
  const update: Record<string, unknown> = {};
  for (const name of resourceNames) {
    const asked = member(given, name);
    if (asked !== undefined && asked !== null) update[name] = readResource(name, asked);
  }
  const policy = member(given, 'RestartPolicy');
  if (policy !== undefined && policy !== null)
    update['RestartPolicy'] = object<{ Name: string; MaximumRetryCount: number }>({
      Name: text,
      MaximumRetryCount: whole,
    })(policy, 'RestartPolicy');
  return update as ContainerUpdate;
});
