// Endpoints of containers.

import type {
  ContainerInspect,
  ContainerSummary,
  ContainerTop,
  FilesystemChange,
} from '../../spec/docker/container.ts';
import type { ContainerStats } from '../../spec/docker/system.ts';
import { containerCreateBody, containerUpdateBody } from '../body/container.ts';
import { bytes, empty, hijack, json, lines, output, type Route, tar } from '../route.ts';

const streams = {
  detachKeys: 'string',
  logs: 'bool',
  stream: 'bool',
  stdin: 'bool',
  stdout: 'bool',
  stderr: 'bool',
} as const;

export const containerRoutes = {
  ContainerList: {
    method: 'GET',
    path: '/containers/json',
    query: { all: 'bool', limit: 'int', size: 'bool', filters: 'filters' },
    answer: json<readonly ContainerSummary[]>(),
  },
  ContainerCreate: {
    method: 'POST',
    path: '/containers/create',
    query: { name: 'string', platform: 'string' },
    body: containerCreateBody,
    answer: json<{ readonly Id: string; readonly Warnings: readonly string[] }>(201),
  },
  ContainerInspect: {
    method: 'GET',
    path: '/containers/{id}/json',
    query: { size: 'bool' },
    answer: json<ContainerInspect>(),
  },
  ContainerTop: {
    method: 'GET',
    path: '/containers/{id}/top',
    query: { ps_args: 'string' },
    answer: json<ContainerTop>(),
  },
  ContainerLogs: {
    method: 'GET',
    path: '/containers/{id}/logs',
    query: {
      follow: 'bool',
      stdout: 'bool',
      stderr: 'bool',
      since: 'time',
      until: 'time',
      timestamps: 'bool',
      details: 'bool',
      /** A number of lines, or `all`; what is no number means all, as with Docker. */
      tail: 'string',
    },
    answer: output,
  },
  ContainerChanges: {
    method: 'GET',
    path: '/containers/{id}/changes',
    answer: json<readonly FilesystemChange[] | null>(),
  },
  ContainerExport: { method: 'GET', path: '/containers/{id}/export', answer: tar },
  ContainerStats: {
    method: 'GET',
    path: '/containers/{id}/stats',
    /** `stream` is true where it is left out. */
    query: { stream: 'string', 'one-shot': 'bool' },
    answer: lines<ContainerStats>(),
  },
  ContainerResize: {
    method: 'POST',
    path: '/containers/{id}/resize',
    query: { h: 'int', w: 'int' },
    answer: empty(200),
  },
  ContainerStart: {
    method: 'POST',
    path: '/containers/{id}/start',
    query: { detachKeys: 'string', checkpoint: 'string', 'checkpoint-dir': 'string' },
    answer: empty(),
  },
  ContainerStop: {
    method: 'POST',
    path: '/containers/{id}/stop',
    query: { signal: 'string', t: 'int' },
    answer: empty(),
  },
  ContainerRestart: {
    method: 'POST',
    path: '/containers/{id}/restart',
    query: { signal: 'string', t: 'int' },
    answer: empty(),
  },
  ContainerKill: { method: 'POST', path: '/containers/{id}/kill', query: { signal: 'string' }, answer: empty() },
  ContainerUpdate: {
    method: 'POST',
    path: '/containers/{id}/update',
    body: containerUpdateBody,
    answer: json<{ readonly Warnings: readonly string[] | null }>(),
  },
  ContainerRename: { method: 'POST', path: '/containers/{id}/rename', query: { name: 'string' }, answer: empty() },
  ContainerPause: { method: 'POST', path: '/containers/{id}/pause', answer: empty() },
  ContainerUnpause: { method: 'POST', path: '/containers/{id}/unpause', answer: empty() },
  ContainerAttach: { method: 'POST', path: '/containers/{id}/attach', query: streams, answer: hijack },
  ContainerAttachWebsocket: {
    method: 'GET',
    path: '/containers/{id}/attach/ws',
    query: streams,
    answer: { kind: 'websocket' },
  },
  ContainerWait: {
    method: 'POST',
    path: '/containers/{id}/wait',
    query: { condition: 'string' },
    answer: json<{ readonly StatusCode: number; readonly Error?: { readonly Message: string } | null }>(),
  },
  ContainerDelete: {
    method: 'DELETE',
    path: '/containers/{id}',
    query: { v: 'bool', force: 'bool', link: 'bool' },
    answer: empty(),
  },
  ContainerArchiveInfo: {
    method: 'HEAD',
    path: '/containers/{id}/archive',
    query: { path: 'string' },
    answer: { kind: 'stat' },
  },
  ContainerArchive: {
    method: 'GET',
    path: '/containers/{id}/archive',
    query: { path: 'string' },
    answer: { kind: 'archive' },
  },
  PutContainerArchive: {
    method: 'PUT',
    path: '/containers/{id}/archive',
    query: { path: 'string', noOverwriteDirNonDir: 'bool', copyUIDGID: 'bool' },
    body: bytes,
    answer: empty(200),
  },
  ContainerPrune: {
    method: 'POST',
    path: '/containers/prune',
    query: { filters: 'filters' },
    answer: json<{ readonly ContainersDeleted: readonly string[] | null; readonly SpaceReclaimed: number }>(),
  },
} as const satisfies Record<string, Route>;
