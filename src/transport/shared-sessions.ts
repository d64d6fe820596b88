import { limiter } from '../lib/concurrency.ts';
import { hostPort } from '../lib/host-port.ts';
import { keyStore } from './authentication.ts';
import { ConnectError } from './dial.ts';
import { openSession, quicken, type SshSession } from './session.ts';
import type { SshSettings } from './ssh-settings.ts';

/** Logins at a time to one sshd, and through one jump host: below the 10 at which sshd begins to drop some. */
const LOGINS_AT_A_TIME = 8;

/** A shared SSH connection. */
interface Shared {
  readonly session: Promise<SshSession>;
  readonly cancel: AbortController;
  users: number;
  readonly via: Lease | undefined;
}

/** The right to a shared session, until it is released. */
export interface Lease {
  readonly session: Promise<SshSession>;
  /** That of the last jump host. */
  readonly via: Promise<SshSession> | undefined;
  release(): void;
}

export interface KeepaliveOptions {
  readonly keepaliveIntervalMs?: number | undefined;
  readonly keepaliveCountMax?: number | undefined;
}

/** SSH connections by their routes: those of jump hosts are shared by all that go through them. */
export class SharedSessions {
  readonly #shared = new Map<string, Shared>();
  readonly #keys = keyStore();
  readonly #logins = limiter(LOGINS_AT_A_TIME);
  readonly #keepalive: KeepaliveOptions;

  constructor(keepalive: KeepaliveOptions) {
    this.#keepalive = keepalive;
  }

  /** A session to the last host of the route, its jumps connected first; shared by all who give the same `use`. */
  lease(route: readonly SshSettings[], use = ''): Lease {
    const target = route.at(-1);
    if (!target) throw new Error('an empty route');
    const id = `${sessionKey(route)}${use}`;
    const entry = this.#shared.get(id) ?? this.#begin(id, route, target);
    entry.users++;
    let released = false;
    return {
      session: entry.session,
      via: entry.via?.session,
      release: () => {
        if (released) return;
        released = true;
        entry.users--;
        if (entry.users > 0) return;
        this.#forget(id, entry);
        entry.cancel.abort();
        void endWhenOpen(entry);
      },
    };
  }

  /** Gives up those that are still being opened. */
  close(): void {
    for (const entry of this.#shared.values()) entry.cancel.abort();
  }

  #begin(id: string, route: readonly SshSettings[], target: SshSettings): Shared {
    const entry = this.#start(route, target);
    this.#shared.set(id, entry);
    entry.session.then(
      (session) => session.closed.then(() => this.#forget(id, entry)),
      () => {
        this.#forget(id, entry);
        entry.via?.release();
      },
    );
    return entry;
  }

  #forget(id: string, entry: Shared): void {
    if (this.#shared.get(id) === entry) this.#shared.delete(id);
  }

  #start(route: readonly SshSettings[], target: SshSettings): Shared {
    const cancel = new AbortController();
    const jump = route.at(-2);
    const via = jump ? this.lease(route.slice(0, -1)) : undefined;
    const open = async (): Promise<SshSession> => {
      const viaSession = via && jump ? await blaming(jump, via.session) : undefined;
      const places = [hostPort(target.address, target.port), ...(jump ? [`via ${jump.name}`] : [])];
      return await this.#logins(places, () =>
        openSession(target, {
          keys: this.#keys,
          via: viaSession,
          keepaliveIntervalMs: this.#keepalive.keepaliveIntervalMs ?? 5000,
          keepaliveCountMax: this.#keepalive.keepaliveCountMax ?? 3,
          signal: cancel.signal,
        }),
      );
    };
    const session = open();
    session.catch(() => {});
    return { session, cancel, users: 0, via };
  }
}

/**
 * All that decides to which server a session leads and how it is opened: an address alone may be reached by several
 * commands, and shown by several keys. It holds passwords, so it is never shown.
 */
function sessionKey(route: readonly SshSettings[]): string {
  return JSON.stringify(
    route.map((hop) => ({
      ...hop,
      // What the inventory calls the host is no matter of the connection.
      name: undefined,
      password: hop.password?.reveal(),
      passphrase: hop.passphrase?.reveal(),
    })),
  );
}

/** Tells routes apart. */
export function idOf(route: readonly SshSettings[]): string {
  return route.map((hop) => `${hop.user}@${hostPort(hop.address, hop.port)}`).join(' ');
}

/** Says that it was the jump host that failed; of several, the one that did. */
export async function blaming(jump: SshSettings, session: Promise<SshSession>): Promise<SshSession> {
  try {
    const ready = await session;
    quicken(ready);
    return ready;
  } catch (error) {
    if (!(error instanceof ConnectError) || error.failure.kind === 'jump') throw error;
    throw new ConnectError({ kind: 'jump', jump: jump.name, cause: error.failure }, { cause: error });
  }
}

/** A session that failed to open has released its jump host already. */
async function endWhenOpen(entry: Shared): Promise<void> {
  const session = await entry.session.catch(() => undefined);
  if (!session) return;
  session.end();
  entry.via?.release();
}
