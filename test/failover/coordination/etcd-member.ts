import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';

import type { Dial } from '../../../src/lib/dial.ts';

/** A real etcd of one member on loopback, with its data in a temporary directory. */
export interface EtcdMember {
  readonly endpoint: string;
  readonly port: number;
  readonly directory: string;
  /** PEM text of the authority, when it was started with TLS. */
  readonly ca: string | undefined;
  start(): Promise<void>;
  /** SIGKILL by default. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** SIGSTOP or SIGCONT; comes back when it has taken effect. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  etcdctl(args: readonly string[], input?: string, user?: string): string;
  remove(): Promise<void>;
}

export async function etcdMember(options: { tls?: boolean } = {}): Promise<EtcdMember> {
  const member = await founder('one', options);
  await member.start(`one=${member.peer}`);
  return { ...member, start: () => member.start(`one=${member.peer}`) };
}

/** A real etcd of three members on loopback. */
export async function etcdTrio(): Promise<readonly EtcdMember[]> {
  const founders = await Promise.all(['one', 'two', 'three'].map((name) => founder(name, {})));
  const all = ['one', 'two', 'three'].map((name, index) => `${name}=${founders[index]!.peer}`).join(',');
  await Promise.all(founders.map((member) => member.start(all)));
  return founders.map((member) => ({ ...member, start: () => member.start(all) }));
}

type Founder = Omit<EtcdMember, 'start'> & { readonly peer: string; start(all: string): Promise<void> };

async function founder(name: string, options: { tls?: boolean }): Promise<Founder> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-etcd-'));
  const [port, peerPort] = [await freePort(), await freePort()];
  const peer = `http://127.0.0.1:${peerPort}`;
  const scheme = options.tls ? 'https' : 'http';
  const url = `${scheme}://127.0.0.1:${port}`;
  if (options.tls) makeCertificates(directory);
  let child: ChildProcess | undefined;

  const start = async (all: string): Promise<void> => {
    const started = spawn(
      'etcd',
      Object.entries({
        name,
        'data-dir': join(directory, 'data'),
        logger: 'zap',
        'log-outputs': 'stderr',
        'listen-client-urls': url,
        'advertise-client-urls': url,
        'listen-peer-urls': peer,
        'initial-advertise-peer-urls': peer,
        'initial-cluster': all,
        'bcrypt-cost': '4',
        ...(options.tls && {
          'cert-file': join(directory, 'server.pem'),
          'key-file': join(directory, 'server.key'),
        }),
      }).map(([name, value]) => `--${name}=${value}`),
      { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'], HOME: directory } },
    );
    child = started;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      started.stderr?.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-20_000);
        if (said.includes('serving client traffic')) resolve();
      });
      started.once('error', reject);
      started.once('exit', (code) => reject(new Error(`etcd ended with ${code}: ${said}`)));
    });
  };
  const stop = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    const running = child;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    running.kill('SIGCONT');
    running.kill(signal);
    await once(running, 'exit');
  };
  return {
    peer,
    endpoint: `127.0.0.1:${port}`,
    port,
    directory,
    ca: options.tls ? readFileSync(join(directory, 'ca.pem'), 'utf8') : undefined,
    start,
    stop,
    signal: async (signal) => {
      child?.kill(signal);
      const stopped = (): boolean => / T /.test(readFileSync(`/proc/${child?.pid}/stat`, 'utf8'));
      while (stopped() !== (signal === 'SIGSTOP')) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    etcdctl: (args, input, user) =>
      execFileSync(
        'etcdctl',
        ['--endpoints', url, ...(options.tls ? ['--cacert', join(directory, 'ca.pem')] : []), ...args],
        {
          encoding: 'utf8',
          stdio: ['pipe', 'pipe', 'pipe'],
          env: {
            PATH: process.env['PATH'],
            ETCDCTL_API: '3',
            ...(user !== undefined && { ETCDCTL_USER: user }),
          },
          ...(input !== undefined && { input }),
        },
      ),
    remove: async () => {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const direct: Dial = async (address, port) => {
  const socket = connect({ host: address, port });
  await once(socket, 'connect');
  return socket;
};

/** What a path to a member does to those who use it. */
export interface Path {
  readonly dial: Dial;
  /** Nothing passes any more, in either direction, and nobody is told. */
  cut(): void;
  /** What was held back arrives now. */
  mend(): void;
}

/** A path that can be cut; with `deaf`, requests pass after `delayMs` and answers never come back. */
export function path(options: { deaf?: boolean; delayMs?: number } = {}): Path {
  let isCut = false;
  const waiting: (() => void)[] = [];
  const pass = (act: () => void): void => {
    if (isCut) waiting.push(act);
    else if (options.delayMs) setTimeout(act, options.delayMs);
    else act();
  };
  return {
    dial: async (address, port) => {
      const socket = (await direct(address, port)) as Socket;
      socket.on('error', () => {});
      const stream = new Duplex({
        read: () => {},
        write: (chunk: Buffer, _, done) => {
          pass(() => void socket.write(chunk));
          done();
        },
        destroy: (error, done) => {
          // The other side learns of it when the path carries it there.
          pass(() => socket.end());
          done(error);
        },
      });
      socket.on('data', (chunk: Buffer) => {
        if (!options.deaf) pass(() => void stream.push(chunk));
      });
      socket.on('close', () => {
        if (!options.deaf) pass(() => void stream.destroy());
      });
      return stream;
    },
    cut: () => {
      isCut = true;
    },
    mend: () => {
      isCut = false;
      for (const act of waiting.splice(0)) act();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function makeCertificates(directory: string): void {
  const openssl = (args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl([
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
  ]);
  openssl(['req', ...key, '-subj', '/CN=one', '-keyout', 'server.key', '-out', 'server.csr']);
  writeFileSync(
    join(directory, 'ext'),
    'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  const signed = '-in server.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 2 -extfile ext -out server.pem';
  openssl(['x509', '-req', ...signed.split(' ')]);
}
