import { described } from '../plan/sessions.ts';
import { traitsOf } from '../../database/traits.ts';
import { isOlder } from '../../database/version.ts';
import { listed } from '../../lib/listed.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';
import { when, type Finding, type Row } from './row.ts';

/** Settings that differ between the instances, or are missing on one, and would harm the next failover. */
export const CONFIGURATION_ROWS = [
  {
    code: 'UnsupportedServer',
    description:
      'An instance is a member of a group that elects its own primary, a managed service, another product or too old: it is left alone by every command and by the watch.',
    severity: 'critical',
    find: ({ topology }) =>
      topology.instances.flatMap((instance) =>
        when(instance.kind === 'silent' && instance.silence.kind === 'unsupported', () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} ${instance.kind === 'silent' ? instance.silence.message : ''}`,
        })),
      ),
    remedy: ({ instance }) =>
      `take ${instance} out of the inventory's group of databases, or upgrade it when it is only too old; nothing here changes it`,
  },
  {
    code: 'PreparedTransactions',
    description:
      'XA transactions are prepared and nobody ends them: they hold their row locks, also on the next primary.',
    severity: 'warning',
    find: (survey) =>
      answering(survey).flatMap((instance) => {
        const prepared = instance.state.preparedTransactions;
        if (prepared === undefined || instance.state.readOnly) return [];
        const { names, seconds } = prepared;
        return [
          {
            instance: instance.spec.name,
            message: `${instance.spec.name} has ${names === undefined ? 'transactions (the account may not list them, for want of XA_RECOVER_ADMIN)' : `${names.length} ${names.length === 1 ? 'transaction' : 'transactions'}`} prepared for up to ${seconds} s without a session${names === undefined ? '' : `: ${listed(names)}`}`,
          },
        ];
      }),
    remedy: ({ instance }) =>
      `their coordinator ends them; when it is gone for good, XA COMMIT or XA ROLLBACK with the name at ${instance}, or \`failover promote --end-xa XID=rollback\` in a switchover`,
  },
  {
    code: 'SessionsHoldLocks',
    description:
      'Sessions hold locks of whole tables, or of the whole server, for long: an applier waits for them, and so does a switchover when the primary’s tables are locked for writing.',
    severity: 'notice',
    find: (survey) =>
      answering(survey).flatMap(({ spec, state }) => {
        const { longTransactionSeconds } = survey.settings;
        const held = state.lockHolders.filter(
          ({ holds, seconds }) => holds !== 'awaited' && seconds >= longTransactionSeconds,
        );
        if (held.length === 0) return [];
        return [{ instance: spec.name, message: `on ${spec.name} ${held.map(described).join('; ')}` }];
      }),
    remedy: ({ instance }) =>
      `wait until they have ended, or KILL them on ${instance}; in a switchover \`failover promote --end-sessions\` does so`,
  },
  {
    code: 'DuplicateServerId',
    description: 'Two instances have the same server_id: one of them gets no transactions.',
    severity: 'critical',
    find: (survey) => duplicates(survey, (instance) => String(instance.state.serverId), 'server_id'),
    remedy: () => 'give each its own: `provision up`',
  },
  {
    code: 'DuplicateServerUuid',
    description: 'Two instances have the same server_uuid: one was copied together with its auto.cnf.',
    severity: 'critical',
    find: (survey) => duplicates(survey, (instance) => instance.state.uuid, 'server_uuid'),
    remedy: () => 'stop one of them, delete its auto.cnf, start it',
  },
  {
    code: 'MixedFlavours',
    description: 'MySQL and MariaDB cannot be replicas of each other with GTIDs.',
    severity: 'critical',
    find: (survey) =>
      unequal(survey, (instance) => instance.state.version.flavour, 'run different databases'),
    remedy: () => 'a cluster is of one flavour: `provision up`',
  },
  {
    code: 'DifferentGtidModes',
    description: 'GTIDs are on at some instances and off at others.',
    severity: 'critical',
    find: (survey) =>
      unequal(
        survey,
        (instance) => (instance.state.gtidMode ? 'on' : 'off'),
        `differ in ${gtidVariable(answering(survey)[0])}`,
      ),
    remedy: (_, survey) => `turn ${gtidVariable(answering(survey)[0])} on everywhere: \`provision up\``,
  },
  {
    code: 'GtidsOff',
    description: 'GTIDs are off everywhere: nothing can be promoted.',
    severity: 'critical',
    find: (survey) => {
      const all = answering(survey);
      return when(all.length > 0 && all.every((instance) => !instance.state.gtidMode), () => ({
        message: `${gtidVariable(all[0])} is off on every instance`,
      }));
    },
    remedy: (_, survey) => `turn ${gtidVariable(answering(survey)[0])} on everywhere: \`provision up\``,
  },
  {
    code: 'NoBinaryLog',
    description: 'An instance writes no binary log, so nobody could follow it.',
    severity: 'warning',
    find: (survey) =>
      answering(survey)
        .filter((instance) => !instance.state.logBin)
        .map((instance) => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} writes no binary log`,
        })),
    remedy: ({ instance }) => `turn log_bin on at ${instance}, or \`failover set-rule ${instance} must_not\``,
  },
  {
    code: 'NoReplicaUpdatesInLog',
    description: 'An instance does not log what it replicates, so nobody could follow it.',
    severity: 'warning',
    find: (survey) =>
      answering(survey)
        .filter((instance) => instance.state.logBin && !instance.state.logReplicaUpdates)
        .map((instance) => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} does not log what it replicates (log_replica_updates)`,
        })),
    remedy: ({ instance }) =>
      `turn log_replica_updates on at ${instance}, or \`failover set-rule ${instance} must_not\``,
  },
  {
    code: 'DifferentBinlogFormats',
    description:
      'Instances log statements here and rows there: a replica may apply something else than was written.',
    severity: 'warning',
    find: (survey) =>
      unequal(
        survey,
        (instance) => (instance.state.logBin ? instance.state.binlogFormat.toUpperCase() : undefined),
        'differ in binlog_format',
      ),
    remedy: () => 'ROW everywhere: `provision up`',
  },
  {
    code: 'ReplicaWithoutSuperReadOnly',
    description:
      'A replica of MySQL is read-only for ordinary accounts only: an administrator who writes there makes its history differ.',
    severity: 'warning',
    find: (survey) =>
      survey.others
        .filter(
          ({ state }) =>
            state.version.flavour === 'mysql' &&
            state.readOnly &&
            !state.superReadOnly &&
            state.replication !== undefined &&
            survey.topology.memory.unfinished === undefined,
        )
        .map((instance) => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} is read-only, and not for administrators (super_read_only is off)`,
        })),
    remedy: ({ instance }) =>
      `SET PERSIST super_read_only = ON at ${instance}; \`failover rejoin ${instance}\` does so, too`,
  },
  {
    code: 'PrimaryNewerThanReplica',
    description: 'A replica is older than its primary: it may not understand what it gets.',
    severity: 'warning',
    find: (survey) => {
      const { primary } = survey;
      if (primary?.kind !== 'answering') return [];
      return survey.others
        .filter((instance) => isOlder(instance.state.version, primary.state.version))
        .map((instance) => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} runs ${instance.state.version.text}, older than the primary's ${primary.state.version.text}`,
        }));
    },
    remedy: ({ instance }) => `upgrade ${instance}: replicas first, the primary last`,
  },
  {
    code: 'MixedMajorVersions',
    description: 'The instances are of different releases: only the oldest can be followed by all.',
    severity: 'notice',
    find: (survey) =>
      unequal(
        survey,
        ({ state: { version } }) => `${version.flavour} ${version.major}.${version.minor}`,
        'run different releases',
      ),
    remedy: () => 'finish the upgrade',
  },
  {
    code: 'SeveralChannels',
    description:
      'An instance replicates by more than the default channel: no plan of this tool handles that.',
    severity: 'warning',
    find: (survey) =>
      answering(survey)
        .filter((instance) => instance.state.otherChannels.length > 0)
        .map((instance) => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} has more channels: ${listed(instance.state.otherChannels)}`,
        })),
    remedy: ({ instance }, { primary }) =>
      instance === primary?.spec.name
        ? 'a promotion does not move it (`ExternalChannels`): set it up on the new primary by hand'
        : `\`failover set-rule ${instance} must_not\`, or remove the channel`,
  },
  {
    code: 'NoAutoPosition',
    description: 'A replica follows by file and position, and would not find its place at another source.',
    severity: 'critical',
    recovery: 'repair-replica',
    find: (survey) =>
      survey.others
        .filter((instance) => instance.state.replication?.autoPosition === false)
        .map((instance) => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} follows by file and position`,
        })),
    remedy: ({ instance }) => `the watch makes ${instance} follow by GTID`,
  },
  {
    code: 'ReplicationInTheClear',
    description: 'A replica fetches without TLS.',
    severity: 'notice',
    find: (survey) =>
      survey.others
        .filter((instance) => instance.state.replication?.tls === false)
        .map((instance) => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} replicates without TLS`,
        })),
    remedy: ({ instance }, survey) =>
      `\`failover relocate ${instance} ${survey.primary?.spec.name ?? 'SOURCE'}\` states it again`,
  },
] as const satisfies readonly Row[];

/** Settings that an instance needs to be promoted. */
function gtidVariable(instance: Answering | undefined): string {
  return traitsOf(instance?.state.version.flavour ?? 'mysql').gtidVariable;
}

function answering(survey: Survey): readonly Answering[] {
  return survey.topology.instances.filter((instance): instance is Answering => instance.kind === 'answering');
}

function groups(
  survey: Survey,
  key: (instance: Answering) => string | undefined,
): ReadonlyMap<string, readonly Answering[]> {
  const found = new Map<string, Answering[]>();
  for (const instance of answering(survey)) {
    const value = key(instance);
    if (value === undefined) continue;
    const same = found.get(value);
    if (same) same.push(instance);
    else found.set(value, [instance]);
  }
  return found;
}

function duplicates(survey: Survey, key: (instance: Answering) => string, what: string): readonly Finding[] {
  return [...groups(survey, key)].flatMap(([value, same]) =>
    when(same.length > 1, () => ({
      instance: same.at(-1)?.spec.name,
      message: `${listed(namesOf(same))} have the same ${what}: ${value}`,
    })),
  );
}

function unequal(
  survey: Survey,
  key: (instance: Answering) => string | undefined,
  what: string,
): readonly Finding[] {
  const found = groups(survey, key);
  return when(found.size > 1, () => ({
    message: `the instances ${what}: ${[...found].map(([value, same]) => `${value} on ${listed(namesOf(same))}`).join('; ')}`,
  }));
}
