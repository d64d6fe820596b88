import { listed } from '../lib/listed.ts';
import type { StoreMember } from './member.ts';

/** Something that is wrong with the store of sessions, and what to do about it. */
export interface StoreProblem {
  readonly code: StoreProblemCode;
  readonly severity: 'critical' | 'warning';
  readonly host: string | undefined;
  readonly message: string;
  readonly remedy: string;
}

export type StoreProblemCode = (typeof ROWS)[number]['code'];

interface Row<Code extends string> {
  readonly code: Code;
  readonly severity: StoreProblem['severity'];
  /** For the documentation: what it means, in one sentence. */
  readonly description: string;
  readonly find: (members: readonly StoreMember[]) => readonly Pick<StoreProblem, 'host' | 'message'>[];
  readonly remedy: string;
}

const row = <const Code extends string>(one: Row<Code>): Row<Code> => one;

/** Memory that is used up to this share of what there is counts as full soon. */
const NEARLY_FULL = 0.9;
/** A replica that has said nothing for this time is no replica to rely on, in seconds. */
const LAG_SECONDS = 10;

/** What can be wrong with the store, the most urgent first. */
export const ROWS = [
  row({
    code: 'NoSessionPrimary',
    severity: 'critical',
    description: 'No Valkey takes sessions.',
    find: (members) =>
      primariesOf(members).length > 0
        ? []
        : [{ host: undefined, message: 'no Valkey says that it is the primary' }],
    remedy:
      'the Sentinels choose one within seconds when most of them reach each other; see `journalctl -u valkey-sentinel` on the servers',
  }),
  row({
    code: 'SeveralSessionPrimaries',
    severity: 'critical',
    description: 'Several Valkeys take themselves for the primary.',
    find: (members) => {
      const hosts = primariesOf(members).map(({ host }) => host);
      return hosts.length < 2
        ? []
        : [{ host: undefined, message: `${listed(hosts)} say that they are the primary` }];
    },
    remedy:
      'one that came back is made a replica by the Sentinels within some ten seconds; until then it takes no writes, for nobody follows it',
  }),
  row({
    code: 'SentinelsWithoutQuorum',
    severity: 'critical',
    description: 'Too few Sentinels reach each other to replace a primary that dies.',
    find: (members) => {
      const answering = members.filter(({ sentinel }) => sentinel !== undefined);
      return answering.some(({ sentinel }) => sentinel?.hasQuorum)
        ? []
        : [
            {
              host: undefined,
              message: `${answering.length} of ${members.length} Sentinels answer, and none has a majority`,
            },
          ];
    },
    remedy: 'start valkey-sentinel on more of the servers',
  }),
  row({
    code: 'SentinelsDisagree',
    severity: 'warning',
    description: 'Sentinels take different servers for the primary.',
    find: (members) => {
      const named = new Set(members.flatMap(({ sentinel }) => sentinel?.primary ?? []));
      return named.size < 2
        ? []
        : [{ host: undefined, message: `the Sentinels name ${listed([...named])} as the primary` }];
    },
    remedy:
      'right after a failover that passes within seconds; else restart the valkey-sentinel that is wrong',
  }),
  row({
    code: 'SessionHostSilent',
    severity: 'warning',
    description: 'A host of the store is not reached.',
    find: (members) =>
      members.flatMap(({ host, silence }) => (silence === undefined ? [] : [{ host, message: silence }])),
    remedy: '`provision doctor` tries each host',
  }),
  row({
    code: 'ValkeyDown',
    severity: 'warning',
    description: 'A Valkey does not answer on its host.',
    find: (members) =>
      members
        .filter(({ silence, server }) => silence === undefined && server === undefined)
        .map(({ host }) => ({ host, message: 'Valkey does not answer' })),
    remedy: 'see `systemctl status valkey-server` there',
  }),
  row({
    code: 'SentinelDown',
    severity: 'warning',
    description: 'A Sentinel does not answer on its host.',
    find: (members) =>
      members
        .filter(({ silence, sentinel }) => silence === undefined && sentinel === undefined)
        .map(({ host }) => ({ host, message: 'Sentinel does not answer' })),
    remedy: 'see `systemctl status valkey-sentinel` there',
  }),
  row({
    code: 'SessionReplicaStopped',
    severity: 'warning',
    description: 'A replica of the store has no connection to its primary.',
    find: (members) =>
      members
        .filter(({ server }) => server?.follows?.isUp === false)
        .map(({ host, server }) => ({
          host,
          message: `it has no connection to its primary, ${server?.follows?.address}`,
        })),
    remedy: 'see `journalctl -u valkey-server` there; it copies everything anew when it is connected',
  }),
  row({
    code: 'SessionReplicaLags',
    severity: 'warning',
    description: 'A replica of the store has not said for long how far it is.',
    find: (members) =>
      primariesOf(members).flatMap(({ server }) =>
        (server?.followers ?? [])
          .filter(({ online, lagSeconds }) => !online || lagSeconds > LAG_SECONDS)
          .map(({ address, online, lagSeconds }) => ({
            host: members.find((member) => member.address === address)?.host,
            message: online ? `it was heard last ${lagSeconds} s ago` : 'it is still copying',
          })),
      ),
    remedy: 'what it lacks is lost when the primary dies now; look at its load and network',
  }),
  row({
    code: 'SessionMemoryFull',
    severity: 'warning',
    description: 'The store has hardly any memory left, and forgets sessions before their end.',
    find: (members) =>
      primariesOf(members)
        .filter(({ server }) => server !== undefined && server.usedBytes > NEARLY_FULL * server.maxBytes)
        .filter(({ server }) => server?.maxBytes !== 0)
        .map(({ host, server }) => ({
          host,
          message: `${megabytes(server?.usedBytes)} of ${megabytes(server?.maxBytes)} MB are used`,
        })),
    remedy: 'raise valkey_memory_mb',
  }),
] as const;

/** What is wrong with the store, the most urgent first. */
export function storeProblems(members: readonly StoreMember[]): readonly StoreProblem[] {
  return ROWS.flatMap(({ code, severity, find, remedy }) =>
    find(members).map((found) => ({ code, severity, remedy, ...found })),
  );
}

/** The members that say that they are the primary. */
export function primariesOf(members: readonly StoreMember[]): readonly StoreMember[] {
  return members.filter(({ server }) => server?.role === 'primary');
}

function megabytes(bytes = 0): number {
  return Math.round(bytes / 1048576);
}
