// One line of a JSON progress stream: what pull, push, import, load and build say while they work.

export interface ProgressLine {
  readonly stream?: string;
  readonly status?: string;
  /** What the line is about: 12 digits of a layer, a tag. */
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** The same as a bar of text, for clients that only print. */
  readonly progress?: string;
  readonly aux?: unknown;
  /** The work has failed; the status of the answer was 200 by then. */
  readonly errorDetail?: { readonly code?: number; readonly message: string };
  readonly error?: string;
}
