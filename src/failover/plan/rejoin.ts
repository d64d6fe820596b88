import { traitsOf } from '../../database/traits.ts';
import { contains, count, isEmpty, subtract } from '../../database/gtid.ts';
import type { Plan, Stage } from './action.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { byItself, ownLost } from '../cluster/errant.ts';
import { find, unknownInstance } from './names.ts';
import { closePlan, rejoinPlan } from './close.ts';
import { demotionSql, followStages } from './promotion.ts';
import { holdsAcknowledged, keepersOf } from './keepers.ts';
import { refusal, type Planned } from './refusals.ts';
import type { RiskCode } from './risks.ts';
import { step } from './steps.ts';
import { stuckThreads } from '../cluster/stuck.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering, Silent, Topology } from '../cluster/topology.ts';

export interface RejoinWish {
  readonly instance: string;
  /** Throws the instance's data away and copies those of another instance. */
  readonly clone?: boolean | undefined;
  /** Marks the instance's errant transactions as executed everywhere, without their content (MySQL only). */
  readonly injectEmpty?: boolean | undefined;
  /** What the operator accepts: `CommitsWait` lets the primary commit alone until this instance is back. */
  readonly accepts?: readonly RiskCode[] | undefined;
  /** A person asks, so a fenced primary is started again when there is no other one. */
  readonly byHand?: boolean | undefined;
}

/**
 * Makes an instance a replica of the primary again. Whatever must be known first gets a plan of its own: a fenced
 * instance does not answer, and a writable one may still write. While `again` is true, the caller observes and plans
 * again.
 * Invariants: the instance takes no writes and has no client sessions before its semi-sync is switched off and before
 * its GTIDs are compared. It follows only when the primary has everything that it has. Its data are replaced only when
 * the operator says so.
 */
export function planRejoin(
  topology: Topology,
  wish: RejoinWish,
  settings: FailoverSettings,
): Planned & { readonly again?: boolean } {
  const survey = surveyOf(topology, settings);
  const instance = find(survey, wish.instance);
  if (instance === undefined) return { refusals: [unknownInstance(survey, wish.instance)] };
  const { name } = instance.spec;
  const primary = rightPrimary(survey);
  const { view } = survey;
  if (
    view.kind === 'several' &&
    view.likely &&
    instance.kind === 'answering' &&
    instance !== view.likely &&
    !instance.state.readOnly
  ) {
    return { plan: closePlan(survey, instance, primary), again: true };
  }
  // Once it is started read-only, the last primary may turn out to be the instance that has everything.
  if (wish.byHand && primary === undefined && instance === survey.primary && instance.kind === 'silent') {
    return whenSilent(survey, instance, wish);
  }
  if (primary === undefined) {
    return {
      refusals: [
        refusal(
          'NoWritablePrimary',
          undefined,
          'no single primary answers and takes writes, so there is nobody to follow',
          {
            remedy: '`failover status` says why',
          },
        ),
      ],
    };
  }
  if (instance === primary) {
    return {
      refusals: [refusal('AlreadyPrimary', name, `${name} is the primary`, { remedy: 'nothing to do' })],
    };
  }
  if (instance.kind === 'silent') return whenSilent(survey, instance, wish);
  if (!instance.state.readOnly) return { plan: closePlan(survey, instance, primary), again: true };
  if (wish.clone) return clonePlan(survey, instance, primary, wish);
  return whenReadOnly(surveyOf(topology, settings, primary), instance, primary, wish);
}

/** The primary that takes writes; when two do, the one that the replicas follow. */
export function rightPrimary({ view }: Survey): Answering | undefined {
  if (view.kind === 'writable') return view.primary;
  return view.kind === 'several' && view.likely?.kind === 'answering' && !view.likely.state.readOnly
    ? view.likely
    : undefined;
}

function whenSilent(
  survey: Survey,
  instance: Silent,
  { byHand = false }: RejoinWish,
): Planned & { readonly again?: boolean } {
  const { name } = instance.spec;
  if (isFenced(survey, instance)) {
    if (!byHand && survey.topology.memory.stopped?.includes(name)) {
      return {
        refusals: [
          refusal('UnreachableInstance', name, `somebody had stopped ${name} before it was fenced`, {
            remedy: `only a person starts it again: \`failover rejoin ${name}\``,
          }),
        ],
      };
    }
    // Only a person starts a server that a person has stopped.
    const unfence = { do: 'unfence', instance: name, ...(byHand ? {} : { asBefore: true }) } as const;
    return {
      plan: {
        ...rejoinPlan(instance, [[step(survey.settings, unfence)]]),
        notes: [`${name} is started read-only; what it has decides what follows`],
      },
      again: true,
    };
  }
  return {
    refusals: [
      refusal('UnreachableInstance', name, `${name} does not answer: ${instance.silence.message}`, {
        remedy: `start it; it starts read-only, then \`failover rejoin ${name}\``,
      }),
    ],
  };
}

function isFenced({ topology }: Survey, { spec }: Silent): boolean {
  return topology.memory.fenced?.includes(spec.name) === true;
}

function clonePlan(survey: Survey, instance: Answering, primary: Answering, wish: RejoinWish): Planned {
  const { settings } = survey;
  const { name } = instance.spec;
  // The copy comes from a replica that has everything, which spares the primary.
  const donor =
    survey.others.find(
      (other) =>
        other !== instance &&
        survey.links.get(other.spec.name)?.state === 'hears' &&
        other.state.replication?.applier === 'on' &&
        isEmpty(survey.errant(other)) &&
        // The copy must contain the transactions that the instance wrote itself.
        isEmpty(byItself(subtract(primary.state.executed, other.state.executed), instance)) &&
        (other.state.replication.lagSeconds ?? Infinity) <= survey.settings.lagLimitSeconds,
    ) ?? primary;
  const plan: Plan = {
    ...rejoinPlan(instance, [
      [step(settings, { do: 'end-clients', instance: name }, { optional: true })],
      [step(settings, { do: 'clone', instance: name, source: donor.spec.name }, { irreversible: true })],
      ...afterwards(survey, instance, primary),
    ]),
    notes: [`the data of ${name} are thrown away and copied from ${donor.spec.name}`],
  };
  const { accepts = [] } = wish;
  const isAcker = survey.links.get(name)?.source === primary && instance.state.semiSync.replica.active;
  const planned =
    donor === primary
      ? whileItCommits(survey, primary, plan, {
          ackers: primary.state.semiSync.source.ackers - (isAcker ? 1 : 0),
          accepts,
        })
      : { plan };
  if ('refusals' in planned || planned.plan.accepted?.includes('CommitsWait')) return planned;
  const only = holdsAcknowledged(survey, primary, keepersOf(survey, instance, primary));
  if (only === undefined) return planned;
  return accepts.includes('HoldsAcknowledged')
    ? { plan: { ...planned.plan, accepted: ['HoldsAcknowledged'] } }
    : { refusals: [only] };
}

/**
 * A copy of a primary waits for its commits, and by then MySQL has thrown the old data away; an empty transaction is a
 * commit itself. Where no replica acknowledges, neither of them ever ends. `ackers` is the number of replicas that are
 * connected while the copy runs.
 */
function whileItCommits(
  survey: Survey,
  primary: Answering,
  plan: Plan,
  { ackers, accepts = [] }: { ackers: number; accepts: readonly RiskCode[] | undefined },
): Planned {
  const { source } = primary.state.semiSync;
  const waits = source.enabled && source.active;
  const isStuck = stuckThreads(primary.state).length > 0;
  if (!waits || (ackers >= source.requiredAcks && !isStuck)) return { plan };
  const { settings } = survey;
  const { name } = primary.spec;
  if (!accepts.includes('CommitsWait')) {
    return {
      refusals: [
        refusal(
          'CommitsWait',
          name,
          isStuck
            ? `commits on ${name} wait for an acknowledgement that does not come: this would wait with them`
            : `commits on ${name} would wait for ${source.requiredAcks} acknowledgements and ${ackers} could come: this would wait with them`,
          {
            remedy: 'bring another replica back first (`failover status`)',
            forceable: true,
          },
        ),
      ],
    };
  }
  return {
    plan: {
      ...plan,
      accepted: ['CommitsWait'],
      stages: [
        [
          step(
            settings,
            { do: 'semi-sync-source', instance: name, on: false },
            { undo: [{ do: 'semi-sync-source', instance: name, on: true }] },
          ),
        ],
        ...plan.stages,
        [
          step(
            settings,
            { do: 'semi-sync-source', instance: name, on: true },
            { name: 'semi-sync-source-on', always: true },
          ),
        ],
      ],
      notes: [...plan.notes, `until then ${name} commits alone: what it loses meanwhile is lost`],
    },
  };
}

function whenReadOnly(survey: Survey, instance: Answering, primary: Answering, wish: RejoinWish): Planned {
  const { name } = instance.spec;
  const errant = survey.errant(instance);
  const { takesEmptyTransactions } = traitsOf(instance.state.version.flavour);
  if (!isEmpty(errant) && !(wish.injectEmpty && takesEmptyTransactions)) {
    return {
      refusals: [
        refusal(
          'ErrantTransactions',
          name,
          `${name} has ${count(errant)} transactions that ${primary.spec.name} does not have`,
          {
            remedy: takesEmptyTransactions
              ? `look at them with \`failover errant ${name}\`, then \`--clone\` throws them away, or \`--inject-empty\` leaves their effect on ${name} only`
              : `look at them with \`failover errant ${name}\`, then \`--clone\` throws them away (MariaDB cannot take empty transactions in their place)`,
            details: [errant.toString()],
          },
        ),
      ],
    };
  }
  if (!contains(instance.state.executed, subtract(primary.state.purged, errant))) {
    return {
      refusals: [
        refusal(
          'PurgedTransactions',
          name,
          `${name} needs transactions that ${primary.spec.name} has purged`,
          {
            remedy: `\`failover rejoin ${name} --clone\``,
          },
        ),
      ],
    };
  }
  const gone = ownLost(primary, instance);
  if (!isEmpty(gone)) {
    return {
      refusals: [
        refusal(
          'LacksOwnTransactions',
          name,
          `${name} lacks ${count(gone)} transactions that it wrote itself: it was set back to an older state, and no replica fetches what bears its own server_id`,
          { remedy: `\`failover rejoin ${name} --clone\``, details: [gone.toString()] },
        ),
      ],
    };
  }
  const { settings } = survey;
  const plan = rejoinPlan(instance, [
    isEmpty(errant)
      ? []
      : [step(settings, { do: 'inject-empty', instance: primary.spec.name, gtids: errant.toString() })],
    [
      step(settings, { do: 'end-clients', instance: name }, { optional: true }),
      step(settings, { do: 'persist-read-only', instance: name }, { optional: true }),
    ],
    ...afterwards(survey, instance, primary),
  ]);
  if (isEmpty(errant)) return { plan };
  const note = `${count(errant)} transactions of ${name} count as executed everywhere; their effect stays on ${name} only: compare its data`;
  return whileItCommits(
    survey,
    primary,
    { ...plan, notes: [note] },
    { ackers: primary.state.semiSync.source.ackers, accepts: wish.accepts },
  );
}

function afterwards(survey: Survey, instance: Answering, primary: Answering): readonly Stage[] {
  return [
    ...followStages(survey, instance, primary).map((stage) =>
      stage.map((one) => ({ ...one, optional: undefined, undo: undefined, beside: undefined })),
    ),
    // One that followed nobody was a primary.
    ...(instance.state.replication === undefined
      ? demotionSql(survey.settings, instance).map((one) => [one])
      : []),
    // The instance follows by now. The record says how long it takes to catch up; nothing is taken back for that.
    [
      step(
        survey.settings,
        { do: 'catch-up', instance: instance.spec.name, with: primary.spec.name },
        { optional: true },
      ),
    ],
  ];
}
