import type { SshSession } from './session.ts';
import { TransportError } from './transport.ts';

/** SSH connections that one host may need beside its first. More would be a leak, not a need. */
const MOST_SESSIONS = 8;

/** A claim on an SSH connection. */
interface Claim {
  readonly session: Promise<SshSession>;
  release(): void;
}

/** The SSH connections on which one host's channels are opened. */
export interface Channels {
  /** Does `work` on a connection that lets it open its channel. */
  open<T>(work: (session: SshSession) => Promise<T>): Promise<T>;
  release(): void;
}

/**
 * Opens channels on a host's connection, and on further ones (`another`) when its sshd allows no more on one:
 * `MaxSessions` counts within a connection. OpenSSH's own client does likewise when a shared connection is full.
 */
export function channelsOf(host: string, first: Claim, another: (index: number) => Claim): Channels {
  const claims: Claim[] = [first];
  return {
    async open(work) {
      for (let index = 0; ; index++) {
        const isNew = index === claims.length;
        const claim = claims[index] ?? another(index);
        if (isNew) claims.push(claim);
        const session = await claim.session.catch((error: unknown) => {
          claims.splice(claims.indexOf(claim), 1);
          throw error;
        });
        try {
          return await work(session);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          const reason = session.lostReason();
          if (reason !== undefined)
            throw new TransportError(host, { kind: 'lost', reason }, { cause: error });
          // A connection on which nothing else runs and that allows no session: none will.
          if (isNew || index + 1 === MOST_SESSIONS) {
            const said = `sshd refused a session (${(error as Error).message}); see MaxSessions`;
            throw new TransportError(host, { kind: 'shell', reason: said }, { cause: error });
          }
        }
      }
    },
    release() {
      for (const claim of claims) claim.release();
    },
  };
}

/** ssh2 gives the reason (RFC 4254, section 5.1) of a channel that the server did not open. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && typeof (error as Error & { reason?: unknown }).reason === 'number';
}
