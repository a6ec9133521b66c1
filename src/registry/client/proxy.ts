// HTTP(S)_PROXY and NO_PROXY, as curl and Go read them; never for this machine itself.

import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { fail } from '../../base/errors.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** The proxy through which `url` is to be reached; undefined: directly. */
export function proxyFor(url: URL, env: Env): URL | undefined {
  if (isLoopback(url.hostname)) return undefined;
  // Upper case HTTP_PROXY is what a CGI server would set from a `Proxy:` header (CVE-2016-5385).
  const httpProxy = env['http_proxy'] ?? (env['REQUEST_METHOD'] === undefined ? env['HTTP_PROXY'] : undefined);
  const value = url.protocol === 'https:' ? (env['https_proxy'] ?? env['HTTPS_PROXY']) : httpProxy;
  if (value === undefined || value === '' || isExcluded(url, env['no_proxy'] ?? env['NO_PROXY'] ?? ''))
    return undefined;
  const text = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text);
  return fail('invalid', 'proxy.invalid', 'the proxy in the environment is not an http or https URL', {
    hint: 'look at HTTP_PROXY and HTTPS_PROXY',
  });
}

/** True for the names and addresses of this machine. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return host === 'localhost' || host === '::1' || (net.isIPv4(host) && host.startsWith('127.'));
}

/** `list`: addresses and CIDRs and names, as NO_PROXY and `insecure-registries` spell them. */
export function addressInList(address: string, list: readonly string[]): boolean {
  const family = net.isIP(address);
  if (family === 0) return false;
  const blocks = new net.BlockList();
  for (const entry of list) {
    const [base = '', bits] = entry.split('/');
    const of = net.isIP(base);
    if (of === 0 || bits === undefined || !/^\d{1,3}$/.test(bits) || Number(bits) > (of === 4 ? 32 : 128)) continue;
    blocks.addSubnet(base, Number(bits), of === 4 ? 'ipv4' : 'ipv6');
  }
  return blocks.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function isExcluded(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const entries = noProxy
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return (
    addressInList(host, entries) ||
    entries.some((entry) => {
      if (entry === '*') return true;
      const withPort = /^(.*[^:]):(\d+)$/.exec(entry);
      const name = (withPort?.[1] ?? entry).replace(/^\*?\./, '.').replace(/^\[|\]$/g, '');
      if (withPort?.[2] !== undefined && withPort[2] !== port) return false;
      return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
    })
  );
}

/** `Proxy-Authorization` for a proxy whose URL carries a user. */
export function proxyHeaders(proxy: URL): Readonly<Record<string, string>> {
  if (proxy.username === '') return {};
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

/** An agent whose TLS connections go through the tunnel that a proxy opens on CONNECT (RFC 9110, 9.3.6). */
export class TunnelAgent extends https.Agent {
  readonly #proxy: URL;

  constructor(proxy: URL, options: https.AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(
    options: https.RequestOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): null {
    const target = `${options.host ?? ''}:${String(options.port ?? 443)}`;
    const done = callback ?? (() => {});
    const request = (this.#proxy.protocol === 'https:' ? https : http).request({
      host: this.#proxy.hostname.replace(/^\[|\]$/g, ''),
      port: this.#proxy.port === '' ? (this.#proxy.protocol === 'https:' ? 443 : 80) : Number(this.#proxy.port),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyHeaders(this.#proxy) },
      agent: false,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const failed = (error: Error) => done(error, undefined as unknown as Duplex);
    request.once('error', failed);
    request.once('connect', (answer, socket) => {
      if (answer.statusCode === 200) done(null, tls.connect({ ...(options as tls.ConnectionOptions), socket }));
      else {
        socket.destroy();
        failed(new Error(`the proxy ${this.#proxy.host} answered ${answer.statusCode ?? 0} to CONNECT`));
      }
    });
    request.end();
    return null;
  }
}
