// What a user can reach fails with a HoistError: a stable code, one sentence, a hint. Bugs stay plain Errors.
// Each front door maps the kind (the part of the code before the dot does not matter, `kind` does) in one table of its own.

/** The dozen classes of failure; a door (CLI exit code, HTTP status) maps these and nothing else. */
export type ErrorKind =
  | 'invalid' // the request is wrong: a bad flag, name, document
  | 'not_found'
  | 'conflict' // a name in use, a container in the wrong state
  | 'denied' // credentials or permission
  | 'unavailable' // a peer does not answer, a machine lacks something
  | 'unsupported' // understood, and refused on purpose
  | 'corrupt' // bytes that are not what they claim to be
  | 'too_large' // over a limit that can be set
  | 'no_space'
  | 'cancelled'
  | 'not_executable' // exit code 126
  | 'command_not_found' // exit code 127
  | 'system'; // the kernel said no

export interface ErrorDetail {
  /** What the user can do about it: a sentence of its own. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class HoistError extends Error {
  readonly kind: ErrorKind;
  /** Stable, dotted: `image.not_found`. Tests assert this, never the sentence. */
  readonly code: string;
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, code: string, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'HoistError';
    this.kind = kind;
    this.code = code;
    this.hint = detail.hint;
  }
}

/** Throws a HoistError. `message`: lower case, no full stop, names the path, ref or id. */
export function fail(kind: ErrorKind, code: string, message: string, detail?: ErrorDetail): never {
  throw new HoistError(kind, code, message, detail);
}

/** True for a HoistError, of the given code where one is named. */
export function isHoistError(error: unknown, code?: string): error is HoistError {
  return error instanceof HoistError && (code === undefined || error.code === code);
}

/** The errno name (`ENOENT`) of a Node system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** Turns a full disk (or quota) into its own kind, whatever was being written; other errors pass through. */
export function translateWriteError(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new HoistError('no_space', 'disk.full', `no space left on the device while writing ${path}`, {
      hint: 'free some space there, or move the data with --root',
      cause: error,
    });
  }
  return error;
}
