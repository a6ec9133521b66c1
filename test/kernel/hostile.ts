// A registry that misbehaves, by the name of the repository that is asked for. Run as a program: its argument is the port.

import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const nothing = `sha256:${'0'.repeat(64)}`;
const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
const config = Buffer.from(
  JSON.stringify({ architecture: arch, os: 'linux', rootfs: { type: 'layers', diff_ids: [nothing] } }),
);
/** A good manifest; its layer never comes whole. */
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: manifestType,
  config: {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: `sha256:${createHash('sha256').update(config).digest('hex')}`,
    size: config.length,
  },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: nothing, size: 1 << 24 }],
});

function endless(response: ServerResponse): void {
  const block = Buffer.alloc(1 << 16, ' ');
  const more = (): void => {
    while (!response.destroyed && response.write(block));
  };
  response.on('drain', more).on('error', () => {});
  more();
}

function half(response: ServerResponse, url: string): void {
  if (url.includes('/manifests/')) response.writeHead(200, { 'content-type': manifestType }).end(manifest);
  else if (!url.includes(nothing)) response.writeHead(200).end(config);
  else response.writeHead(200, { 'content-length': String(1 << 24) }).write(Buffer.alloc(1 << 20));
}

function document(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': manifestType }).end(text);
}

const json = { 'content-type': 'application/json' };
const answers: Readonly<Record<string, (response: ServerResponse, url: string) => void>> = {
  hang: () => {},
  half,
  html: (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Hotel Wifi</html>'),
  five: (response) =>
    void response.writeHead(500, json).end('{"errors":[{"code":"UNKNOWN","message":"out of order"}]}'),
  busy: (response) =>
    void response.writeHead(429, { ...json, 'retry-after': '3600' }).end('{"errors":[{"code":"TOOMANYREQUESTS"}]}'),
  empty: (response) => document(response, ''),
  cut: (response) => document(response, '{"schemaVersion":2,'),
  old: (response) => document(response, '{"schemaVersion":1,"name":"x","fsLayers":[]}'),
  list: (response) => document(response, '[]'),
  numbers: (response) =>
    document(response, `{"schemaVersion":2,"mediaType":"${manifestType}","config":7,"layers":"many"}`),
  deep: (response) => document(response, '['.repeat(100_000)),
  huge(response) {
    response.writeHead(200, { 'content-type': manifestType, 'content-length': String(100 << 20) });
    endless(response);
  },
  unsized(response) {
    response.writeHead(200, { 'content-type': manifestType });
    endless(response);
  },
};

createServer((request, response) => {
  const url = request.url ?? '';
  const answer = answers[/^\/v2\/(\w+)\//.exec(url)?.[1] ?? ''];
  if (answer) answer(response, url);
  else response.writeHead(200).end('{}');
}).listen(Number(process.argv[2]), '127.0.0.1');
