import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { HostAddress } from '../../src/transport/transport.ts';

const SSHD = '/usr/sbin/sshd';

/** An sshd of the test's own, with keys of its own, on a loopback port. */
export interface TestSshd {
  readonly directory: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Knows the host's key. */
  readonly knownHosts: string;
  readonly userKey: string;
  readonly log: () => string;
  /** The address of this sshd, as a user that may log in. */
  address(overrides?: Partial<HostAddress>): HostAddress;
  stop(): Promise<void>;
}

export interface SshdOptions {
  readonly hostKeys?: readonly ('ed25519' | 'ecdsa' | 'rsa')[];
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
  readonly passphrase?: string;
}

/** Starts an sshd. What the machine lacks is said, not skipped. */
export async function startSshd(options: SshdOptions = {}): Promise<TestSshd> {
  for (const program of [SSHD, '/usr/bin/ssh-keygen']) {
    if (!existsSync(program)) throw new Error(`this test needs ${program}: apt-get install openssh-server`);
  }
  const directory = await mkdtemp(join(tmpdir(), 'understudy-sshd-'));
  await chmod(directory, 0o755);
  const file = (name: string) => join(directory, name);
  const kinds = options.hostKeys ?? ['ed25519'];
  for (const kind of kinds) keygen(file(`host_${kind}`), kind);
  keygen(file('user'), 'ed25519', options.passphrase);
  await writeFile(file('authorized_keys'), await readFile(file('user.pub')));
  if (userInfo().uid === 0) execFileSync('mkdir', ['-p', '/run/sshd']);
  const config = [
    ...kinds.map((kind) => `HostKey ${file(`host_${kind}`)}`),
    `AuthorizedKeysFile ${file('authorized_keys')}`,
    'ListenAddress 127.0.0.1',
    `PidFile ${file('pid')}`,
    'StrictModes no',
    'PermitRootLogin yes',
    'KbdInteractiveAuthentication no',
    ...(options.config ?? ['UsePAM no']),
    // The first of two counts.
    ...(options.config?.some((line) => line.startsWith('Subsystem')) ? [] : ['Subsystem sftp internal-sftp']),
    '',
  ];
  await writeFile(file('sshd_config'), config.join('\n'));
  const { port, process, log } = await listen(file('sshd_config'));
  const knownHosts = file('known_hosts');
  const lines = await Promise.all(
    kinds.map(async (kind) => `[127.0.0.1]:${port} ${await readFile(file(`host_${kind}.pub`), 'utf8')}`),
  );
  await writeFile(knownHosts, lines.join(''));
  return {
    directory,
    port,
    process,
    knownHosts,
    userKey: file('user'),
    log,
    address: (overrides = {}) => ({
      name: 'box',
      address: '127.0.0.1',
      port,
      user: userInfo().username,
      privateKeyFile: file('user'),
      knownHostsFile: knownHosts,
      sshConfigFile: 'none',
      connectTimeoutMs: 20_000,
      ...overrides,
    }),
    async stop() {
      if (process.exitCode === null && process.signalCode === null) {
        process.kill();
        await once(process, 'exit');
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Kills an sshd and, like a power cut, every connection that it serves. */
export async function cut(sshd: TestSshd): Promise<void> {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(sshd.process.pid)], {
    encoding: 'utf8',
  });
  sshd.process.kill('SIGKILL');
  for (const pid of children.trim().split(/\s+/)) process.kill(Number(pid), 'SIGKILL');
  await once(sshd.process, 'exit');
}

export function keygen(file: string, kind: 'ed25519' | 'ecdsa' | 'rsa', passphrase = ''): void {
  execFileSync('ssh-keygen', ['-q', '-t', kind, '-N', passphrase, '-C', 'test', '-f', file]);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

interface Listening {
  readonly port: number;
  readonly process: ChildProcess;
  readonly log: () => string;
}

/** Starts sshd on a free port; another test may take that in between. */
async function listen(config: string): Promise<Listening> {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const process = spawn(SSHD, ['-D', '-e', '-f', config, '-p', String(port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    const up = await new Promise<boolean>((resolve) => {
      process.stderr?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('Server listening')) resolve(true);
      });
      process.once('exit', () => resolve(false));
    });
    if (up) return { port, process, log: () => text };
    if (tries === 5) throw new Error(`sshd did not start: ${text}`);
  }
}
