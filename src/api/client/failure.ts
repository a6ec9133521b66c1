// What a server answers in place of what was asked: its sentence unchanged, the kind by the status.

import { type ErrorKind, HoistError } from '../../base/errors.ts';
import type { Route } from '../route.ts';

const kinds: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not_found',
  405: 'invalid',
  409: 'conflict',
  413: 'too_large',
  499: 'cancelled',
  501: 'unsupported',
  503: 'unavailable',
};

export function failureFrom(route: Route, status: number, body: string): HoistError {
  const message = messageOf(body) || `request returned ${status} for API route ${route.path}`;
  if (route.path === '/containers/{id}/start') {
    const kind = startKind(message);
    if (kind !== undefined) return new HoistError(kind, `remote.${kind}`, message);
  }
  const image = status === 404 && /^no such image/i.test(message);
  return new HoistError(kinds[status] ?? 'system', image ? 'image.not_found' : `remote.${status}`, message);
}

function messageOf(body: string): string {
  try {
    const document: unknown = JSON.parse(body);
    if (typeof document === 'object' && document !== null && 'message' in document) return String(document.message);
  } catch {
    // not Docker's document: a proxy's page, say
  }
  return body.trim();
}

/** Docker's client knows by the sentence why a command could not run, and so its exit code. */
function startKind(message: string): ErrorKind | undefined {
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(message))
    return 'command_not_found';
  return /permission denied|is a directory|not a directory/.test(message) ? 'not_executable' : undefined;
}
