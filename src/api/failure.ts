// Failures as HTTP: the status by the kind of the error, and Docker's document. The only table of its kind.

import { type ErrorKind, HoistError, isHoistError } from '../base/errors.ts';

const statuses: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  denied: 401,
  unavailable: 503,
  unsupported: 501,
  corrupt: 400,
  too_large: 413,
  no_space: 500,
  cancelled: 499,
  not_executable: 400,
  command_not_found: 400,
  system: 500,
};

/** Where Docker's status is another than its kind's. */
const exceptions: Readonly<Record<string, number>> = {
  'network.predefined': 403,
  'network.in_use': 403,
  'path.read_only': 403,
};

export interface Failure {
  readonly status: number;
  readonly message: string;
}

/** What the server itself refuses, whatever the engine could. */
export class Refusal extends HoistError {
  readonly status: number;
  constructor(status: number, message: string) {
    super('unsupported', 'api.refused', message);
    this.status = status;
  }
}

/** A bug has no words for users but its own; `log` gets its stack. */
export function failureOf(error: unknown, log: (message: string) => void): Failure {
  if (error instanceof Refusal) return { status: error.status, message: error.message };
  if (isHoistError(error)) return { status: exceptions[error.code] ?? statuses[error.kind], message: error.message };
  log(`bug: ${error instanceof Error ? error.stack : String(error)}`);
  return { status: 500, message: error instanceof Error ? error.message : String(error) };
}
