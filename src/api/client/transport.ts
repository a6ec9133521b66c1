// Connections to an engine's API: a unix socket, TCP with or without TLS, or the standard streams of an ssh command.

import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, type AgentOptions } from 'node:http';
import { connect as connectPlain } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { errnoOf, HoistError } from '../../base/errors.ts';
import { type Address, type Connection, refusePlainText, type Tls } from './address.ts';

export interface Transport {
  readonly address: Address;
  /** Keeps connections for the requests that follow. */
  readonly agent: Agent;
  /** A connection of its own. */
  dial(): Duplex;
  /** A failure to connect as the user's error. */
  explain(error: unknown): Error;
}

/** Fails with `cli.insecure`. Connects when it is used. */
export function openTransport(connection: Connection): Transport {
  refusePlainText(connection);
  const { address } = connection;
  const said = { text: '' };
  const dial = (): Duplex => dialTo(connection, said);
  const options: AgentOptions = { keepAlive: true, keepAliveMsecs: 15_000 };
  const agent = new Agent(options);
  Object.assign(agent, { createConnection: dial });
  return { address, agent, dial, explain: (error) => explain(address, error, said.text) };
}

function dialTo({ address, tls }: Connection, said: { text: string }): Duplex {
  if (address.kind === 'unix') return connectPlain({ path: address.path });
  if (address.kind === 'ssh') return dialSsh(address, said);
  const { host, port } = address;
  if (tls === undefined && !address.secure) return connectPlain({ host, port });
  return connectTls({ host, port, ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }), ...materialOf(tls) });
}

function materialOf(tls: Tls | undefined) {
  const pem = (text: string | Uint8Array): string | Buffer => (typeof text === 'string' ? text : Buffer.from(text));
  return {
    rejectUnauthorized: tls?.verify ?? true,
    ...(tls?.ca === undefined ? {} : { ca: pem(tls.ca) }),
    ...(tls?.cert === undefined ? {} : { cert: pem(tls.cert) }),
    ...(tls?.key === undefined ? {} : { key: pem(tls.key) }),
  };
}

/** Our own command, or Docker's where there is no hoist: both speak to the engine of the other machine. */
export function sshArguments({ user, host, port, path }: Extract<Address, { kind: 'ssh' }>): readonly string[] {
  const quoted = `'${path.replaceAll("'", `'\\''`)}'`;
  const to = path === '' ? '' : ` --host unix://${quoted}`;
  const command = `if command -v hoist >/dev/null 2>&1; then exec hoist${to} system dial-stdio; else exec docker${to} system dial-stdio; fi`;
  const login = user === '' ? [] : ['-l', user];
  const where = port === '' ? [] : ['-p', port];
  return ['-o', 'ConnectTimeout=30', '-T', ...login, ...where, '--', host, `sh -c ${shellWord(command)}`];
}

const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** What the other end says on stderr is the reason when it ends early. */
function dialSsh(address: Extract<Address, { kind: 'ssh' }>, said: { text: string }): Duplex {
  const child = spawn('ssh', sshArguments(address), { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stderr.on('data', (chunk: Buffer) => {
    said.text = `${said.text}${chunk}`.slice(-4096);
  });
  return overChild(child);
}

function overChild(child: ChildProcess): Duplex {
  const { stdin, stdout } = child;
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => void stdout?.resume(),
    write: (chunk: Buffer, _encoding, done) => void stdin?.write(chunk, (error) => done(error)),
    final: (done) => void stdin?.end(() => done()),
    destroy(error, done) {
      child.kill('SIGTERM');
      done(error);
    },
  });
  stdin?.on('error', () => {}); // told by write
  stdout?.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stdout?.on('end', () => stream.push(null));
  child.on('error', (error) => stream.destroy(error));
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) stream.destroy(new Error(`ssh exited with ${code}`));
  });
  // what an agent does to the sockets that it keeps
  return Object.assign(stream, {
    setKeepAlive: () => stream,
    setNoDelay: () => stream,
    setTimeout: () => stream,
    ref: () => stream,
    unref: () => stream,
  });
}

function explain(address: Address, error: unknown, said: string): Error {
  if (error instanceof HoistError) return error;
  const errno = errnoOf(error) ?? '';
  const text = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  if (address.kind === 'ssh') {
    const why = errno === 'ENOENT' ? 'there is no ssh command' : said.trim() || text;
    return new HoistError('unavailable', 'cli.connect', `error during connect: ${address.text}: ${why}`, cause);
  }
  if (errno === 'EACCES' && address.kind === 'unix') {
    const what = 'permission denied while trying to connect to the Docker daemon socket at';
    return new HoistError('denied', 'cli.connect', `${what} ${address.text}`, cause);
  }
  if (
    ['ENOENT', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'].includes(errno)
  ) {
    const what = `Cannot connect to the Docker daemon at ${address.text}. Is the docker daemon running?`;
    return new HoistError('unavailable', 'cli.connect', what, cause);
  }
  const plain = /wrong version number|ECONNRESET|socket hang up|Parse Error/.test(`${errno} ${text}`);
  const hint =
    address.kind === 'tcp' && plain ? { hint: 'is one side using TLS, and the other not? (--tls, --tlsverify)' } : {};
  return new HoistError('unavailable', 'cli.connect', `error during connect: ${address.text}: ${text}`, {
    ...cause,
    ...hint,
  });
}
