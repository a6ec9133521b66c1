// A plain client of the Engine API for tests, that compares every answer with the contract as it comes.

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { matcher } from '../../src/api/path.ts';
import { routes } from '../../src/api/routes.ts';
import { readContract } from './contract.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** Of an answer that is one JSON document, else undefined. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents by name
  readonly json: any;
}

export interface AskOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** undefined: without a version. */
  readonly version?: string;
}

export interface Api {
  (method: string, path: string, options?: AskOptions): Promise<Answer>;
  /** What did not keep to the contract so far. */
  readonly problems: string[];
  /** Operations that were asked, with the statuses that they answered. */
  readonly asked: ReadonlyMap<string, ReadonlySet<number>>;
}

const contract = readContract();
const find = matcher(routes);

export function apiOf(socketPath: string): Api {
  const problems: string[] = [];
  const asked = new Map<string, Set<number>>();
  const api = async (method: string, path: string, options: AskOptions = {}): Promise<Answer> => {
    const answer = await ask(socketPath, method, path, options);
    const operation = find(method, path.replace(/\?.*/, ''))?.name;
    if (operation !== undefined) {
      asked.set(operation, (asked.get(operation) ?? new Set()).add(answer.status));
      for (const document of documentsOf(answer))
        problems.push(...contract.problems(operation, answer.status, document));
    }
    return answer;
  };
  return Object.assign(api, { problems, asked });
}

/** One, or one per line. */
function documentsOf({ headers, text, json }: Answer): readonly unknown[] {
  if (json !== undefined) return [json];
  if (headers['content-type'] !== 'application/json') return [];
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): unknown => JSON.parse(line));
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  { body, headers, version }: AskOptions,
): Promise<Answer> {
  const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      socketPath,
      method,
      path: version === undefined ? path : `/v${version}${path}`,
      headers: { ...(bytes === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      agent: false,
      timeout: 60_000,
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer`)));
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text, json: documentOf(text) });
      });
    });
    request.end(bytes);
  });
}

function documentOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
