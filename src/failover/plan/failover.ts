import { listed } from '../../lib/listed.ts';
import { traitsOf } from '../../database/traits.ts';
import { count, isEmpty, union, type Gtids } from '../../database/gtid.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { staysBelow } from '../cluster/chains.ts';
import { onlyIts } from '../cluster/errant.ts';
import { sourceSettings } from '../cluster/source-settings.ts';
import type { Survey } from '../cluster/survey.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { SourceSettings } from '../cluster/memory.ts';
import type { Answering, Instance, Topology } from '../cluster/topology.ts';
import type { Action, LookAgain, Plan, Stage, Step } from './action.ts';
import { candidatesOf, elsewhere, isElsewhere } from './candidates.ts';
import { giverFor, isStuck, losesBacklogAtStart, missingAt } from './holdings.ts';
import { find, unknownInstance } from './names.ts';
import { objections } from './objections.ts';
import { followStep, promotionStages, sortFollowers } from './promotion.ts';
import { notAccepted, type Refusal } from './refusals.ts';
import { lostBesideTail, onlyInTail, rescueRefusals, rescueStages, tailNotes, tailOf } from './rescue.ts';
import { knownLoss, losses, safetyOf, type Safety } from './safety.ts';
import { compact, holdWriters, hookStage, sideBySide, step } from './steps.ts';
import { silentNote } from './switchover.ts';
import { writerNotes } from './writer-notes.ts';

/** Where all depends on the fence it gets the time that the script on the machine takes at most. */
const RESCUED_FENCE_LIMIT_MS = 25_000;

/** What the plan said before it began, and what still holds for the rest of it. */
export type FailoverWish = Omit<LookAgain, 'after'>;

/** What the new primary holds when it begins to take writes, and how it acknowledges them. */
export interface Beginning {
  readonly began: string;
  readonly semiSync: SourceSettings;
}

/**
 * Promotes a replica when the primary is dead, or alive and given up. Invariants:
 * 1. No acknowledged write is lost: the plan stops all receivers, looks at the cluster again, and only then chooses the
 *    new primary. The new primary applies everything that it and the other replicas have received before it takes
 *    writes.
 * 2. No two instances acknowledge writes at the same time: once the receivers that could acknowledge to the old primary
 *    have stopped, the old primary cannot acknowledge anything, wherever it is. Where the plan reaches too few of them,
 *    it fences the old primary before it goes on.
 * 3. Fencing does not delay a failover that is safe without it: the fence runs beside the other steps.
 * 4. A receiver that has stopped starts again only after its backlog is applied, and an applier that somebody stopped
 *    starts before the receiver stops: otherwise MariaDB deletes the relay log.
 * 5. A candidate that is behind first follows the replica that has more.
 * 6. A replica whose receiver does not stop counts as not reached, and holds up nobody else.
 * 7. Where the old primary's binary log is to be rescued, it is fenced before anything reads it: see rescue.ts.
 */
export function planFailover(
  survey: Survey,
  from: Instance | undefined,
  to: Answering,
  wish: FailoverWish,
): Plan {
  const first = stopStages(survey, from, to, wish.rescueTail === true);
  const rest = restOf(survey, from, to, wish);
  return { ...rest, stages: [...first, ...rest.stages], lookAgain: { ...wish, after: first.length } };
}

/**
 * Plans the rest of a failover, from what the cluster says when the receivers have stopped. A replica that still
 * receives counts as silent, because nobody sees what it acknowledges from now on. The rest is refused when it could
 * promise less than the plan did before.
 */
export function planRestOfFailover(
  topology: Topology,
  before: Topology,
  begun: Plan & { readonly lookAgain: LookAgain },
  settings: FailoverSettings,
): { readonly plan: Plan; readonly begins: Beginning } | { readonly refusals: readonly Refusal[] } {
  const heard = withoutReceiving(topology, before, begun.from, settings);
  const from = heard.instances.find(({ spec }) => spec.name === begun.from);
  const survey = surveyOf(heard, settings, from);
  const { to: named, accepts, rescueTail = false } = begun.lookAgain;
  const expected = survey.instance(begun.to);
  const wasElsewhere = expected !== undefined && isElsewhere(survey, expected);
  // Promote the best candidate, or else the one that was announced: the operator accepted what was said about that one.
  const possible =
    named === undefined ? [candidatesOf(survey, 'failover')[0]?.instance, expected] : [find(survey, named)];
  const judged = possible
    .filter((instance) => instance !== undefined)
    .map((instance) => {
      const all = against(instance);
      return { instance, all, found: notAccepted(all, accepts) };
    });
  const [first] = judged;
  if (first === undefined) return { refusals: [unknownInstance(survey, named ?? begun.to)] };
  const { instance: target, all, found } = judged.find((one) => one.found.length === 0) ?? first;
  if (found.length > 0 || target.kind === 'silent') return { refusals: found };
  const accepted = [...new Set([...(begun.accepted ?? []), ...all.flatMap(({ risk }) => risk ?? [])])];
  const plan = { ...restOf(survey, from, target, begun.lookAgain), accepted };
  const source = plan.stages
    .flat()
    .find(({ action }) => action.do === 'semi-sync-source' && action.instance === plan.to);
  const waits =
    source?.action.do === 'semi-sync-source' ? source.action.on : target.state.semiSync.source.enabled;
  return {
    plan,
    begins: {
      began: heldAfter(survey, target, rescueTail).toString(),
      semiSync: { ...sourceSettings(target), waits },
    },
  };

  function against(target: Instance): readonly Refusal[] {
    return [
      ...objections(survey, target, 'failover'),
      ...losses(survey, target, rescueTail),
      ...(rescueTail && target.kind === 'answering' ? rescueRefusals(survey, target) : []),
      ...(named === undefined && !wasElsewhere ? elsewhere(survey, target) : []),
    ];
  }
}

/** A replica that has stopped receiving cannot say how far behind it is; what it said before still holds. */
function withoutReceiving(
  topology: Topology,
  before: Topology,
  from: string | undefined,
  settings: FailoverSettings,
): Topology {
  const old = topology.instances.find(({ spec }) => spec.name === from);
  const survey = surveyOf(topology, settings, old);
  const lags = new Map(
    before.instances.map((instance) => [
      instance.spec.name,
      instance.kind === 'answering' ? instance.state.replication?.lagSeconds : undefined,
    ]),
  );
  return {
    ...topology,
    instances: topology.instances.map((instance): Instance => {
      if (instance.kind === 'silent' || instance.spec.name === from) return instance;
      const { replication } = instance.state;
      if (replication === undefined) return instance;
      if (isBelowStopped(survey, instance)) return instance;
      if (replication.receiver === 'off') {
        const lagSeconds = replication.lagSeconds ?? lags.get(instance.spec.name);
        return { ...instance, state: { ...instance.state, replication: { ...replication, lagSeconds } } };
      }
      const message = `the receiver of ${instance.spec.name} does not stop`;
      return { ...instance, kind: 'silent', silence: { kind: 'error', alive: true, message } };
    }),
  };
}

/** The transactions that it still receives come from a replica that has stopped receiving and has all of them. */
function isBelowStopped(survey: Survey, instance: Answering): boolean {
  const source = survey.links.get(instance.spec.name)?.source;
  return (
    staysBelow(survey, instance, undefined) &&
    source?.kind === 'answering' &&
    source.state.replication?.receiver === 'off'
  );
}

/** From here on no replica receives, so no replica acknowledges. */
function stopStages(
  survey: Survey,
  from: Instance | undefined,
  to: Answering,
  rescueTail: boolean,
): readonly Stage[] {
  const { settings } = survey;
  const replicas = survey.others.filter(
    (instance) =>
      instance.state.replication !== undefined &&
      (instance === to || !staysBelow(survey, instance, undefined)),
  );
  const started = replicas.filter(
    ({ state: { replication } }) => replication?.applier === 'off' && replication.applierError === undefined,
  );
  const startable = started.filter((instance) => !losesBacklogAtStart(instance));
  return compact([
    ...hookStage(settings, 'before-failover'),
    startable.map(({ spec: { name } }) =>
      step(
        settings,
        { do: 'start-applier', instance: name },
        { optional: true, undo: [{ do: 'stop-applier', instance: name }] },
      ),
    ),
    [
      // Waiting is more comfortable for clients than being refused, but nothing depends on it.
      holdWriters(settings, settings.catchUpTimeoutMs, { optional: true }),
      ...(from ? [step(settings, { do: 'end-writers', instance: from.spec.name }, { optional: true })] : []),
      ...replicas.map((instance) => stopReceiver(survey, instance, from)),
      ...(from ? fences(survey, from, safetyOf(survey).safe, rescueTail) : []),
    ],
  ]);
}

/** The candidate applies what it has received, fetches what other replicas have more, and becomes the primary. */
function restOf(
  survey: Survey,
  from: Instance | undefined,
  to: Answering,
  { accepts, rescueTail = false }: FailoverWish,
): Plan {
  const isHeard = accepts.includes('PrimaryIsHeardOf');
  const fresh = to.spec.name;
  const giver = giverFor(survey, to);
  const known = giver === undefined ? withoutGiver(survey, to) : knownLoss(survey, to);
  const lost = lostBesideTail(survey, to, known, rescueTail);
  const siblings = sortFollowers(
    survey,
    to,
    survey.others.filter((instance) => instance !== to),
  );
  const rescue = rescueTail ? rescueStages(survey, to) : [];
  const promotion = promotionStages(survey, {
    to,
    attached: [],
    followers: siblings.fit,
    old: from?.kind === 'answering' ? from : undefined,
    has: heldAfter(survey, to, rescueTail),
    stopFirst: rescue.length === 0,
  });
  return {
    kind: 'failover',
    from: from?.spec.name,
    to: fresh,
    notes: [
      ...lossNotes(safetyOf(survey), lost),
      ...tailNotes(survey, to, rescueTail),
      ...ownNotes(survey, to),
      ...(giver
        ? [`${fresh} first fetches ${count(missingAt(survey, to))} transactions from ${giver.spec.name}`]
        : []),
      ...(giver && !isEmpty(survey.errant(giver))
        ? [
            `with them come ${count(survey.errant(giver))} errant transactions of ${giver.spec.name}: ${survey.errant(giver).toString()}`,
          ]
        : []),
      ...siblings.notes,
      ...externalNotes(from, to),
      ...promotion.notes,
      ...(from
        ? [
            `${from.spec.name} is fenced as far as it can be reached; \`failover rejoin ${from.spec.name}\` brings it back`,
          ]
        : []),
      ...silentNote(survey),
      ...writerNotes(survey, from?.spec.name),
    ],
    lost: lost === undefined ? '' : lost.toString(),
    lostCount: lost === undefined ? 0 : count(lost),
    stages: compact([
      ...sideBySide(applyStages(survey, to), giver ? applyStages(survey, giver) : []),
      ...(giver ? fetchStages(survey, to, giver) : []),
      ...rescue,
      ...(from !== undefined && (isHeard || from.kind === 'answering' || from.silence.alive)
        ? confirmed(survey, to, promotion.stages)
        : promotion.stages),
    ]),
  };
}

/** What the new primary holds when it begins to take writes. */
function heldAfter(survey: Survey, to: Answering, rescueTail: boolean): Gtids {
  const held = union(survey.holds(to), survey.everything());
  const tail = rescueTail ? tailOf(survey) : undefined;
  return tail === undefined ? held : union(held, onlyInTail(survey, tail, to));
}

/**
 * A replica that is started again asks its source by itself, and acknowledges to it when it lives: right before the new
 * primary takes writes, each of the others is looked at once more.
 */
function confirmed(survey: Survey, to: Answering, stages: readonly Stage[]): readonly Stage[] {
  const opening = stages.findIndex((stage) => stage.some(({ irreversible }) => irreversible));
  if (opening < 0) return stages;
  const others = survey.others.filter(
    (instance) =>
      instance !== to && instance.state.replication !== undefined && !staysBelow(survey, instance, undefined),
  );
  const confirm = others.map(({ spec: { name }, state: { startedAt } }) =>
    step(survey.settings, { do: 'confirm-stopped', instance: name, startedAt }),
  );
  return [...stages.slice(0, opening), confirm, ...stages.slice(opening)];
}

/** The failover also loses the transactions that another instance holds and cannot give to the new primary. */
function withoutGiver(survey: Survey, to: Answering): Gtids | undefined {
  const known = knownLoss(survey, to);
  const missing = missingAt(survey, to);
  if (isEmpty(missing)) return known;
  return known === undefined ? missing : union(known, missing);
}

/** The instance may have written them while it was the primary. Then they were acknowledged, but nobody can say so. */
function ownNotes(survey: Survey, to: Answering): readonly string[] {
  const own = onlyIts(survey, to);
  if (isEmpty(own) || !isEmpty(survey.errant(to))) return [];
  return [
    `${count(own)} transactions that only ${to.spec.name} has count as its own from when it was the primary: ${own.toString()}`,
  ];
}

/** A primary that is gone cannot be asked for them. */
function externalNotes(from: Instance | undefined, to: Answering): readonly string[] {
  if (from?.kind !== 'answering' || from.state.otherChannels.length === 0) return [];
  return [
    `${from.spec.name} replicates from outside the cluster (${listed(from.state.otherChannels)}): set that up on ${to.spec.name}`,
  ];
}

function lossNotes(safety: Safety, lost: Gtids | undefined): readonly string[] {
  if (lost !== undefined && !isEmpty(lost)) {
    return [
      `${count(lost)} transactions that were seen on the old primary are lost: ${lost.toString()}`,
      ...(safety.reason ? [safety.reason] : []),
    ];
  }
  if (safety.safe) return ['no acknowledged write is lost'];
  return [`writes may be lost, how many is not known: ${safety.reason}`];
}

/** Optional: a replica whose receiver does not stop is left out when the cluster is looked at again. */
function stopReceiver(survey: Survey, instance: Answering, from: Instance | undefined): Step {
  const { name } = instance.spec;
  const { replication, version } = instance.state;
  const applies = replication?.applierError === undefined && !losesBacklogAtStart(instance);
  const undo: readonly Action[] =
    replication?.receiver === 'off'
      ? []
      : [
          ...(!traitsOf(version.flavour).keepsRelayLogs && applies
            ? [{ do: 'apply-backlog', instance: name } as const]
            : []),
          { do: 'start-receiver', instance: name },
        ];
  // A receiver takes a host without power for one that is busy, until its connection has been silent for long enough.
  const seeks =
    replication?.receiver !== 'off' && from?.kind === 'silent' && !from.silence.alive
      ? { seeks: from.spec.name }
      : {};
  return step(survey.settings, { do: 'stop-receiver', instance: name, ...seeks }, { optional: true, undo });
}

/** The fence runs beside the other steps when nothing depends on it. What reads the old primary's log depends on it. */
function fences(survey: Survey, from: Instance, isSafe: boolean, rescueTail: boolean): readonly Step[] {
  if (from.kind === 'answering' && from.state.readOnly && !rescueTail) return [];
  const { settings } = survey;
  const how = rescueTail
    ? {}
    : isSafe
      ? ({ optional: true, beside: true } as const)
      : ({ optional: true } as const);
  const fence = step(
    settings,
    // The STONITH hook runs only here: a server that is only restarted by way of a fence keeps its machine.
    { do: 'fence', instance: from.spec.name, ...(settings.hooks['stonith'] ? { stonith: true } : {}) },
    { ...how, undo: [{ do: 'unfence', instance: from.spec.name, asBefore: true }] },
  );
  return [rescueTail ? { ...fence, limitMs: RESCUED_FENCE_LIMIT_MS } : fence];
}

/** The objections speak of the transactions that an applier received before an error stopped it. */
function applyStages(survey: Survey, instance: Answering): readonly Stage[] {
  const { settings } = survey;
  const { name } = instance.spec;
  if (instance.state.replication === undefined || isStuck(instance)) return [];
  return [[step(settings, { do: 'apply-backlog', instance: name })]];
}

function fetchStages(survey: Survey, to: Answering, giver: Answering): readonly Stage[] {
  const { settings } = survey;
  const { name } = to.spec;
  return [
    [followStep(survey, to, giver, { name: 'follow-for-the-rest' })],
    [
      step(settings, {
        do: 'catch-up',
        instance: name,
        with: giver.spec.name,
        has: missingAt(survey, to).toString(),
      }),
    ],
  ];
}
