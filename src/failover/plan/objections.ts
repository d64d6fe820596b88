import { contains, count, isEmpty, subtract, type Gtids } from '../../database/gtid.ts';
import type { RefusalCode } from './refusal-codes.ts';
import { giverFor, losesBacklogAtStart, missingAt } from './holdings.ts';
import { refusal, type Refusal, type RefusalMore } from './refusals.ts';
import { traitsOf } from '../../database/traits.ts';
import { described } from './sessions.ts';
import { isOlder } from '../../database/version.ts';
import { listed } from '../../lib/listed.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering, Instance } from '../cluster/topology.ts';

/**
 * How an instance would become the primary: by a switchover from one that answers, or by a failover from one that is
 * gone.
 */
export type Way = 'switchover' | 'failover';

/** In a failover only what the replicas hold is left, whether the primary is dead or given up. */
export function wayOf(survey: Survey): Way {
  return survey.view.kind === 'writable' || survey.view.kind === 'read-only' ? 'switchover' : 'failover';
}

/** Every reason against this instance as the next primary; empty when it can be promoted. */
export function objections(survey: Survey, instance: Instance, way: Way): readonly Refusal[] {
  const { name } = instance.spec;
  const found: Refusal[] = [];
  const object: Objector = (code, message, remedy, more) => {
    found.push(refusal(code, name, `${name} ${message}`, { remedy, ...more }));
  };
  if (survey.rule(name) === 'must_not') {
    object(
      'MustNotBePromoted',
      'must not become the primary (its rule)',
      `\`failover set-rule ${name} neutral\``,
    );
  }
  if (instance.kind === 'silent' && instance.silence.kind === 'unsupported') {
    object('UnsupportedServer', instance.silence.message, 'promote another instance');
    return found;
  }
  if (instance.kind === 'silent') {
    object(
      'UnreachableCandidate',
      `does not answer: ${instance.silence.message}`,
      survey.topology.memory.fenced?.includes(name)
        ? `promote another instance; it was fenced, and \`failover rejoin ${name}\` brings it back`
        : 'promote another instance',
    );
    return found;
  }
  const { state } = instance;
  if (!state.gtidMode) {
    const { gtidVariable } = traitsOf(state.version.flavour);
    object(
      'GtidsOff',
      `has no order of transactions to go by: ${gtidVariable} is not ON`,
      `turn ${gtidVariable} on: \`provision up\``,
    );
  }
  if (state.offlineMode) {
    object(
      'OfflineCandidate',
      'is in offline mode: ordinary clients could not connect',
      `\`SET GLOBAL offline_mode = OFF\` on ${name}, or promote another instance`,
      { forceable: true },
    );
  }
  if (!state.logBin) {
    object(
      'NoBinaryLog',
      'writes no binary log, so nobody could follow it',
      'turn log_bin on: `provision up`',
    );
  } else if (!state.logReplicaUpdates) {
    object(
      'NoReplicaUpdatesInLog',
      'does not log what it replicated, so nobody could follow it',
      'turn log_replica_updates on: `provision up`',
    );
  }
  if (state.otherChannels.length > 0) {
    object(
      'SeveralChannels',
      `replicates by more channels: ${listed(state.otherChannels)}`,
      'remove them first',
    );
  }
  const errant = survey.errant(instance);
  if (!isEmpty(errant)) {
    object(
      'ErrantTransactions',
      `has ${count(errant)} transactions that the primary never had`,
      `\`failover errant ${name}\` shows them; \`failover rejoin ${name} --clone\` removes them`,
      { forceable: true, details: [errant.toString()] },
    );
  }
  const { replication } = state;
  if (replication !== undefined && replication.delaySeconds > 0) {
    object(
      'DelayedCandidate',
      `applies ${replication.delaySeconds} s late on purpose`,
      'promote another instance',
    );
  }
  if (replication !== undefined && replication.filters.length > 0) {
    object('FilteredCandidate', 'leaves transactions out (replication filters)', 'promote another instance', {
      forceable: true,
      details: replication.filters,
    });
  }
  if (way === 'switchover') objectToSwitchover(survey, instance, object);
  else objectToFailover(survey, instance, object);
  objectToOthers(survey, instance, way, object);
  return found;
}

type Objector = <const Code extends RefusalCode>(
  code: Code,
  message: string,
  remedy: string,
  more?: RefusalMore<Code>,
) => void;

function objectToSwitchover(survey: Survey, { spec, state }: Answering, object: Objector): void {
  const { replication } = state;
  const link = survey.links.get(spec.name);
  const error = replication?.receiverError ?? replication?.applierError;
  const why = error ? `: ${error.code} ${error.message}` : '';
  if (replication === undefined || link === undefined) {
    object('NotAReplica', 'follows nobody', `\`failover rejoin ${spec.name}\``);
    return;
  }
  if (link.source !== survey.primary) {
    object(
      'NotAReplicaOfThePrimary',
      `follows ${link.source?.spec.name ?? link.address}`,
      `\`failover relocate ${spec.name} ${survey.primary?.spec.name ?? ''}\``,
    );
  }
  if (replication.receiver !== 'on') {
    object(
      'ReceiverStopped',
      `${replication.receiver === 'off' ? 'does not receive' : 'cannot connect to its source'}${why}`,
      'see the error, start it, or promote another instance',
    );
  } else if (link.state === 'seeks') {
    object(
      'ReceiverStopped',
      `has heard nothing of ${link.source?.spec.name ?? link.address} for ${((replication.silentMs ?? 0) / 1000).toFixed(1)} s, although its receiver runs`,
      `see to the network between them (port ${link.source?.spec.port ?? replication.sourcePort}), or promote another instance`,
    );
  }
  if (replication.applier !== 'on') {
    object('ApplierStopped', `does not apply${why}`, 'see the error, start it, or promote another instance');
  }
  const [holder] = state.lockHolders;
  if (holder !== undefined) {
    object(
      'BlockedCandidate',
      `cannot apply while session ${holder.id} (${holder.user} from ${holder.host}) holds its locks`,
      `end it (\`KILL ${holder.id}\` on ${spec.name}), or promote another instance; \`--end-sessions\` ends it`,
      {
        forceable: true,
        details: state.lockHolders.map(described),
      },
    );
  }
  if ((replication.lagSeconds ?? 0) > survey.settings.lagLimitSeconds) {
    object(
      'LaggingCandidate',
      `lags ${replication.lagSeconds} s behind`,
      'wait until it has caught up, or promote another instance',
      { forceable: true },
    );
  }
}

function objectToFailover(survey: Survey, instance: Answering, object: Objector): void {
  const { replication } = instance.state;
  if (replication?.applier === 'off' && replication.applierError && !isEmpty(replication.backlog)) {
    object(
      'ApplierStopped',
      `has received ${count(replication.backlog)} transactions that it cannot apply: ${replication.applierError.code} ${replication.applierError.message}`,
      'promote another instance, or see to the error and start the applier',
      { details: [replication.backlog.toString()] },
    );
  }
  const limit = survey.settings.maxPromotionLagSeconds;
  const lag = replication === undefined || isEmpty(replication.backlog) ? 0 : (replication.lagSeconds ?? 0);
  if (limit > 0 && lag >= limit) {
    object(
      'LaggingCandidate',
      `lags ${lag} s behind, and may lag less than ${limit} s (failover_max_promotion_lag_seconds)`,
      'bring the old primary back, wait until it has applied what it has received, or promote another instance',
      { forceable: true },
    );
  }
  if (losesBacklogAtStart(instance)) {
    object(
      'BacklogWouldBeDeleted',
      'has received transactions and neither receives nor applies; MariaDB deletes its relay log when it starts again',
      'promote another instance; or there, before anything is started: `CHANGE MASTER TO MASTER_USE_GTID=no; START SLAVE SQL_THREAD`',
      { details: [replication?.backlog.toString() ?? ''] },
    );
  }
  const missing = missingAt(survey, instance);
  if (isEmpty(missing)) return;
  const others = survey.others.filter((other) => other !== instance);
  const isGiven = giverFor(survey, instance) !== undefined;
  const extra = onlyAt(survey, instance, others);
  if (!isEmpty(extra)) {
    object(
      'SplitBrain',
      'and others have each what the other has not: their histories are no longer one',
      'decide which history to keep, and name an instance that has it',
      {
        forceable: true,
        details: [
          `only ${instance.spec.name}: ${extra.toString()}`,
          ...others
            .map((other) => ({ other, only: subtract(survey.holds(other), survey.holds(instance)) }))
            .filter(({ only }) => !isEmpty(only))
            .map(({ other, only }) => `only ${other.spec.name}: ${only.toString()}`),
        ],
      },
    );
  } else if (!isGiven) {
    object(
      'CannotCatchUp',
      `lacks ${count(missing)} transactions that no other instance could give it`,
      'promote the instance that has them',
      { forceable: true, details: [missing.toString()] },
    );
  }
}

/** The instances that would follow the new primary. A primary that is given up comes back by a plan of its own. */
function objectToOthers(survey: Survey, instance: Answering, way: Way, object: Objector): void {
  const rest = survey.topology.instances.filter(
    (other): other is Answering =>
      other.kind === 'answering' && other !== instance && (way === 'switchover' || other !== survey.primary),
  );
  const needy = rest.filter(
    (other) =>
      !servesFrom(survey, instance, other) &&
      rest.some((primary) => primary !== other && servesFrom(survey, primary, other)),
  );
  if (needy.length > 0) {
    object(
      'PurgedTransactions',
      `has purged transactions that ${listed(namesOf(needy))} would need`,
      `\`failover rejoin ${needy[0]?.spec.name} --clone\` first, or promote another instance`,
      { forceable: true },
    );
  }
  const older = rest.filter((other) => isOlder(other.state.version, instance.state.version));
  if (older.length > 0) {
    object(
      'NewerThanOthers',
      `runs ${instance.state.version.text}, newer than ${listed(namesOf(older))}, which might not understand it`,
      'upgrade the replicas first, or promote one of the older ones',
      { forceable: true },
    );
  }
}

function onlyAt(survey: Survey, instance: Answering, others: readonly Answering[]): Gtids {
  let rest = survey.holds(instance);
  for (const other of others) {
    if (isEmpty(rest)) return rest;
    rest = subtract(rest, survey.holds(other));
  }
  return rest;
}

/** Whether the binary log of this instance still has every transaction that the follower lacks. */
function servesFrom(survey: Survey, primary: Answering, follower: Answering): boolean {
  return contains(survey.holds(follower), primary.state.purged);
}
