import { candidatesOf } from '../plan/candidates.ts';
import { objections, wayOf } from '../plan/objections.ts';
import { listed } from '../../lib/listed.ts';
import { abilitiesIn } from '../cluster/abilities.ts';
import { pauseAt, pauseText } from '../cluster/pause.ts';
import type { Survey } from '../cluster/survey.ts';
import type { BalancerView } from '../cluster/topology.ts';
import { when, type Finding, type Row } from './row.ts';

/** Problems outside the instances: balancers, memory, and settings of operators. */
export const SURROUNDING_ROWS = [
  {
    code: 'UnfinishedChange',
    description: 'A change of topology was begun and cut off.',
    severity: 'critical',
    recovery: 'reopen-primary',
    find: ({ topology: { memory } }) =>
      memory.unfinished
        ? [
            {
              instance: memory.unfinished.to,
              message: `a ${memory.unfinished.kind} from ${memory.unfinished.from} to ${memory.unfinished.to} was cut off`,
            },
          ]
        : [],
    remedy: ({ instance }) =>
      `\`failover promote ${instance}\` finishes it or takes it back, whichever is safe; the watch does so by itself`,
  },
  {
    code: 'NoFailoverPossible',
    description: 'No instance could become the primary.',
    severity: 'critical',
    find: (survey) => {
      const way = wayOf(survey);
      const others = survey.topology.instances.filter((instance) => instance !== survey.primary);
      const isPossible = others.some((instance) => objections(survey, instance, way).length === 0);
      return when(survey.others.length > 0 && !isPossible, () => ({
        message: `nobody could be promoted: ${candidatesOf(survey, way)
          .map((candidate) => `${candidate.name} ${candidate.limitation}`)
          .join('; ')}`,
      }));
    },
    remedy: () => '`failover status` shows each reason with its remedy',
  },
  {
    code: 'SilentWriter',
    description:
      'An instance beside the primary does not answer us, and tells every balancer that checks it that it takes writes.',
    severity: 'critical',
    recovery: 'fence',
    evenInDowntime: true,
    find: ({ view, topology, lostOthers }) => {
      // An address or a name leads where it was pointed, and does not say that anybody takes writes there.
      const reachable = topology.balancers.filter(
        (balancer) => balancer.reachable && abilitiesIn(balancer).checks,
      );
      if (view.kind !== 'writable' || reachable.length === 0) return [];
      return lostOthers
        .filter(
          ({ spec, silence }) =>
            silence.kind !== 'unsupported' &&
            topology.memory.fenced?.includes(spec.name) !== true &&
            reachable.every(({ writers }) => writers.length > 1 && writers.includes(spec.host)),
        )
        .map(({ spec, silence }) => ({
          instance: spec.name,
          message: `${spec.name} takes writes beside ${view.primary.spec.name}, and does not answer: ${silence.message}`,
        }));
    },
    remedy: ({ instance }) =>
      `the watch stops mysqld there; by hand: stop it at ${instance}, then \`failover rejoin ${instance}\``,
  },
  {
    code: 'BalancerWritesToTwo',
    description: 'A balancer sends writers to two instances.',
    severity: 'critical',
    recovery: 'repoint-balancer',
    find: (survey) =>
      each(survey, (balancer) =>
        when(balancer.writers.length > 1, () => ({
          message: `${balancer.name} sends writers to ${listed(balancer.writers)}`,
        })),
      ),
    remedy: repoint,
  },
  {
    code: 'BalancerWriterDiffers',
    description: 'A balancer sends writers to another instance than the primary.',
    severity: 'critical',
    recovery: 'repoint-balancer',
    find: (survey) =>
      each(survey, (balancer) => {
        const [writer] = balancer.writers;
        return when(
          survey.view.kind === 'writable' &&
            balancer.writers.length === 1 &&
            writer !== survey.view.primary.spec.host,
          () => ({
            message: `${balancer.name} sends writers to ${writer}, and the primary ${survey.primary?.spec.name} is on ${survey.primary?.spec.host}`,
          }),
        );
      }),
    remedy: repoint,
  },
  {
    code: 'BalancerHasNoWriter',
    description: 'A balancer has no writer although there is a primary.',
    severity: 'critical',
    recovery: 'repoint-balancer',
    find: (survey) =>
      each(survey, (balancer) =>
        when(survey.view.kind === 'writable' && balancer.writers.length === 0, () => ({
          message: `${balancer.name} has no writer, and the primary is ${survey.primary?.spec.name}`,
        })),
      ),
    remedy: repoint,
  },
  {
    code: 'BalancerUnreachable',
    description: 'A balancer does not answer; it finds the writer by its own check.',
    severity: 'warning',
    find: ({ topology }) =>
      topology.balancers
        .filter((balancer) => !balancer.reachable && abilitiesIn(balancer).checks)
        .map((balancer) => ({
          message: `${balancer.name} does not answer${balancer.message ? `: ${balancer.message}` : ''}`,
        })),
    remedy: () => 'see to it; a change of topology goes on without it, since its own check finds the writer',
  },
  {
    code: 'BalancerCannotBeTold',
    description:
      'A way to the primary that has no check of its own does not answer: it could not follow a change.',
    severity: 'critical',
    find: ({ topology }) =>
      topology.balancers
        .filter((balancer) => !balancer.reachable && !abilitiesIn(balancer).checks)
        .map((balancer) => ({
          message: `${balancer.name} does not answer${balancer.message ? `: ${balancer.message}` : ''}`,
        })),
    remedy: () =>
      'see to it: a switchover is taken back while it does not answer, and after a failover its clients stay where they are until the watch reaches it',
  },
  {
    code: 'MemoryDiffers',
    description: 'The servers agree on another primary than the last change made.',
    severity: 'warning',
    find: ({ view, topology: { memory } }) =>
      view.kind === 'writable' &&
      memory.primary !== undefined &&
      memory.primary !== view.primary.spec.name &&
      !memory.unfinished
        ? [
            {
              instance: view.primary.spec.name,
              message: `${view.primary.spec.name} is the primary, and the last change made ${memory.primary} the primary`,
            },
          ]
        : [],
    remedy: () => 'somebody moved it by hand; the next change takes what the servers say',
  },
  {
    code: 'UnacknowledgedRecovery',
    description: 'The last automatic recovery waits for a person to look at it.',
    severity: 'notice',
    find: ({ topology: { memory, at }, settings }) =>
      memory.unacknowledged
        ? [
            {
              message: `the recovery ${memory.unacknowledged.id} was not acknowledged${at - memory.unacknowledged.at < settings.antiFlapMs ? '; until then no other automatic failover' : ''}`,
            },
          ]
        : [],
    remedy: () => '`failover ack`',
  },
  {
    code: 'RecoveriesPaused',
    description: 'The watch only tells, and does nothing.',
    severity: 'notice',
    find: ({ topology: { memory, at } }) => {
      const paused = pauseAt(memory, at);
      return paused ? [{ message: pauseText(paused, at) }] : [];
    },
    remedy: () => '`failover resume`',
  },
  {
    code: 'InDowntime',
    description: 'An instance is in a downtime: its problems are not shown and not repaired.',
    severity: 'notice',
    evenInDowntime: true,
    // One that was removed keeps its downtime for as long as the inventory may still name it.
    find: ({ topology: { memory, at, instances } }) =>
      memory.downtimes
        .filter(({ instance, until }) => until > at && instances.some(({ spec }) => spec.name === instance))
        .map((downtime) => ({
          instance: downtime.instance,
          message: `${downtime.instance} is in a downtime by ${downtime.by} for another ${howLong(downtime.until - at)}: ${downtime.reason}`,
        })),
    remedy: ({ instance }) => `\`failover downtime end ${instance}\``,
  },
] as const satisfies readonly Row[];

/** Finds nothing during a change, whose own steps point the balancers. */
function each(survey: Survey, find: (balancer: BalancerView) => readonly Finding[]): readonly Finding[] {
  if (survey.topology.memory.unfinished) return [];
  return survey.topology.balancers.filter((balancer) => balancer.reachable).flatMap(find);
}

function repoint(): string {
  return 'the watch points it at the primary; by hand: `failover promote` of the primary itself repeats it';
}

function howLong(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  return minutes < 2880 ? `${minutes} minutes` : `${Math.ceil(minutes / 1440)} days`;
}
