import { isFollowing } from '../cluster/links.ts';
import type { PrimaryView, Witnesses } from '../cluster/primary.ts';
import { pauseAt } from '../cluster/pause.ts';
import { listed } from '../../lib/listed.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering, Silent } from '../cluster/topology.ts';
import { giveUpCommand } from './give-up.ts';
import { when, type Finding, type Row } from './row.ts';

/** Problems of the primary itself, or of not having exactly one. The first row that holds says most. */
export const PRIMARY_ROWS = [
  {
    code: 'TwoWritablePrimaries',
    description: 'Two or more instances take writes and follow nobody, or a former primary does.',
    severity: 'critical',
    recovery: 'fence',
    evenInDowntime: true,
    find: ({ view, topology }) => {
      if (view.kind !== 'several') return [];
      const all = view.unreachable ? [...view.writable, view.unreachable] : view.writable;
      const wrong = all.filter((instance) => instance !== view.likely);
      return wrong.map((instance) => ({
        instance: instance.spec.name,
        message: `${listed(namesOf(all))} ${all.length === 1 ? 'takes' : 'take'} writes${rightOne(view.likely, topology.memory.primary)}`,
      }));
    },
    remedy: ({ instance }, { view, topology }) => {
      if (view.kind !== 'several' || !view.likely)
        return 'decide which one is right, make the other one read-only, then `failover rejoin` it';
      return pauseAt(topology.memory, topology.at)
        ? `\`failover rejoin ${instance}\`: the watch leaves it, since recoveries are paused`
        : `the watch makes ${instance} read-only; by hand: \`failover rejoin ${instance}\``;
    },
  },
  {
    code: 'DeadPrimaryWithoutReplicas',
    description: 'The primary does not answer, and the cluster has no other instance.',
    severity: 'critical',
    find: ({ view, topology }) =>
      when(topology.instances.length === 1 && (view.kind === 'dead' || view.kind === 'unknown'), () =>
        silence(view, 'does not answer, and there is no other instance'),
      ),
    remedy: ({ instance }) => `start ${instance}, or restore it from a backup`,
  },
  {
    code: 'DeadPrimaryAndReplicas',
    description: 'Neither the primary nor any replica answers: it may be us who are cut off.',
    severity: 'critical',
    find: ({ view, topology }) =>
      when(view.kind === 'unknown' && topology.instances.length > 1, () =>
        silence(view, 'does not answer, and neither does any replica; it may be us who are cut off'),
      ),
    remedy: () => 'check the network between here and the instances; without a witness nothing is promoted',
  },
  {
    code: 'DeadPrimaryAndSomeReplicas',
    description: 'The primary does not answer, nor do some replicas; those that answer do not hear of it.',
    severity: 'critical',
    recovery: 'failover',
    find: ({ view }) =>
      view.kind === 'dead' && view.witnesses.silent.length > 0
        ? [
            silence(
              view,
              `does not answer, and neither does ${listed(view.witnesses.silent)}; ${witness(view.witnesses)}`,
            ),
          ]
        : [],
    remedy: promote,
  },
  {
    code: 'DeadPrimary',
    description: 'The primary does not answer, and none of its replicas hears of it.',
    severity: 'critical',
    recovery: 'failover',
    find: ({ view }) =>
      view.kind === 'dead' && view.witnesses.silent.length === 0
        ? [silence(view, `does not answer; ${witness(view.witnesses)}`)]
        : [],
    remedy: promote,
  },
  {
    code: 'OverloadedPrimary',
    description:
      'The primary has no room for connections: it lives. It is given up when nothing of it reaches a replica for as long as commits may stand still.',
    severity: 'critical',
    recovery: 'failover',
    find: ({ view }) =>
      view.kind === 'overloaded' && view.primary.silence.kind === 'too-many-connections'
        ? [silence(view, `lives, and lets nobody in: ${view.primary.silence.message}`)]
        : [],
    remedy: ({ instance }, survey) =>
      `end sessions on ${instance}; overload is not death, so the watch waits until nothing comes from it any more; ${giveUpCommand(survey, 'PrimaryIsAlive')} does not wait`,
  },
  {
    code: 'PrimaryRefusesUs',
    description: 'The primary answers, but not what it was asked: it lives, and no promotion follows.',
    severity: 'critical',
    find: ({ view }) =>
      view.kind === 'overloaded' &&
      !['starting', 'too-many-connections', 'unsupported'].includes(view.primary.silence.kind)
        ? [
            silence(
              view,
              `lives, and ${view.primary.silence.kind === 'denied' ? 'does not let us in' : 'does not tell its state'}: ${view.primary.silence.message}`,
            ),
          ]
        : [],
    remedy: ({ instance }, survey) => {
      const { view } = survey;
      const isDenied = view.kind === 'overloaded' && view.primary.silence.kind === 'denied';
      return `see to ${isDenied ? `our account on ${instance}` : `what keeps ${instance} from answering`}; it is not dead, so only ${giveUpCommand(survey, 'PrimaryIsAlive')} moves the primary`;
    },
  },
  {
    code: 'PrimaryStarting',
    description: 'The primary has been restarted and is not ready yet.',
    severity: 'critical',
    find: ({ view }) =>
      view.kind === 'overloaded' && view.primary.silence.kind === 'starting'
        ? [silence(view, 'is starting')]
        : [],
    remedy: ({ instance }, survey) =>
      `wait: ${instance} starts read-only and is opened again when it has everything; ${giveUpCommand(survey, 'PrimaryIsAlive')} does not wait`,
  },
  {
    code: 'UnreachablePrimaryWithLaggingReplicas',
    description: 'We cannot reach the primary, and all replicas that hear of it lag.',
    severity: 'critical',
    find: (survey) =>
      when(survey.view.kind === 'unreachable' && allLag(survey), () =>
        silence(
          survey.view,
          'cannot be reached from here, and all replicas lag: it may be overloaded, or its network bad',
        ),
      ),
    remedy: unreachableRemedy,
  },
  {
    code: 'UnreachablePrimaryWithBrokenReplicas',
    description: 'We cannot reach the primary; some replicas hear of it, others do not.',
    severity: 'critical',
    find: (survey) =>
      survey.view.kind === 'unreachable' && survey.view.witnesses.cutOff.length > 0 && !allLag(survey)
        ? [
            silence(
              survey.view,
              `cannot be reached from here or from ${listed(survey.view.witnesses.cutOff)}, but ${listed(survey.view.witnesses.connected)} can`,
            ),
          ]
        : [],
    remedy: unreachableRemedy,
  },
  {
    code: 'UnreachablePrimary',
    description: 'We cannot reach the primary, but its replicas can: a matter of our network.',
    severity: 'critical',
    find: (survey) =>
      survey.view.kind === 'unreachable' && survey.view.witnesses.cutOff.length === 0 && !allLag(survey)
        ? [
            silence(
              survey.view,
              `cannot be reached from here, but ${listed(survey.view.witnesses.connected)} can`,
            ),
          ]
        : [],
    remedy: unreachableRemedy,
  },
  {
    code: 'NoPrimary',
    description: 'No instance takes writes, is followed, or is remembered as the primary.',
    severity: 'critical',
    find: ({ view }) =>
      when(view.kind === 'none', () => ({ message: 'no instance is the primary, nor is one remembered' })),
    remedy: () => 'name one: `failover promote INSTANCE`',
  },
  {
    code: 'PrimaryHasPrimary',
    description: 'The primary takes writes and replicates from another instance as well.',
    severity: 'critical',
    find: ({ view, links }) => {
      if (view.kind !== 'writable' || !isFollowing(links, view.primary)) return [];
      const { name } = view.primary.spec;
      return [
        { instance: name, message: `${name} is the primary and replicates from ${links.get(name)?.address}` },
      ];
    },
    remedy: ({ instance }) =>
      `end it with \`failover relocate\` of the other one, then RESET REPLICA ALL on ${instance}`,
  },
  {
    code: 'DeadCoPrimary',
    description: 'The primary replicates from an instance that does not answer, while all replicas do.',
    severity: 'warning',
    find: (survey) => deadCoPrimary(survey, false),
    remedy: coPrimaryRemedy,
  },
  {
    code: 'DeadCoPrimaryAndSomeReplicas',
    description:
      'The primary replicates from an instance that does not answer, and neither do some replicas.',
    severity: 'warning',
    find: (survey) => deadCoPrimary(survey, true),
    remedy: coPrimaryRemedy,
  },
  {
    code: 'UnreachableCoPrimary',
    description: 'The primary replicates from an instance that it hears and we do not reach.',
    severity: 'warning',
    find: ({ view, links }) => {
      const co = coPrimary(view, links);
      return co && co.instance.kind === 'silent' && co.state === 'hears'
        ? [
            {
              instance: co.instance.spec.name,
              message: `${co.instance.spec.name} cannot be reached from here; the primary ${co.primary.spec.name} replicates from it`,
            },
          ]
        : [];
    },
    remedy: coPrimaryRemedy,
  },
  {
    code: 'AllCoPrimaryReplicasNotReplicating',
    description:
      'Of two instances that replicate from each other, one has replicas and none of them replicates.',
    severity: 'warning',
    find: (survey) => {
      const co = coPrimary(survey.view, survey.links);
      if (co?.instance.kind !== 'answering') return [];
      const { name } = co.instance.spec;
      const replicas = survey.followers(name).filter((instance) => instance !== co.primary);
      return replicas.length > 0 && replicas.every((instance) => !isReplicating(survey, instance))
        ? [
            {
              instance: name,
              message: `none of the replicas of ${name} replicates: ${listed(namesOf(replicas))}`,
            },
          ]
        : [];
    },
    remedy: coPrimaryRemedy,
  },
  {
    code: 'PrimaryIsReadOnly',
    description: 'The primary answers and takes no writes.',
    severity: 'critical',
    recovery: 'reopen-primary',
    find: ({ view, topology }) =>
      view.kind === 'read-only' && topology.memory.unfinished === undefined
        ? [
            {
              instance: view.primary.spec.name,
              message: `the primary ${view.primary.spec.name} is read-only: nothing can be written`,
            },
          ]
        : [],
    remedy: ({ instance }) =>
      `\`failover promote ${instance}\` opens it when it has every transaction; the watch does so by itself after a restart, and not when somebody made it read-only`,
  },
  {
    code: 'PrimaryOffline',
    description: 'The primary is in offline mode and refuses ordinary clients.',
    severity: 'critical',
    find: ({ view }) =>
      view.kind === 'writable' && view.primary.state.offlineMode
        ? [
            {
              instance: view.primary.spec.name,
              message: `the primary ${view.primary.spec.name} is in offline mode`,
            },
          ]
        : [],
    remedy: ({ instance }) => `SET GLOBAL offline_mode = OFF on ${instance}, or \`failover promote\` another`,
  },
] as const satisfies readonly Row[];

/** A replica that both fetches and applies. */
export function isReplicating(survey: Survey, instance: Answering): boolean {
  return (
    survey.links.get(instance.spec.name)?.state === 'hears' && instance.state.replication?.applier === 'on'
  );
}

function rightOne(likely: Answering | Silent | undefined, remembered: string | undefined): string {
  if (likely === undefined) return ', and nothing says which is right';
  return likely.spec.name === remembered
    ? `; the last change made ${likely.spec.name} the primary`
    : `; the replicas follow ${likely.spec.name}`;
}

function silence(view: PrimaryView, what: string): Finding {
  const name = 'primary' in view ? view.primary.spec.name : undefined;
  return { instance: name, message: `the primary ${name} ${what}` };
}

function witness(witnesses: Witnesses): string {
  return witnesses.cutOff.length > 0
    ? `${listed(witnesses.cutOff)} ${witnesses.cutOff.length === 1 ? 'does' : 'do'} not hear of it either`
    : `no replica asks for it: ${listed(witnesses.stopped)} ${witnesses.stopped.length === 1 ? 'has' : 'have'} stopped`;
}

function promote(): string {
  return '`failover promote`; the watch does so by itself';
}

function unreachableRemedy({ instance }: Finding, survey: Survey): string {
  return `check the network between here and ${instance}; no promotion while a replica hears of it (${giveUpCommand(survey, 'PrimaryIsHeardOf')} does it all the same)`;
}

function allLag({ view, others, settings }: Survey): boolean {
  if (view.kind !== 'unreachable') return false;
  const connected = others.filter((instance) => view.witnesses.connected.includes(instance.spec.name));
  return connected.every((instance) => {
    const replication = instance.state.replication;
    return replication?.delaySeconds === 0 && (replication.lagSeconds ?? 0) > settings.lagLimitSeconds;
  });
}

function coPrimary(
  view: PrimaryView,
  links: Survey['links'],
): { primary: Answering; instance: Answering | Silent; state: string } | undefined {
  if (view.kind !== 'writable' || !isFollowing(links, view.primary)) return undefined;
  const link = links.get(view.primary.spec.name);
  return link?.source ? { primary: view.primary, instance: link.source, state: link.state } : undefined;
}

function deadCoPrimary(survey: Survey, withReplicas: boolean): readonly Finding[] {
  const co = coPrimary(survey.view, survey.links);
  if (co?.instance.kind !== 'silent' || co.state === 'hears') return [];
  const { name } = co.instance.spec;
  const lost = survey.lostOthers.filter((instance) => instance !== co.instance);
  return when(lost.length > 0 === withReplicas, () => ({
    instance: name,
    message: `${name} does not answer, and the primary ${co.primary.spec.name} replicates from it${lost.length > 0 ? `; ${listed(namesOf(lost))} ${lost.length === 1 ? 'is' : 'are'} silent, too` : ''}`,
  }));
}

function coPrimaryRemedy({ instance }: Finding): string {
  return `two primaries that follow each other are not what this tool builds: \`failover rejoin ${instance}\` when it answers`;
}
