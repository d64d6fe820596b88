import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';

import { run } from '../../lib/process.ts';
import { systemEnvironment } from '../../lib/system-path.ts';
import type { Machine } from './machine.ts';
import { type InstanceOfMachine, machineOf, ofInstance, type RunVerb } from './machine-verbs.ts';

/** How a daemon on a balancer reaches another host of the site; the role failover_agent sets it up. */
export interface AgentAddress {
  /** The inventory name. */
  readonly host: string;
  readonly address: string;
  /** The private key, a file. */
  readonly key: string;
  /** The known_hosts file; by default the one beside the private key. */
  readonly knownHosts?: string | undefined;
  /** The program ssh; tests replace it. */
  readonly ssh?: string | undefined;
}

const USER = 'understudy';
/** The exit status of OpenSSH's client when the connection failed, and not the remote command. */
const SSH_FAILED = 255;

/** A machine as a daemon reaches it: by a key that can run the verbs of `understudy-node` and nothing else. */
export function agentMachine(agent: AgentAddress, instance?: InstanceOfMachine): Machine {
  return machineOf(agent.host, agentVerbs(agent, instance));
}

/** The verbs of `understudy-node` there. A connection of its own for each: a shared one would outlive the verb. */
export function agentVerbs(agent: AgentAddress, instance?: InstanceOfMachine): RunVerb {
  return ofInstance(instance, async (argv, { timeoutMs, signal, onStdout, stdin }) => {
    const { status, stdout, stderr, cut, killedBy, error } = await run(commandLine(agent, argv), {
      timeoutMs,
      signal,
      onStdout,
      ...(stdin && { input: stdin }),
    });
    if (error) return { status: -1, stdout: '', stderr: '', unreachable: error.message };
    if (cut === 'signal') throw signal?.reason as Error;
    if (cut) return { status: -1, stdout, stderr: `it did not end within ${timeoutMs / 1000} s` };
    if (status === SSH_FAILED || killedBy)
      return { status: -1, stdout, stderr: '', unreachable: stderr.trim() || 'ssh ended' };
    return { status, stdout, stderr };
  });
}

/**
 * The runtime API of another balancer's HAProxy, for `haproxyBalancer`'s `open`. `controlDirectory`, private to the
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
      const [program = '', ...args] = commandLine(agent, ['haproxy'], shared);
      const child = spawn(program, args, { stdio: 'pipe', env: systemEnvironment() });
      const { stdin, stdout } = child;
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
      // An error of a write to an ssh that has ended is ignored; its exit status is reported.
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

function commandLine(
  { address, key, knownHosts, ssh = 'ssh' }: AgentAddress,
  argv: readonly string[],
  more: readonly string[] = [],
): readonly string[] {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts ?? key.replace(/[^/]*$/, 'known_hosts')}`,
    'GlobalKnownHostsFile=none',
    // A host that vanished is detected within about three seconds.
    'ConnectTimeout=3',
    'ServerAliveInterval=1',
    'ServerAliveCountMax=3',
    'LogLevel=ERROR',
    ...more,
  ];
  return [
    ssh,
    '-F',
    'none',
    '-T',
    '-i',
    key,
    ...options.flatMap((option) => ['-o', option]),
    `${USER}@${address}`,
    ...argv,
  ];
}
