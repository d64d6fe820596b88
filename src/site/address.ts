import { EXIT, UserError } from '../lib/errors.ts';
import { command } from '../lib/shell.ts';
import type { Become, Connection } from '../transport/transport.ts';
import { type AddressStatus, parseAddressStatus } from './address-status.ts';

/** One balancer, as far as the site's addresses are handed over. Every method may be repeated. */
export interface AddressBalancer {
  /** Its name in the inventory, by which the other balancers know it, too. */
  readonly name: string;
  addresses(): Promise<AddressStatus>;
  /** For so long, packets of connections that it does not know are passed to the peer; 0 ends that. */
  expect(peer: string, seconds: number): Promise<AddressStatus>;
  /** Gives its addresses to a balancer that works and does not yield itself, until `stay` or a reboot. */
  yieldAddresses(): Promise<AddressStatus>;
  stay(): Promise<AddressStatus>;
  /** Once it holds nothing: ends its clients' connections after what they have asked for, and waits for that. */
  finish(seconds: number, signal?: AbortSignal): Promise<AddressStatus>;
}

const PROGRAM = '/usr/local/sbin/vip-handover';
const TIMEOUT_MS = 10_000;
/** HAProxy's reload comes before the waiting. */
const RELOAD_MS = 60_000;
const NOT_FOUND = 127;

/** The balancer at the other end of a connection, as root: its role has put a program there that does the work. */
export function addressBalancer(connection: Connection, become: Become): AddressBalancer {
  const name = connection.host;
  const run = async (
    argv: readonly string[],
    {
      timeoutMs = TIMEOUT_MS,
      signal,
    }: { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<AddressStatus> => {
    const { status, stdout, stderr, timedOut } = await connection.run(command([PROGRAM, ...argv]), {
      become,
      timeoutMs,
      signal,
    });
    if (status === 0) return parseAddressStatus(name, stdout.toString('utf8'));
    const said = timedOut
      ? `${argv[0]} did not end within ${timeoutMs / 1000} s`
      : stderr
          .toString('utf8')
          .trim()
          .replace(/^vip-handover: /, '');
    throw new UserError(
      status === NOT_FOUND
        ? {
            message: `${name}: there is no ${PROGRAM}`,
            hint: 'the role keepalived installs it: `provision up` first',
          }
        : { message: `${name}: ${said}`, hint: `see journalctl -u vip-handover -u keepalived on ${name}` },
      { exitCode: EXIT.failed },
    );
  };
  return {
    name,
    addresses: async () => await run(['status']),
    expect: async (peer, seconds) => await run(['expect', peer, String(seconds)]),
    yieldAddresses: async () => await run(['yield']),
    stay: async () => await run(['stay']),
    finish: async (seconds, signal) =>
      await run(['finish', String(seconds)], { timeoutMs: seconds * 1000 + RELOAD_MS, signal }),
  };
}
