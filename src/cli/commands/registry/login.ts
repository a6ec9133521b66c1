// hoist login: asks a registry whether the credentials hold, and keeps them as Docker's client does.

import { fail, isHoistError } from '../../../base/errors.ts';
import { registryDomain } from '../../../engine/login.ts';
import { serverName } from '../../../registry/client/credentials.ts';
import type { Command, FlagValues, Invocation } from '../../command.ts';
import { firstLine } from '../../confirm.ts';
import { authAt, storeLogin } from '../../credentials.ts';
import { flagTable } from '../../flags.ts';
import type { Io } from '../../io.ts';

export const login: Command = {
  names: [['login']],
  summary: 'Authenticate to a registry',
  description: `Authenticate to a registry.
Defaults to Docker Hub if no server is specified.`,
  usage: '[OPTIONS] [SERVER]',
  args: { min: 0, max: 1 },
  flags: flagTable(`
  -p, --password string   Password or Personal Access Token (PAT)
      --password-stdin    Take the Password or Personal Access Token
                          (PAT) from stdin
  -u, --username string   Username`),
  async run(invocation) {
    const { io, flags, args, engine } = invocation;
    await checkFlags(io, flags);
    const domain = registryDomain(args[0] ?? '');
    if (!flags.has('username') && !flags.has('password') && (await loggedInAlready(invocation, domain))) return 0;
    const given = flags.bool('password-stdin') ? await passwordFrom(io) : flags.string('password');
    const { username, password } = await asked(io, flags.string('username'), given);
    const auth = { username, password, serveraddress: serverName(domain) };
    const { Status, IdentityToken } = await engine.system.login(auth, io.signal);
    const file = await storeLogin(io, domain, { username, password, identityToken: IdentityToken });
    if (file !== undefined) await io.stderr.write(unencrypted(file));
    if (Status !== '') await io.stdout.write(`${Status}\n`);
    return 0;
  },
};

async function checkFlags(io: Io, flags: FlagValues): Promise<void> {
  const plain = (message: string): never => fail('invalid', 'cli.plain', message);
  if (flags.has('password') && flags.bool('password-stdin'))
    plain('conflicting options: cannot specify both --password and --password-stdin');
  if (flags.bool('password-stdin') && flags.string('username') === '')
    plain('the --password-stdin option requires --username to be set');
  if (flags.has('username') && flags.string('username') === '') plain('username is empty');
  if (flags.has('password') && flags.string('password') === '') plain('password is empty');
  if (flags.has('password'))
    await io.stderr.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
}

/** One trailing line end is the shell's, not the password's. */
async function passwordFrom(io: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of io.stdin.read()) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8').replace(/\n$/, '').replace(/\r$/, '');
}

/** What is kept already is tried before anybody is asked. */
async function loggedInAlready({ io, engine }: Invocation, domain: string): Promise<boolean> {
  const auth = await authAt(io, domain);
  if (auth.serveraddress === undefined) return false;
  const user = auth.username === undefined ? '' : ` [Username: ${auth.username}]`;
  await io.stdout.write(
    `Authenticating with existing credentials...${user}\n\n Info → To login with a different account, run 'hoist logout' followed by 'hoist login'\n\n\n`,
  );
  try {
    const { Status } = await engine.system.login(auth, io.signal);
    if (Status !== '') await io.stdout.write(`${Status}\n`);
    return true;
  } catch (error) {
    if (!isHoistError(error)) throw error;
    await io.stderr.write(`Login did not succeed, error: ${error.message}\n`);
    return false;
  }
}

/** What is missing is typed: the password unseen. */
async function asked(
  io: Io,
  username: string,
  password: string,
): Promise<{ readonly username: string; readonly password: string }> {
  if (username !== '' && password !== '') return { username, password };
  const plain = (message: string): never => fail('invalid', 'cli.plain', message);
  if (!io.stdin.isTTY) plain('Error: Cannot perform an interactive login from a non TTY device');
  const name = username || (await question(io, 'Username: ')).trim() || plain('Error: Non-null Username Required');
  if (password !== '') return { username: name, password };
  const typed = await question(io, 'Password: ', true);
  await io.stdout.write('\n');
  return { username: name, password: typed || plain('Error: Password Required') };
}

async function question(io: Io, text: string, unseen = false): Promise<string> {
  await io.stdout.write(text);
  return firstLine(io, unseen);
}

function unencrypted(file: string): string {
  return `
WARNING! Your credentials are stored unencrypted in '${file}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/

`;
}
