// Endpoints of further processes in a container.

import type { ExecInspect } from '../../spec/docker/container.ts';
import { execCreateBody, execStartBody } from '../body/exec.ts';
import { empty, hijack, json, type Route } from '../route.ts';

export const execRoutes = {
  ContainerExec: {
    method: 'POST',
    path: '/containers/{id}/exec',
    body: execCreateBody,
    answer: json<{ readonly Id: string }>(201),
  },
  /** With Detach in its body: 200 and nothing more. */
  ExecStart: { method: 'POST', path: '/exec/{id}/start', body: execStartBody, answer: hijack },
  ExecResize: { method: 'POST', path: '/exec/{id}/resize', query: { h: 'int', w: 'int' }, answer: empty(200) },
  ExecInspect: { method: 'GET', path: '/exec/{id}/json', answer: json<ExecInspect>() },
} as const satisfies Record<string, Route>;
