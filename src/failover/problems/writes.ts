import { listed } from '../../lib/listed.ts';
import { ENDLESS_TIMEOUT_MS, namesOf, type Survey, waitsForEver } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';
import type { ClientThread } from '../../database/state.ts';
import { commitsNotAcknowledged, commitsStuckOnDisk, commitsWithoutDiskSpace } from '../cluster/stalled.ts';
import { traitsOf } from '../../database/traits.ts';
import { strangeAckers } from '../cluster/strangers.ts';
import { giveUpCommand } from './give-up.ts';
import { isReplicating } from './primary.ts';
import { when, type Finding, type Row } from './row.ts';

/** Problems that block writes on a primary that answers, or make them unsafe: semi-sync, its disk, all its replicas. */
export const WRITE_ROWS = [
  {
    code: 'PrimaryDiskFull',
    description: 'Commits on the primary wait for space on its disk.',
    severity: 'critical',
    recovery: 'failover',
    find: (survey) => stalled(survey, commitsWithoutDiskSpace(survey), 'wait for disk space'),
    remedy: ({ instance }, survey) =>
      `make room on ${instance}, or ${giveUpCommand(survey, 'PrimaryStalled')}: what it cannot write cannot be acknowledged`,
  },
  {
    code: 'PrimaryDiskStalled',
    description:
      'The primary answers, but its commits do not come to an end, and no acknowledgement is missing.',
    severity: 'critical',
    recovery: 'failover',
    find: (survey) => stalled(survey, commitsStuckOnDisk(survey), 'stand in their commit'),
    remedy: ({ instance }, survey) =>
      `check the disk of ${instance}, or ${giveUpCommand(survey, 'PrimaryStalled')}`,
  },
  {
    code: 'PrimarySemiSyncBlocked',
    description: 'Commits wait for an acknowledgement although enough replicas could give one.',
    severity: 'critical',
    recovery: 'failover',
    find: (survey) =>
      onPrimary(survey, ({ spec, state }) => {
        const stuck = commitsNotAcknowledged(survey);
        return when(stuck.length > 0, () => ({
          instance: spec.name,
          message: `${stuck.length} commits on ${spec.name} wait for an acknowledgement, the oldest for ${oldest(stuck)} s, although ${state.semiSync.source.ackers} replicas are there to give it`,
        }));
      }),
    remedy: ({ instance }, survey) =>
      `check the replicas' disks and their network to ${instance}; ${giveUpCommand(survey, 'WaitingForAcknowledgement')} moves the primary`,
  },
  {
    code: 'LockedSemiSyncPrimary',
    description: 'Writes stand still: fewer replicas than required are there to acknowledge.',
    severity: 'critical',
    recovery: 'repair-semi-sync',
    find: (survey) =>
      onPrimary(survey, ({ spec, state }) =>
        when(lacksAckers(state.semiSync.source) && state.waitingForAck.length > 0, () => ({
          instance: spec.name,
          message: `${state.waitingForAck.length} commits on ${spec.name} wait, the oldest for ${oldest(state.waitingForAck)} s: ${ackersOf(state.semiSync.source)}`,
        })),
      ),
    remedy: (_, survey) => bringAckers(survey),
  },
  {
    code: 'LockedSemiSyncPrimaryHypothesis',
    description: 'Fewer replicas than required are there to acknowledge; the next write will wait.',
    severity: 'critical',
    recovery: 'repair-semi-sync',
    find: (survey) =>
      onPrimary(survey, ({ spec, state }) =>
        when(lacksAckers(state.semiSync.source) && state.waitingForAck.length === 0, () => ({
          instance: spec.name,
          message: `the next write on ${spec.name} will wait: ${ackersOf(state.semiSync.source)}`,
        })),
      ),
    remedy: (_, survey) => bringAckers(survey),
  },
  {
    code: 'SemiSyncFellBack',
    description:
      'Semi-sync is on and the primary has fallen back to asynchronous: acknowledged writes may be lost.',
    severity: 'critical',
    recovery: 'repair-semi-sync',
    find: (survey) =>
      onPrimary(survey, ({ spec, state: { semiSync } }) =>
        when(semiSync.source.enabled && !semiSync.source.active, () => ({
          instance: spec.name,
          message: `${spec.name} acknowledges writes that no replica has: semi-sync has fallen back to asynchronous (timeout ${semiSync.source.timeoutMs} ms)`,
        })),
      ),
    remedy: ({ instance }) =>
      `raise the semi-sync timeout of ${instance}; the watch turns semi-sync off and on again`,
  },
  {
    code: 'PrimarySemiSyncMustBeSet',
    description: 'The replicas acknowledge, and the primary does not wait for it.',
    severity: 'critical',
    recovery: 'repair-semi-sync',
    find: (survey) =>
      onPrimary(survey, ({ spec, state: { semiSync } }) =>
        when(survey.semiSync.wanted && semiSync.available && !semiSync.source.enabled, () => ({
          instance: spec.name,
          message: `${spec.name} does not wait for acknowledgements, although the replicas would give them`,
        })),
      ),
    remedy: ({ instance }, survey) => `${bringAckers(survey)}, and turns semi-sync on at ${instance} then`,
  },
  {
    code: 'PrimarySemiSyncMustNotBeSet',
    description: 'The primary waits for acknowledgements, and no replica is configured to give any.',
    severity: 'critical',
    find: (survey) =>
      onPrimary(survey, ({ spec, state: { semiSync } }) =>
        when(
          semiSync.source.enabled &&
            survey.others.length > 0 &&
            survey.lostOthers.length === 0 &&
            survey.others.every((instance) => !instance.state.semiSync.replica.enabled),
          () => ({
            instance: spec.name,
            message: `${spec.name} waits for acknowledgements, and no replica is configured to give one`,
          }),
        ),
      ),
    remedy: () => 'turn rpl_semi_sync_replica_enabled on at the replicas: `provision up`',
  },
  {
    code: 'PrimaryWithTooManySemiSyncReplicas',
    description:
      'A replica that the inventory does not know acknowledges: it may be the only one that holds an acknowledged write.',
    severity: 'warning',
    find: (survey) =>
      onPrimary(survey, (primary) => {
        const { spec, state } = primary;
        const strangers = strangeAckers(survey.topology, survey.links, primary);
        return when(strangers.length > 0, () => ({
          instance: spec.name,
          message: `${state.semiSync.source.ackers} replicas acknowledge to ${spec.name}, and the inventory does not know ${listed(strangers)}`,
        }));
      }),
    remedy: () =>
      'take it into the inventory, or turn rpl_semi_sync_replica_enabled off there; until then a failover may need `--force too-few-ackers`',
  },
  {
    code: 'SemiSyncTimeoutFinite',
    description: 'A primary would fall back to asynchronous by itself: then acknowledged writes may be lost.',
    severity: 'warning',
    find: ({ topology }) =>
      topology.instances.flatMap((instance) => {
        if (instance.kind === 'silent' || !instance.state.semiSync.available) return [];
        const { source } = instance.state.semiSync;
        const until =
          source.timeoutMs < ENDLESS_TIMEOUT_MS
            ? `after ${source.timeoutMs} ms`
            : `as soon as too few replicas are connected (${traitsOf(instance.state.version.flavour).waitVariable} = OFF)`;
        return when(!waitsForEver(source), () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} would stop waiting for acknowledgements ${until}`,
        }));
      }),
    remedy: () =>
      '`provision up` lets it wait for as long as it takes, and when no replica is connected, too',
  },
  {
    code: 'NoSemiSync',
    description: 'Nothing acknowledges: a write that the primary accepted is lost when it dies.',
    severity: 'warning',
    find: (survey) =>
      when(!survey.semiSync.wanted && survey.others.length > 0, () => ({
        message: 'semi-sync is off everywhere: a failover may lose writes, and says how many it knows of',
      })),
    remedy: () => 'turn semi-sync on: `provision up`',
  },
  {
    code: 'PrimaryWithoutReplicas',
    description: 'The primary is alone: nothing can be promoted.',
    severity: 'warning',
    find: (survey) =>
      onPrimary(survey, ({ spec }) =>
        when(survey.topology.instances.length === 1, () => ({
          instance: spec.name,
          message: `${spec.name} is the only instance`,
        })),
      ),
    remedy: () => 'add an instance to the inventory and run `provision up`',
  },
  {
    code: 'PrimarySingleReplicaDead',
    description: 'The only replica does not answer.',
    severity: 'critical',
    find: (survey) =>
      asWhole(
        survey,
        survey.others.length === 0 && survey.lostOthers.length === 1,
        'its only replica does not answer',
      ),
    remedy: restartThem,
  },
  {
    code: 'PrimarySingleReplicaNotReplicating',
    description: 'The only replica answers and does not replicate.',
    severity: 'critical',
    recovery: 'repair-replica',
    find: (survey) =>
      asWhole(
        survey,
        survey.lostOthers.length === 0 && survey.others.length === 1 && noneReplicates(survey),
        'its only replica does not replicate',
      ),
    remedy: restartThem,
  },
  {
    code: 'AllPrimaryReplicasDead',
    description: 'The primary answers, and no replica does.',
    severity: 'critical',
    find: (survey) =>
      asWhole(
        survey,
        survey.others.length === 0 && survey.lostOthers.length > 1,
        'none of its replicas answers',
      ),
    remedy: restartThem,
  },
  {
    code: 'AllPrimaryReplicasNotReplicating',
    description: 'All replicas answer and none replicates.',
    severity: 'critical',
    recovery: 'repair-replica',
    find: (survey) =>
      asWhole(
        survey,
        survey.lostOthers.length === 0 && survey.others.length > 1 && noneReplicates(survey),
        'none of its replicas replicates',
      ),
    remedy: restartThem,
  },
  {
    code: 'AllPrimaryReplicasNotReplicatingOrDead',
    description: 'Some replicas do not answer and the others do not replicate.',
    severity: 'critical',
    recovery: 'repair-replica',
    find: (survey) =>
      asWhole(
        survey,
        survey.lostOthers.length > 0 && survey.others.length > 0 && noneReplicates(survey),
        `${listed(namesOf(survey.lostOthers))} ${survey.lostOthers.length === 1 ? 'does' : 'do'} not answer, and no other replica replicates`,
      ),
    remedy: restartThem,
  },
  {
    code: 'NearMaxConnections',
    description: 'An instance has almost as many connections as it may have.',
    severity: 'warning',
    find: ({ topology }) =>
      topology.instances.flatMap((instance) => {
        if (instance.kind === 'silent') return [];
        const { connections, maxConnections } = instance.state;
        return when(maxConnections > 0 && connections >= maxConnections * 0.9, () => ({
          instance: instance.spec.name,
          message: `${instance.spec.name} has ${connections} of at most ${maxConnections} connections`,
        }));
      }),
    remedy: () => 'raise max_connections, or find out who holds them',
  },
] as const satisfies readonly Row[];

function onPrimary(survey: Survey, find: (primary: Answering) => readonly Finding[]): readonly Finding[] {
  return survey.view.kind === 'writable' ? find(survey.view.primary) : [];
}

function stalled(survey: Survey, threads: readonly ClientThread[], what: string): readonly Finding[] {
  return onPrimary(survey, ({ spec }) =>
    when(threads.length > 0, () => ({
      instance: spec.name,
      message: `${threads.length} transactions on ${spec.name} ${what}, the oldest for ${oldest(threads)} s`,
    })),
  );
}

function lacksAckers(source: Answering['state']['semiSync']['source']): boolean {
  return source.enabled && source.active && source.requiredAcks > 0 && source.ackers < source.requiredAcks;
}

function ackersOf(source: Answering['state']['semiSync']['source']): string {
  return `${source.ackers} of ${source.requiredAcks} required replicas acknowledge`;
}

/** What makes each instance acknowledge that could and does not. */
function bringAckers(survey: Survey): string {
  const { links, primary, topology } = survey;
  const ways = topology.instances.flatMap((instance): readonly string[] => {
    const { name } = instance.spec;
    if (instance === primary) return [];
    if (instance.kind === 'silent')
      return [topology.memory.fenced?.includes(name) ? `\`failover rejoin ${name}\`` : `bring ${name} back`];
    const link = links.get(name);
    if (link === undefined) return [`\`failover rejoin ${name}\``];
    return link.source === primary ? [] : [`\`failover relocate ${name} ${primary?.spec.name}\``];
  });
  return [...ways, 'the watch repairs the acknowledgement of those that answer'].join('; ');
}

function oldest(threads: readonly ClientThread[]): number {
  return Math.max(...threads.map((thread) => thread.seconds));
}

function noneReplicates(survey: Survey): boolean {
  return survey.others.every((instance) => !isReplicating(survey, instance));
}

function asWhole(survey: Survey, holds: boolean, what: string): readonly Finding[] {
  return onPrimary(survey, ({ spec }) =>
    when(holds, () => ({ instance: spec.name, message: `${spec.name} answers, but ${what}` })),
  );
}

function restartThem(): string {
  return '`failover status` says why for each; the watch restarts what has stopped without an error';
}
