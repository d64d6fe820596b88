import { isIPv6 } from 'node:net';

import { EXIT, type ExitCode, UserError } from '../lib/errors.ts';
import { hostPort } from '../lib/host-port.ts';
import { command } from '../lib/shell.ts';
import type { Balancer } from './balancer.ts';
import { type UpdateServer, updateScript } from './nsupdate.ts';
import { hostAt, targetOf, type Target } from './target.ts';

/** Runs a script of POSIX sh where the name server can be reached; it comes on the shell's standard input. */
export type RunScript = (
  script: string,
  timeoutMs: number,
) => Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }>;

export interface DnsOptions extends UpdateServer {
  readonly name: string;
  /** The name by which writers find the primary, without the last dot. */
  readonly record: string;
  /** In seconds: how long a resolver may go on answering with the old address. */
  readonly ttl: number;
  readonly targets: readonly Target[];
  readonly run: RunScript;
  readonly timeoutMs: number;
}

/** The shell's status for a program that it does not find, and that of `timeout`. */
const NOT_FOUND = 127;
const TIMED_OUT = 124;
/** What nsupdate and dig say when nobody answered them. */
const SILENCE = /communication with \S+ failed|no servers could be reached|timed out|connection refused/i;
/** In the answers of dig. */
const STATUS = /^;; ->>HEADER<<- opcode: QUERY, status: (\w+)/gm;
const ADDRESS = /^\S+\s+\d+\s+IN\s+(?:A|AAAA)\s+(\S+)$/gm;
const KNOWN: ReadonlySet<string> = new Set(['NOERROR', 'NXDOMAIN']);

/**
 * A name with the primary's address as its only one, changed by an update that is signed with TSIG (RFC 2136, RFC 8945).
 * BIND's nsupdate and dig speak it, on a balancer, since the name server is rarely reachable from elsewhere; the key
 * goes to them on standard input.
 *
 * Resolvers and clients keep the old address until its time to live is over, and sessions that are open stay open. So
 * there is neither a hold nor an end of sessions here: what keeps writes from an old primary is that it is read-only,
 * fenced, or gets no acknowledgements. The record is replaced in one message and never deleted before: resolvers would
 * keep that there is none, for as long as the zone says.
 */
export function dnsBalancer(options: DnsOptions): Balancer {
  const { name, record, targets, timeoutMs } = options;
  const server = hostPort(options.server, options.port);
  const failed = (message: string, exitCode: ExitCode = EXIT.failed): UserError =>
    new UserError(`${name}: ${message}`, { exitCode });

  const say = async (script: string): Promise<string> => {
    const { status, stdout, stderr } = await options.run(script, timeoutMs);
    const text = `${stdout}\n${stderr}`.trim();
    if (status === NOT_FOUND) {
      throw failed('nsupdate and dig are missing on the balancer (package bind9-dnsutils)');
    }
    if (status === 0) return text;
    const reason = text.replaceAll(/\s*\n[;\s]*/g, '; ') || `status ${status}`;
    throw SILENCE.test(text) || status === TIMED_OUT
      ? failed(`the name server ${server} does not answer: ${reason}`, EXIT.unreachable)
      : failed(`the name server ${server} refuses: ${reason}`);
  };

  const writers = async (): Promise<readonly string[]> => {
    const text = await say(lookUp(options));
    const strange = [...text.matchAll(STATUS)]
      .map((match) => match[1] ?? '')
      .find((status) => !KNOWN.has(status));
    if (strange !== undefined)
      throw failed(`the name server ${server} answers with ${strange} for ${record}`);
    return [...text.matchAll(ADDRESS)].map((match) => hostAt(targets, match[1] ?? ''));
  };

  return {
    name,
    kind: 'dns',
    checks: false,
    staleSeconds: options.ttl,
    writers,
    async expect(host) {
      targetOf(name, targets, host);
      // Refused where the key is wrong or may not change this record; it removes an address that no host has.
      await say(update(options, [`update delete ${record}. A 0.0.0.0`]));
    },
    async pointWriters(host) {
      const { address } = targetOf(name, targets, host);
      await say(
        update(options, [
          `update delete ${record}. A`,
          `update delete ${record}. AAAA`,
          `update add ${record}. ${options.ttl} ${isIPv6(address) ? 'AAAA' : 'A'} ${address}`,
        ]),
      );
      const now = await writers();
      if (now.length === 1 && now[0] === host) return;
      throw failed(
        `${record} leads to ${now.length === 0 ? 'nobody' : now.join(' and ')} instead of ${host}`,
      );
    },
    async close() {},
  };
}

/** Asks the name server itself, so no cache is between. */
function lookUp({ record, server, port, timeoutMs }: DnsOptions): string {
  const seconds = secondsOf(timeoutMs);
  const argv = [
    'timeout',
    String(seconds),
    'dig',
    '+norecurse',
    '+tcp',
    `+time=${seconds}`,
    '+tries=1',
    '+noall',
  ];
  argv.push('+comments', '+answer', `@${server}`, '-p', String(port), record, 'A', record, 'AAAA');
  return command(argv);
}

function update(options: DnsOptions, lines: readonly string[]): string {
  return updateScript(options, secondsOf(options.timeoutMs), lines);
}

function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
