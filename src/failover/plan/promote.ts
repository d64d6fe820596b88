import { contains } from '../../database/gtid.ts';
import { candidatesOf, elsewhere } from './candidates.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { objections, type Way } from './objections.ts';
import { planFailover } from './failover.ts';
import { losses } from './safety.ts';
import { find, unknownInstance } from './names.ts';
import { finishOf } from './finish.ts';
import { planReopen, planSettle } from './settle.ts';
import { blockers, ENDED_SESSIONS, type SessionWish, unknownXids } from './sessions.ts';
import { planSwitchover } from './switchover.ts';
import { pauseAt, pauseText } from '../cluster/pause.ts';
import { isStalled } from '../cluster/stalled.ts';
import { notAccepted, refusal, type Planned, type Refusal } from './refusals.ts';
import { rescueRefusals } from './rescue.ts';
import type { RiskCode } from './risks.ts';
import { traitsOf } from '../../database/traits.ts';
import { listed } from '../../lib/listed.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering, Instance, Silent, Topology } from '../cluster/topology.ts';

/** What the operator or the watch asks for. */
export interface PromoteWish extends SessionWish {
  /** The instance to promote; undefined for the best candidate. */
  readonly to?: string | undefined;
  /** The risks that the operator accepts, such as losing writes, or giving up a primary that lives. */
  readonly accepts?: readonly RiskCode[] | undefined;
  /** Whether the old primary follows the new one at once when it answers (the default). */
  readonly rejoin?: boolean | undefined;
  /** What only the binary log of a dead primary holds is applied before writes are taken. */
  readonly rescueTail?: boolean | undefined;
  /** The watch asks, so pauses, downtimes and the anti-flapping time apply. */
  readonly automatic?: boolean | undefined;
  /** The watch has seen that a primary without room for connections gives nothing to its replicas either. */
  readonly lockedUp?: boolean | undefined;
}

/**
 * Plans a switchover when the primary answers and a failover when it is dead, or returns every reason why not. A change
 * that was cut off is first finished or taken back. Naming the primary itself opens it, or repairs what is wrong around
 * it.
 */
export function planPromote(topology: Topology, wish: PromoteWish, settings: FailoverSettings): Planned {
  const survey = surveyOf(topology, settings);
  if (wish.automatic) {
    const held = heldBack(survey);
    if (held.length > 0) return { refusals: held };
  }
  const accepts = acceptedBy(wish);
  const finish = topology.memory.unfinished && finishOf(survey, wish);
  if (finish && ('plan' in finish || notAccepted(finish.refusals, accepts).length > 0)) return finish;
  const named = wish.to === undefined ? undefined : find(survey, wish.to);
  if (wish.to !== undefined && named === undefined) return { refusals: [unknownInstance(survey, wish.to)] };
  const several = severalPrimaries(survey);
  if (several) return { refusals: [several] };
  if (named !== undefined && named === survey.primary) return planForPrimary(survey, named, wish);

  const blocked = blockers(survey, wish);
  const way: Way = usesFailover(survey, wish, blocked, named) ? 'failover' : 'switchover';
  const target = named ?? candidatesOf(survey, way)[0]?.instance;
  if (target === undefined) return { refusals: [nobody(survey)] };
  const rescueTail = way === 'failover' && survey.primary !== undefined && wish.rescueTail === true;
  const found = [
    ...aliveButUnusable(survey, wish),
    ...objections(survey, target, way),
    ...(wish.to === undefined || wish.automatic ? elsewhere(survey, target) : []),
    ...(way === 'switchover'
      ? [...blocked, ...external(survey), ...unknownXids(survey, wish)]
      : [...givenUpFor(blocked, accepts), ...losses(survey, target, rescueTail)]),
    ...(rescueTail && target.kind === 'answering' ? rescueRefusals(survey, target) : []),
  ];
  const refusals = notAccepted(found, accepts);
  if (refusals.length > 0 || target.kind === 'silent') return { refusals };
  const plan =
    way === 'failover'
      ? planFailover(survey, survey.primary, target, { to: wish.to, accepts, rescueTail })
      : planSwitchover(survey, survey.primary as Answering, target, {
          rejoin: wish.rejoin ?? true,
          sessions: wish,
        });
  const accepted = [...(finish?.refusals ?? []), ...found].flatMap(({ risk }) => risk ?? []);
  return { plan: { ...plan, accepted } };
}

/** Whoever ends sessions accepts what is refused because of them. */
function acceptedBy({ accepts = [], endSessions }: PromoteWish): readonly RiskCode[] {
  return endSessions ? [...accepts, ...ENDED_SESSIONS] : accepts;
}

/** When two instances take writes, that is settled before anything else. */
export function severalPrimaries({ view }: Survey): Refusal | undefined {
  if (view.kind !== 'several') return undefined;
  const all = namesOf(view.unreachable ? [...view.writable, view.unreachable] : view.writable);
  const wrong = all.filter((name) => name !== view.likely?.spec.name);
  return refusal(
    'TwoWritablePrimaries',
    undefined,
    `${listed(all)} ${all.length === 1 ? 'takes' : 'take'} writes`,
    {
      remedy: view.likely
        ? `the replicas follow ${view.likely.spec.name}: \`failover rejoin ${wrong[0]}\` makes the other one read-only`
        : 'make the wrong one read-only, then `failover rejoin` it',
    },
  );
}

function planForPrimary(survey: Survey, primary: Instance, { accepts }: PromoteWish): Planned {
  const { name } = primary.spec;
  if (survey.view.kind === 'read-only') return planReopen(survey, survey.view.primary, { accepts });
  if (survey.view.kind === 'writable') {
    const plan = planSettle(survey, survey.view.primary);
    if (plan.stages.length > 0) return { plan };
    return {
      refusals: [
        refusal('AlreadyPrimary', name, `${name} is the primary already`, { remedy: 'nothing to do' }),
      ],
    };
  }
  return {
    refusals: [
      refusal('UnreachableCandidate', name, `${name} is the primary, and does not answer`, {
        remedy: 'promote another instance',
      }),
    ],
  };
}

/** These reasons hold back the watch only. An operator may do what they think right. */
function heldBack(survey: Survey): readonly Refusal[] {
  const { topology, settings, primary, view } = survey;
  const { unacknowledged } = topology.memory;
  const paused = pauseAt(topology.memory, topology.at);
  const found: Refusal[] = [];
  if (paused) {
    found.push(
      refusal('Paused', undefined, pauseText(paused, topology.at), {
        remedy: '`failover resume`',
      }),
    );
  }
  if (primary && survey.isInDowntime(primary.spec.name)) {
    found.push(
      refusal('InDowntime', primary.spec.name, `${primary.spec.name} is in a downtime`, {
        remedy: `\`failover downtime end ${primary.spec.name}\``,
      }),
    );
  }
  if (unacknowledged && topology.at - unacknowledged.at < settings.antiFlapMs) {
    const minutes = Math.ceil((settings.antiFlapMs - (topology.at - unacknowledged.at)) / 60_000);
    found.push(
      refusal(
        'AntiFlap',
        undefined,
        `the last automatic recovery (${unacknowledged.id}) was not acknowledged`,
        {
          remedy: `\`failover ack\`, or wait ${minutes} minutes`,
        },
      ),
    );
  }
  if (view.kind === 'dead' && view.witnesses.cutOff.length === 0 && !topology.memory.unfinished) {
    found.push(
      refusal(
        'NoWitness',
        view.primary.spec.name,
        `no replica tries to reach ${view.primary.spec.name}, so nobody confirms that it is dead`,
        {
          remedy: `start their receivers, or \`failover promote\` by hand`,
        },
      ),
    );
  }
  return found;
}

/**
 * Fail over when the primary is dead. Give a living primary up when the operator accepts that and its commits do not end,
 * or wait for acknowledgements; the watch gives one up whose commits do not end, too.
 */
function usesFailover(
  survey: Survey,
  wish: PromoteWish,
  blocked: readonly Refusal[],
  named: Instance | undefined,
): boolean {
  if (survey.view.kind !== 'writable' && survey.view.kind !== 'read-only') return true;
  if (survey.view.kind === 'read-only' && !canHandOver(survey, survey.view.primary, named)) return true;
  const { accepts = [] } = wish;
  if (isStalled(survey) && (accepts.includes('PrimaryStalled') || wish.automatic)) return true;
  return givenUpFor(blocked, accepts).length > 0;
}

/** What is accepted of that for which a primary that lives is given up. */
function givenUpFor(blocked: readonly Refusal[], accepts: readonly RiskCode[]): readonly Refusal[] {
  return blocked.filter(({ risk }) => risk === 'WaitingForAcknowledgement' && accepts.includes(risk));
}

/**
 * A primary that takes no writes hands over to a replica that gets everything from it. One that came back without its
 * last writes cannot: its replicas have more than it, and their receivers have stopped.
 */
function canHandOver(survey: Survey, primary: Answering, named: Instance | undefined): boolean {
  if (!contains(primary.state.executed, survey.everything())) return false;
  const target = named ?? candidatesOf(survey, 'switchover')[0]?.instance;
  return target !== undefined && objections(survey, target, 'switchover').length === 0;
}

function isFull({ silence }: Silent): boolean {
  return silence.kind === 'too-many-connections';
}

function aliveButUnusable(survey: Survey, wish: PromoteWish): readonly Refusal[] {
  const { view } = survey;
  if (view.kind === 'overloaded' && !(wish.lockedUp && isFull(view.primary))) {
    const { name } = view.primary.spec;
    const { silence } = view.primary;
    if (silence.kind === 'unsupported') {
      return [
        refusal('UnsupportedServer', name, `${name} ${silence.message}`, {
          remedy: 'its own tools move its primary; nothing here changes it',
        }),
      ];
    }
    return [
      refusal(
        'PrimaryIsAlive',
        name,
        `${name} lives and does not let us in: ${view.primary.silence.message}`,
        {
          remedy: `overload is not death: relieve ${name}`,
          forceable: true,
        },
      ),
    ];
  }
  if (view.kind === 'unreachable') {
    const { name } = view.primary.spec;
    return [
      refusal(
        'PrimaryIsHeardOf',
        name,
        `${name} cannot be reached from here, but ${listed(view.witnesses.connected)} can`,
        {
          remedy: 'see to the network between here and it',
          forceable: true,
        },
      ),
    ];
  }
  if (isStalled(survey) && !wish.automatic) {
    const name = survey.primary?.spec.name;
    return [
      refusal(
        'PrimaryStalled',
        name,
        `${name} answers, but its commits do not come to an end, so it cannot hand over`,
        {
          remedy: `see to what holds up ${name}`,
          forceable: true,
        },
      ),
    ];
  }
  return [];
}

/** Read-only stops clients, and not replication: the old primary would go on getting what the new one lacks. */
function external({ primary }: Survey): readonly Refusal[] {
  if (primary?.kind !== 'answering' || primary.state.otherChannels.length === 0) return [];
  const { name } = primary.spec;
  const channels = listed(primary.state.otherChannels);
  const { removeChannel } = traitsOf(primary.state.version.flavour);
  return [
    refusal(
      'ExternalChannels',
      name,
      `${name} replicates from outside the cluster (${channels}), which is not moved`,
      {
        remedy: `note the settings of each, end it on ${name} (\`${removeChannel(primary.state.otherChannels[0] ?? '')}\`), promote, and set it up on the new primary`,
        forceable: true,
      },
    ),
  ];
}

function nobody(survey: Survey): Refusal {
  return refusal(
    'NobodyToPromote',
    undefined,
    `the cluster has no other instance than ${survey.primary?.spec.name ?? 'none'}`,
    {
      remedy: 'add one to the inventory and run `provision up`',
    },
  );
}
