import { primariesOf, storeProblems } from '../../session-store/problems.ts';
import type { StoreMember } from '../../session-store/member.ts';
import type { SessionStoreJson } from './json-schema.ts';

/** The store of sessions as `failover status --json` shows it. */
export function sessionStoreJson(members: readonly StoreMember[]): SessionStoreJson {
  const primaries = primariesOf(members);
  const followers = primaries.flatMap(({ server }) => server?.followers ?? []);
  return {
    primary: primaries.length === 1 ? (primaries[0]?.host ?? null) : null,
    members: members.map(({ host, address, silence, server, sentinel }) => {
      const follower = followers.find((one) => one.address === address);
      return {
        host,
        address,
        reachable: silence === undefined,
        role: server?.role ?? null,
        version: server?.version ?? null,
        follows: server?.follows?.address ?? null,
        connected: server?.follows?.isUp ?? null,
        behindBytes: follower?.behind ?? null,
        lagSeconds: follower?.lagSeconds ?? null,
        usedBytes: server?.usedBytes ?? null,
        maxBytes: server?.maxBytes ?? null,
        sentinel: sentinel
          ? { primary: sentinel.primary, others: sentinel.others, quorum: sentinel.hasQuorum }
          : null,
      };
    }),
    problems: storeProblems(members).map(({ code, severity, host, message, remedy }) => ({
      code,
      severity,
      host: host ?? null,
      message,
      remedy,
    })),
  };
}
