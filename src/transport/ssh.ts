import type { ExecOptions } from 'ssh2';

import { sshChannel } from './channel.ts';
import { channelsOf } from './channels.ts';
import { ConnectError } from './dial.ts';
import type { TransportFailure } from './failure.ts';
import { type Attempt, firstOf } from '../lib/first-of.ts';
import { hostConnection } from './host-connection.ts';
import { probeHostKeys, type ShownKeys } from './probe.ts';
import { resolveRoutes } from './route.ts';
import type { SshSession } from './session.ts';
import { sendFile } from './sftp.ts';
import { blaming, idOf, SharedSessions } from './shared-sessions.ts';
import type { SshSettings } from './ssh-settings.ts';
import { type Connection, type HostAddress, type Transport, TransportError } from './transport.ts';

/** sudo may wait for a slow directory service, and for two seconds after a wrong password. */
const SUDO_TIMEOUT_MS = 20_000;
/** A jump host that has not let us in by then may be dead: the next one is tried beside it. */
const JUMP_PATIENCE_MS = 2000;

export interface SshTransportOptions {
  /** Finds the inventory's description of a jump host by its name. */
  readonly hosts?: ((name: string) => HostAddress | undefined) | undefined;
  /** A silent connection counts as lost after this interval, times the count. */
  readonly keepaliveIntervalMs?: number | undefined;
  readonly keepaliveCountMax?: number | undefined;
  /** Where ~/.ssh is. */
  readonly home?: string | undefined;
}

/** What SSH can do besides. */
export interface SshTransport extends Transport {
  /** The keys that a host shows, as far as its jump hosts let it be reached. Trusts nothing and does not log in. */
  hostKeys(host: HostAddress): Promise<ShownKeys>;
}

/** Works on hosts over SSH: one connection a host, jump hosts' connections shared by all that go through them. */
export function sshTransport(options: SshTransportOptions = {}): SshTransport {
  const sessions = new SharedSessions(options);
  const connections = new Set<Connection>();
  /** Jump hosts that did not lead to a host which others led to: the next hosts try them last. */
  const doubtful = new Set<string>();
  let closed = false;
  let connected = 0;

  /** Goes to a host by the first of its routes that leads there, those of doubtful jump hosts last. */
  const byAnyRoute = async <T>(
    host: HostAddress,
    signal: AbortSignal | undefined,
    go: (route: readonly SshSettings[]) => Attempt<T>,
  ): Promise<T> => {
    const jumpsOf = (route: readonly SshSettings[]): string => idOf(route.slice(0, -1));
    const isDoubtful = (route: readonly SshSettings[]): number => (doubtful.has(jumpsOf(route)) ? 1 : 0);
    const routes = resolveRoutes(host, options).toSorted((a, b) => isDoubtful(a) - isDoubtful(b));
    const outcome = await firstOf(
      routes.map((route) => () => go(route)),
      { patienceMs: JUMP_PATIENCE_MS, isFinal: isTheTargets, signal },
    );
    if (outcome.kind === 'failed') throw unreachableBy(host, outcome.errors);
    for (const [index, route] of routes.slice(0, outcome.tried).entries()) {
      if (index === outcome.way) doubtful.delete(jumpsOf(route));
      else doubtful.add(jumpsOf(route));
    }
    return outcome.value;
  };

  const connect = async (host: HostAddress, signal?: AbortSignal): Promise<Connection> => {
    signal?.throwIfAborted();
    if (closed) throw new Error('the transport is closed');
    const { session, leased, route } = await byAnyRoute(host, signal, (route) => {
      const leased = sessions.lease(route);
      return {
        underway: leased.via ?? leased.session,
        result: leased.session.then((session) => ({ session, leased, route })),
        cancel: () => leased.release(),
      };
    });
    // Nobody would close what comes after the end.
    if (closed) {
      leased.release();
      throw new Error('the transport is closed');
    }
    const number = ++connected;
    const channels = channelsOf(host.name, leased, (index) => sessions.lease(route, ` ${number}.${index}`));
    const connection = hostConnection({
      name: host.name,
      user: session.settings.user,
      sudoTimeoutMs: Math.max(SUDO_TIMEOUT_MS, session.settings.connectTimeoutMs),
      lostReason: session.lostReason,
      open: async (commandLine) =>
        await channels.open(async (one) => await openChannel(one, host.name, commandLine)),
      sendFile: async (content, path) =>
        await channels.open(async (one) => await sendFile(one.client, content, path)),
      dial: async (address, port) =>
        await new Promise((resolve, reject) => {
          session.client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
            if (error) reject(error);
            else resolve(channel);
          });
        }),
      // oxlint-disable-next-line require-await -- the interface is asynchronous
      release: async () => {
        connections.delete(connection);
        channels.release();
      },
    });
    connections.add(connection);
    return connection;
  };

  const hostKeys = async (host: HostAddress): Promise<ShownKeys> =>
    await byAnyRoute(host, undefined, (route) => {
      const target = route.at(-1);
      const jump = route.at(-2);
      if (!target) throw new Error('an empty route');
      const leased = jump && sessions.lease(route.slice(0, -1));
      const probe = async () => {
        const session = leased && jump ? await blaming(jump, leased.session) : undefined;
        const via = session && jump && { client: session.client, name: jump.name };
        const shown = await probeHostKeys(target, via);
        if (shown.keys.length > 0) return shown;
        throw new ConnectError({
          kind: 'handshake',
          detail: 'it showed no host key',
          address: target.address,
          port: target.port,
        });
      };
      const result = probe().finally(() => leased?.release());
      return { underway: leased?.session ?? result, result, cancel: () => leased?.release() };
    });

  return {
    connect,
    hostKeys,
    async close() {
      closed = true;
      await Promise.all([...connections].map((connection) => connection.close()));
      sessions.close();
    },
  };
}

/** What the host itself said, and would say by another way too. */
function isTheTargets(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return true;
  const { kind } = error.failure;
  return kind === 'authentication' || kind.startsWith('host-key-');
}

/** The failure that tells most: beyond a jump host that worked, or else of all of them. */
function unreachableBy(host: HostAddress, errors: readonly unknown[]): unknown {
  const failures = errors.filter((error) => error instanceof ConnectError);
  const [first, ...others] = failures;
  if (!first || failures.length < errors.length)
    return errors.find((error) => !(error instanceof ConnectError));
  const beyond = failures.find((error) => error.failure.kind !== 'jump');
  if (beyond) return new TransportError(host.name, beyond.failure, { cause: beyond });
  const failure: TransportFailure =
    first.failure.kind === 'jump' && others.length > 0
      ? { ...first.failure, others: others.map((error) => error.failure) }
      : first.failure;
  return new TransportError(host.name, failure, { cause: first });
}

/** ssh2 says so when sshd does not take the agent (`AllowAgentForwarding no`). */
const AGENT_REFUSED = 'Unable to request agent forwarding';

/** Like ssh, it goes on without the agent where sshd does not take it. */
async function openChannel(session: SshSession, host: string, commandLine: string) {
  const lends = session.settings.forwardedAgent !== undefined;
  const open = async (agentForward: boolean) =>
    await new Promise<ReturnType<typeof sshChannel>>((resolve, reject) => {
      try {
        // ssh2's types know `agentForward` for the connection only.
        session.client.exec(commandLine, { agentForward } as ExecOptions, (error, channel) => {
          if (error) reject(error);
          else resolve(sshChannel(channel));
        });
      } catch (error) {
        const reason = session.lostReason() ?? 'the connection is gone';
        reject(new TransportError(host, { kind: 'lost', reason }, { cause: error }));
      }
    });
  if (!lends) return await open(false);
  return await open(true).catch(async (error: unknown) => {
    if (error instanceof Error && error.message === AGENT_REFUSED) return await open(false);
    throw error;
  });
}
