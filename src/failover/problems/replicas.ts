import { traitsOf } from '../../database/traits.ts';
import { ownLost } from '../cluster/errant.ts';
import { contains, count, isEmpty } from '../../database/gtid.ts';
import { HEARD_MS } from '../cluster/links.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';
import { INTERMEDIATE_ROWS } from './intermediate.ts';
import { isReplicating } from './primary.ts';
import { REPLICA_ACK_ROWS } from './replica-acks.ts';
import { each, when, type Row } from './row.ts';

/** Problems of one replica. The rows of the primary report the consequences of its death. */
export const REPLICA_ROWS = [
  {
    code: 'ReplicaIsWritable',
    description: 'A replica takes writes of its own.',
    severity: 'critical',
    recovery: 'fence',
    evenInDowntime: true,
    find: (survey) =>
      each(survey, (instance) =>
        when(!instance.state.readOnly && !isOneOfSeveral(survey, instance), () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} is a replica and takes writes`,
        })),
      ),
    remedy: ({ instance }) =>
      `the watch makes ${instance} read-only; compare \`failover errant ${instance}\``,
  },
  {
    code: 'ErrantTransactions',
    description: 'An instance has transactions that the primary never had.',
    severity: 'critical',
    find: (survey) =>
      each(survey, (instance) => {
        const errant = survey.errant(instance);
        return when(survey.primary !== undefined && !isEmpty(errant), () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} has ${count(errant)} transactions of its own: ${errant.toString()}`,
        }));
      }),
    remedy: ({ instance = '' }, survey) => {
      const one = survey.instance(instance);
      const mayInject =
        one?.kind === 'answering' && traitsOf(one.state.version.flavour).takesEmptyTransactions;
      return `look at them with \`failover errant ${instance}\`, then \`failover rejoin ${instance} --clone\`${mayInject ? ' or `--inject-empty`' : ''}`;
    },
  },
  {
    code: 'LacksOwnTransactions',
    description:
      'An instance was set back to an older state: it lacks what it wrote itself, and replication never brings that again.',
    severity: 'critical',
    find: (survey) =>
      each(survey, (instance) => {
        const { primary } = survey;
        if (primary?.kind !== 'answering') return [];
        const gone = ownLost(primary, instance);
        return when(!isEmpty(gone), () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} lacks ${count(gone)} transactions that it wrote itself: ${gone.toString()}`,
        }));
      }),
    remedy: ({ instance }) => `\`failover rejoin ${instance} --clone\``,
  },
  {
    code: 'FencedInstance',
    description: 'An instance was fenced: its server is stopped and stays so until it is rejoined.',
    severity: 'warning',
    recovery: 'rejoin',
    find: ({ topology, lostOthers }) =>
      lostOthers
        .filter((instance) => topology.memory.fenced?.includes(instance.spec.name))
        .map((instance) => ({
          instance: instance.spec.name,
          message: topology.memory.stopped?.includes(instance.spec.name)
            ? `${instance.spec.name} was fenced, and stays stopped, as somebody had left it before`
            : `${instance.spec.name} was fenced and waits to be rejoined`,
        })),
    remedy: ({ instance }) => `\`failover rejoin ${instance}\``,
  },
  {
    code: 'UnreachableReplica',
    description: 'An instance that is not the primary does not answer.',
    severity: 'warning',
    find: ({ topology, lostOthers }) =>
      lostOthers
        .filter(
          ({ spec, silence }) =>
            !topology.memory.fenced?.includes(spec.name) && silence.kind !== 'unsupported',
        )
        .map((instance) => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} ${instance.silence.alive ? 'lives, and does not let us in' : 'does not answer'}: ${instance.silence.message}`,
        })),
    remedy: ({ instance }) => `see to ${instance}; it follows again by itself when it comes back`,
  },
  ...INTERMEDIATE_ROWS,
  {
    code: 'NotConnectedToPrimary',
    description: 'An instance follows nobody and is not the primary.',
    severity: 'critical',
    recovery: 'rejoin',
    find: (survey) =>
      each(survey, (instance) =>
        when(
          instance.state.replication === undefined && instance.state.readOnly && survey.primary !== undefined,
          () => ({ instance: instance.spec.name, message: `${instance.spec.name} follows nobody` }),
        ),
      ),
    remedy: ({ instance }) =>
      `\`failover rejoin ${instance}\`; the watch does so when it has nothing of its own`,
  },
  {
    code: 'ConnectedToWrongPrimary',
    description: 'A replica follows an instance that is neither the primary nor below it.',
    severity: 'critical',
    recovery: 'repair-replica',
    find: (survey) =>
      each(survey, (instance) => {
        const link = survey.links.get(instance.spec.name);
        return when(
          link !== undefined && primaryLives(survey) && !mayLeadToPrimary(survey, instance),
          () => ({
            instance: instance.spec.name,
            message: `${instance.spec.name} follows ${link?.source?.spec.name ?? link?.address}, and the primary is ${survey.primary?.spec.name}`,
          }),
        );
      }),
    remedy: ({ instance }, { primary }) =>
      `the watch points it at the primary; by hand: \`failover relocate ${instance} ${primary?.spec.name}\``,
  },
  {
    code: 'ReplicationStopped',
    description: 'A replica does not fetch, or does not apply.',
    severity: 'critical',
    recovery: 'repair-replica',
    find: (survey) =>
      each(survey, (instance) => {
        const { replication } = instance.state;
        if (replication === undefined || survey.topology.memory.unfinished) return [];
        const stopped = [
          ...(replication.receiver === 'off' ? ['receiver'] : []),
          ...(replication.applier === 'off' ? ['applier'] : []),
        ];
        const error = replication.applierError ?? replication.receiverError;
        return when(stopped.length > 0, () => ({
          instance: instance.spec.name,
          message: `the ${stopped.join(' and the ')} of ${instance.spec.name} ${stopped.length === 1 ? 'has' : 'have'} stopped${error ? `: ${error.code} ${error.message}` : ''}`,
        }));
      }),
    remedy: ({ instance }) =>
      `the watch starts it when no error stopped it; otherwise see the error, or \`failover rejoin ${instance} --clone\``,
  },
  {
    code: 'FirstTierReplicaFailingToConnectToPrimary',
    description: 'A replica tries to reach the primary, which answers us, and cannot.',
    severity: 'critical',
    find: (survey) =>
      each(survey, (instance) => {
        const { replication } = instance.state;
        const error = replication?.receiverError;
        return when(replication?.receiver === 'connecting' && followsAnswering(survey, instance), () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} cannot connect to its source${error ? `: ${error.code} ${error.message}` : ''}`,
        }));
      }),
    remedy: ({ instance }) =>
      `check the network between ${instance} and its source, and the replication account`,
  },
  {
    code: 'ReplicaStale',
    description: 'A replica counts as connected and hears nothing, not even a heartbeat.',
    severity: 'warning',
    find: (survey) =>
      each(survey, (instance) => {
        const { replication } = instance.state;
        return when(
          replication?.receiver === 'on' &&
            (replication.silentMs ?? 0) >= HEARD_MS &&
            followsAnswering(survey, instance),
          () => ({
            instance: instance.spec.name,
            message: `${instance.spec.name} has heard nothing of its source for ${Math.round((replication?.silentMs ?? 0) / 1000)} s`,
          }),
        );
      }),
    remedy: ({ instance }) => `it connects anew within seconds; if not, check the network of ${instance}`,
  },
  {
    code: 'NeedsPurgedTransactions',
    description: 'A replica needs transactions that the primary has no longer in its binary logs.',
    severity: 'critical',
    find: (survey) =>
      each(survey, (instance) => {
        const { primary } = survey;
        return when(
          primary?.kind === 'answering' && !contains(survey.holds(instance), primary.state.purged),
          () => ({
            instance: instance.spec.name,
            message: `${instance.spec.name} needs transactions that ${primary?.spec.name} has purged`,
          }),
        );
      }),
    remedy: ({ instance }) => `\`failover rejoin ${instance} --clone\``,
  },
  ...REPLICA_ACK_ROWS,
  {
    code: 'ReplicaBelowReplica',
    description:
      'A replica follows another one of the same data centre, and nobody put it there: it acknowledges nothing to the primary.',
    severity: 'warning',
    recovery: 'repair-replica',
    find: (survey) =>
      each(survey, (instance) => {
        const { name, dataCentre } = instance.spec;
        const { memory } = survey.topology;
        const source = survey.links.get(name)?.source;
        return when(
          survey.view.kind === 'writable' &&
            memory.unfinished === undefined &&
            instance.state.readOnly &&
            isReplicating(survey, instance) &&
            source?.kind === 'answering' &&
            source !== survey.primary &&
            mayLeadToPrimary(survey, instance) &&
            dataCentre === survey.primary?.spec.dataCentre &&
            memory.below?.[name] !== source.spec.name,
          () => ({
            instance: name,
            message: `${name} follows ${source?.spec.name}, which is a replica itself, and no operator put it there`,
          }),
        );
      }),
    remedy: ({ instance }, { primary }) =>
      `the watch points it at the primary; by hand: \`failover relocate ${instance} ${primary?.spec.name}\``,
  },
  {
    code: 'ReplicaLagging',
    description: 'A replica applies later than the limit.',
    severity: 'warning',
    find: (survey) =>
      each(survey, (instance) => {
        const { lagSeconds, delaySeconds } = instance.state.replication ?? {
          lagSeconds: undefined,
          delaySeconds: 0,
        };
        return when(
          lagSeconds !== undefined && lagSeconds - delaySeconds > survey.settings.lagLimitSeconds,
          () => ({
            instance: instance.spec.name,
            message: `${instance.spec.name} lags ${lagSeconds} s behind`,
          }),
        );
      }),
    remedy: ({ instance }) => `see what ${instance} is busy with; it cannot be promoted quickly`,
  },
  {
    code: 'ReplicaDelayed',
    description: 'A replica applies later on purpose, and is no candidate.',
    severity: 'notice',
    find: (survey) =>
      each(survey, (instance) => {
        const seconds = instance.state.replication?.delaySeconds ?? 0;
        return when(seconds > 0, () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} applies ${seconds} s late on purpose`,
        }));
      }),
    remedy: ({ instance }) => `nothing, if it is meant; \`failover set-rule ${instance} must_not\` says so`,
  },
  {
    code: 'ReplicaFiltered',
    description: 'A replica leaves transactions out, and is no candidate.',
    severity: 'warning',
    find: (survey) =>
      each(survey, (instance) => {
        const filters = instance.state.replication?.filters ?? [];
        return when(filters.length > 0, () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} has replication filters: ${filters.join(', ')}`,
        }));
      }),
    remedy: ({ instance }) => `remove them, or \`failover set-rule ${instance} must_not\``,
  },
] as const satisfies readonly Row[];

/** Those have a row of their own. */
function isOneOfSeveral({ view }: Survey, instance: Answering): boolean {
  return view.kind === 'several' && view.writable.includes(instance);
}

function primaryLives(survey: Survey): boolean {
  return survey.view.kind === 'writable' || survey.view.kind === 'read-only';
}

function followsAnswering(survey: Survey, instance: Answering): boolean {
  return survey.links.get(instance.spec.name)?.source?.kind === 'answering';
}

/**
 * Whether a replica may follow the primary, directly or through other replicas. A silent one may, unless it was
 * fenced.
 */
function mayLeadToPrimary(survey: Survey, instance: Answering): boolean {
  const seen = new Set<string>();
  for (let name: string | undefined = instance.spec.name; name !== undefined && !seen.has(name);) {
    if (name === survey.primary?.spec.name) return true;
    if (survey.instance(name)?.kind === 'silent') return !survey.topology.memory.fenced?.includes(name);
    seen.add(name);
    name = survey.links.get(name)?.source?.spec.name;
  }
  return false;
}
