import { traitsOf } from '../../database/traits.ts';
import { contains, count, isEmpty, subtract, union, type Gtids } from '../../database/gtid.ts';
import type { Plan, Stage, Step } from './action.ts';
import { knownOfPrimary, onlyIts } from '../cluster/errant.ts';
import { isStuck, missingAt } from './objections.ts';
import { silentNote } from './switchover.ts';
import { followStep, promotionStages, sortFollowers } from './promotion.ts';
import { compact, hookStage, sideBySide, step } from './steps.ts';
import { listed } from '../../lib/listed.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering, Instance } from '../cluster/topology.ts';

/** What is known about the acknowledged writes of a primary that is gone. */
export interface Safety {
  /** Every acknowledged write is on an instance that is reached. */
  readonly safe: boolean;
  /** Why not, in one sentence. */
  readonly reason: string | undefined;
  /** They may have acknowledged, and do not answer. */
  readonly unreached: readonly string[];
}

/**
 * An acknowledged write is on `required` replicas at least. When fewer than that are out of reach, one that is reached
 * has it; in other words `ackers - required + 1` of them must be reached. The same number of stopped receivers keeps
 * the old primary, wherever it is, from acknowledging anything from then on.
 */
export function safetyOf(survey: Survey): Safety {
  const { wanted, required, endless } = survey.semiSync;
  const unreached = namesOf(survey.lostOthers);
  const reason = !wanted
    ? 'semi-sync is off, so the last writes may be on the old primary only'
    : !endless
      ? 'the primary may have fallen back to asynchronous, so the last writes may be on it only'
      : unreached.length >= required
        ? `${listed(unreached)} may have acknowledged writes that no other replica has, and ${unreached.length === 1 ? 'does' : 'do'} not answer`
        : undefined;
  return { safe: reason === undefined, reason, unreached };
}

/** What would be lost for certain: seen on the old primary, and on nobody who answers. */
export function knownLoss(survey: Survey, to: Answering): Gtids | undefined {
  const known = knownOfPrimary(survey);
  if (known === undefined) return undefined;
  const reachable = isReachable(survey, to) ? union(survey.holds(to), survey.everything()) : survey.holds(to);
  return subtract(known, reachable);
}

/**
 * The primary is gone, or given up on. Invariants:
 * 1. No acknowledged write is lost: first all receivers stop, then the new primary applies all that it and the other
 *    replicas have received, then it takes writes.
 * 2. Never two that acknowledge: when the receivers have stopped that could acknowledge to the old primary, it cannot
 *    acknowledge, wherever it is. Where too few are reached for that, nothing goes on before fencing was tried.
 * 3. Fencing does not delay what is safe without it: it runs beside the rest.
 * 4. A receiver that has stopped is not started again before its backlog is applied: MariaDB deletes the relay log.
 * 5. A candidate that is behind follows the instance that has more, first.
 */
export function planFailover(survey: Survey, from: Instance | undefined, to: Answering): Plan {
  const { settings } = survey;
  const fresh = to.spec.name;
  const safety = safetyOf(survey);
  const giver = giverFor(survey, to);
  const siblings = sortFollowers(
    survey,
    to,
    survey.others.filter((instance) => instance !== to),
  );
  const promotion = promotionStages(survey, {
    to,
    attached: [],
    followers: siblings.fit,
    old: from?.kind === 'answering' ? from : undefined,
    stopFirst: true,
  });
  const lost = knownLoss(survey, to);
  const stages: readonly Stage[] = [
    ...hookStage(settings, 'before-failover'),
    [
      step(
        settings,
        { do: 'hold-writers', ms: settings.catchUpTimeoutMs },
        { undo: [{ do: 'release-writers' }] },
      ),
      ...(from ? [step(settings, { do: 'end-writers', instance: from.spec.name }, { optional: true })] : []),
      ...survey.others
        .filter((instance) => instance.state.replication !== undefined)
        .map((instance) => stopReceiver(survey, instance)),
      ...(from ? fences(survey, from, safety.safe) : []),
    ],
    ...sideBySide(applyStages(survey, to), giver ? applyStages(survey, giver) : []),
    ...(giver ? fetchStages(survey, to, giver) : []),
    ...promotion.stages,
  ];
  return {
    kind: 'failover',
    from: from?.spec.name,
    to: fresh,
    notes: [
      ...lossNotes(safety, lost),
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
      ...promotion.notes,
      ...(from
        ? [
            `${from.spec.name} is fenced as far as it can be reached; \`failover rejoin ${from.spec.name}\` brings it back`,
          ]
        : []),
      ...silentNote(survey),
    ],
    lost: lost === undefined ? '' : lost.toString(),
    lostCount: lost === undefined ? 0 : count(lost),
    stages: compact(stages),
  };
}

/** It may have written them as the primary, and then they were acknowledged; but nobody can say so. */
function ownNotes(survey: Survey, to: Answering): readonly string[] {
  const own = onlyIts(survey, to);
  if (isEmpty(own) || !isEmpty(survey.errant(to))) return [];
  return [
    `${count(own)} transactions that only ${to.spec.name} has count as its own from when it was the primary: ${own.toString()}`,
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

function stopReceiver(survey: Survey, instance: Answering): Step {
  const { name } = instance.spec;
  const isOn = instance.state.replication?.receiver !== 'off';
  const { keepsRelayLogs } = traitsOf(instance.state.version.flavour);
  return step(
    survey.settings,
    { do: 'stop-receiver', instance: name },
    isOn
      ? {
          undo: [
            ...(!keepsRelayLogs && instance.state.replication?.applier === 'on'
              ? [{ do: 'apply-backlog', instance: name } as const]
              : []),
            { do: 'start-receiver', instance: name },
          ],
        }
      : {},
  );
}

/** Beside the rest when nothing depends on it. */
function fences(survey: Survey, from: Instance, isSafe: boolean): readonly Step[] {
  if (from.kind === 'answering' && from.state.readOnly) return [];
  const { settings } = survey;
  const how = isSafe ? ({ optional: true, beside: true } as const) : ({ optional: true } as const);
  return [
    step(
      settings,
      // Only here: a server that is merely restarted by way of a fence keeps its machine.
      { do: 'fence', instance: from.spec.name, ...(settings.hooks['stonith'] ? { stonith: true } : {}) },
      { ...how, undo: [{ do: 'unfence', instance: from.spec.name }] },
    ),
  ];
}

/** An applier that somebody stopped is started; one that an error stopped is what the objections are about. */
function applyStages(survey: Survey, instance: Answering): readonly Stage[] {
  const { settings } = survey;
  const { name } = instance.spec;
  const { replication } = instance.state;
  if (replication === undefined || isStuck(instance)) return [];
  return [
    replication.applier === 'off'
      ? [
          step(
            settings,
            { do: 'start-applier', instance: name },
            { undo: [{ do: 'stop-replica', instance: name }] },
          ),
        ]
      : [],
    [step(settings, { do: 'apply-backlog', instance: name })],
  ];
}

function fetchStages(survey: Survey, to: Answering, giver: Answering): readonly Stage[] {
  const { settings } = survey;
  const { name } = to.spec;
  return [
    [followStep(survey, to, giver, { name: 'follow-for-the-rest' })],
    [step(settings, { do: 'catch-up', instance: name, with: giver.spec.name })],
  ];
}

/** The instance that has what the candidate lacks: one without errant transactions first, then the one with the least to apply. */
function giverFor(survey: Survey, to: Answering): Answering | undefined {
  const missing = missingAt(survey, to);
  if (isEmpty(missing)) return undefined;
  const backlog = (instance: Answering): number =>
    instance.state.replication ? count(instance.state.replication.backlog) : 0;
  const isErrant = (instance: Answering): boolean => !isEmpty(survey.errant(instance));
  return survey.others
    .filter((other) => other !== to && canGive(other) && contains(survey.holds(other), missing))
    .sort((a, b) => Number(isErrant(a)) - Number(isErrant(b)) || backlog(a) - backlog(b))[0];
}

function canGive(instance: Answering): boolean {
  return instance.state.logBin && instance.state.logReplicaUpdates && !isStuck(instance);
}

function isReachable(survey: Survey, to: Answering): boolean {
  return isEmpty(missingAt(survey, to)) || giverFor(survey, to) !== undefined;
}
