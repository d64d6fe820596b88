import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';

import { systemEnvironment } from '../../lib/system-path.ts';
import type { Machine } from './machine.ts';
import { byLine, machineOf } from './machine-verbs.ts';

/** How a daemon on a balancer reaches another host of the site; the role failover_agent sets it up. */
export interface AgentAddress {
  /** The inventory name. */
  readonly host: string;
  readonly address: string;
  /** The private key, a file. */
  readonly key: string;
  /** Every host's key by address, a file; without it, the one beside the private key. */
  readonly knownHosts?: string | undefined;
  /** The program; for tests. */
  readonly ssh?: string | undefined;
}

const USER = 'understudy';
/** What OpenSSH's client says when the connection failed, and not what it was to run. */
const SSH_FAILED = 255;

/** A machine as a daemon reaches it: by a key that can run the verbs of `understudy-node` and nothing else. */
export function agentMachine(agent: AgentAddress): Machine {
  return machineOf(
    agent.host,
    (argv, { timeoutMs, signal, onLine }) =>
      new Promise((resolve, reject) => {
        const child = start(agent, argv, [], 'ignore');
        const take = onLine && byLine(onLine);
        let stderr = '';
        let timedOut = false;
        const timer = setTimeout(() => {
          timedOut = true;
          child.kill('SIGKILL');
        }, timeoutMs);
        const abort = (): void => void child.kill('SIGKILL');
        signal?.addEventListener('abort', abort);
        const over = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
        };
        child.stdout?.on('data', (chunk: Buffer) => take?.(chunk));
        child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
        child.on('error', (error) => {
          over();
          resolve({ status: -1, stderr: '', unreachable: error.message });
        });
        child.on('close', (code) => {
          over();
          if (signal?.aborted) reject(signal.reason as Error);
          else if (timedOut) resolve({ status: -1, stderr: `it did not end within ${timeoutMs / 1000} s` });
          else if (code === SSH_FAILED || code === null)
            resolve({ status: -1, stderr: '', unreachable: stderr.trim() || 'ssh ended' });
          else resolve({ status: code, stderr });
        });
      }),
  );
}

/**
 * The runtime API of another balancer's HAProxy, for `createBalancer`'s `open`. `controlDirectory`, private to the
 * caller, is where a connection that is shared by all of them has its socket.
 */
export function agentRuntimeApi(
  agent: AgentAddress & { readonly controlDirectory?: string | undefined },
): () => Promise<Duplex> {
  const shared =
    agent.controlDirectory === undefined
      ? []
      : ['ControlMaster=auto', `ControlPath=${agent.controlDirectory}/%C`, 'ControlPersist=60'];
  return () =>
    new Promise((resolve, reject) => {
      const child = start(agent, ['haproxy'], shared, 'pipe');
      const { stdin, stdout } = child;
      if (!stdin || !stdout) throw new Error('ssh has no pipes');
      let stderr = '';
      child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
      // A write to an ssh that has ended is no news: how it ended is.
      stdin.on('error', () => {});
      const stream = new Duplex({
        read: () => void stdout.resume(),
        write: (chunk: Buffer, _encoding, done) => void stdin.write(chunk, () => done()),
        final: (done) => void stdin.end(() => done()),
        destroy: (error, done) => {
          child.kill('SIGKILL');
          done(error);
        },
      });
      stdout.on('data', (chunk: Buffer) => {
        if (!stream.push(chunk)) stdout.pause();
      });
      const ended = new Promise<void>((over) => void stdout.on('end', () => over()));
      // Not its event `close`: a connection that is shared outlives it, and keeps its stderr.
      child.on('exit', (code) => {
        void ended.then(() => {
          if (code === 0) stream.push(null);
          else stream.destroy(new Error(stderr.trim() || `ssh ended with status ${code}`));
        });
      });
      child.on('error', reject);
      child.on('spawn', () => resolve(stream));
    });
}

function start(
  { address, key, knownHosts, ssh = 'ssh' }: AgentAddress,
  argv: readonly string[],
  more: readonly string[],
  stdin: 'ignore' | 'pipe',
): ChildProcess {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts ?? key.replace(/[^/]*$/, 'known_hosts')}`,
    'GlobalKnownHostsFile=none',
    // A host that vanished is noticed within about three seconds.
    'ConnectTimeout=3',
    'ServerAliveInterval=1',
    'ServerAliveCountMax=3',
    'LogLevel=ERROR',
    ...more,
  ];
  return spawn(
    ssh,
    [
      '-F',
      'none',
      '-T',
      '-i',
      key,
      ...options.flatMap((option) => ['-o', option]),
      `${USER}@${address}`,
      ...argv,
    ],
    { stdio: [stdin, 'pipe', 'pipe'], env: systemEnvironment() },
  );
}
