import { traitsOf } from '../../database/traits.ts';
import { contains, isEmpty, type Gtids } from '../../database/gtid.ts';
import type { Action, Stage, Step } from './action.ts';
import { staysBelow } from '../cluster/chains.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { byMembers } from '../cluster/errant.ts';
import { isLate } from './holdings.ts';
import { compact, hookStage, makeWritable, sideBySide, step, stopReplica } from './steps.ts';
import { listed } from '../../lib/listed.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering, Instance } from '../cluster/topology.ts';

/** The last part of every change of the primary: the new primary takes writes, and the replicas follow it. */
export interface Promotion {
  readonly to: Answering;
  /** Instances that answer and do not follow the new primary yet. */
  readonly followers: readonly Answering[];
  /** Instances that follow the new primary already. */
  readonly attached: readonly Answering[];
  /** The old primary, when it answers: its events' statuses are taken over. */
  readonly old?: Answering | undefined;
  /**
   * The GTIDs that the new primary will hold; undefined when that is everything the old primary has, and no instance
   * has more.
   */
  readonly has?: Gtids | undefined;
  /** The old primary, when this change demotes it. */
  readonly demoted?: Answering | undefined;
  /** The new primary may still follow its own replica; it stops that before anything else. */
  readonly stopFirst: boolean;
}

/**
 * Invariants of these stages:
 * 1. Semi-sync is on at the new primary before it takes its first write, so it never acknowledges a write that it alone
 *    has.
 * 2. The new primary takes writes only after all the steps that stop the old one; those are the stages before these.
 * 3. A follower's semi-sync source is switched off only after its client sessions have ended, so no client is told OK
 *    by switching it off.
 * 4. The new primary forgets its source last: until then the change can be taken back.
 */
export function promotionStages(
  survey: Survey,
  promotion: Promotion,
): { stages: readonly Stage[]; notes: readonly string[] } {
  const { settings, semiSync } = survey;
  const { to, followers, attached, stopFirst } = promotion;
  const { name } = to.spec;
  const all = [...attached, ...followers];
  const prompt = all.filter((instance) => !isLate(settings, instance));
  const ackers = all.filter((instance) => instance.state.semiSync.available).length;
  // The new primary waits for as many acknowledgements as it is configured for; other instances may be configured
  // differently.
  const required = to.state.semiSync.source.requiredAcks;
  const enough = ackers >= required;
  const wantsSource = semiSync.wanted && to.state.semiSync.available && (enough || !settings.asyncWhenAlone);
  const source = to.state.semiSync.source.enabled;
  const answersWithin = wantsSource ? enough : true;
  const own: Stage[] = [
    stopFirst ? [stopReplica(settings, name)] : [],
    wantsSource === source
      ? []
      : [
          step(
            settings,
            { do: 'semi-sync-source', instance: name, on: wantsSource },
            {
              undo: [{ do: 'semi-sync-source', instance: name, on: source }],
            },
          ),
        ],
    to.state.readOnly ? [step(settings, makeWritable(to), { irreversible: true })] : [],
  ];
  const stages = [
    ...sideBySide(
      own,
      ...followers.map((instance) => [
        keepStage(survey, instance, promotion.has),
        ...followStages(survey, instance, to),
      ]),
    ),
    [
      step(settings, { do: 'point-writers', instance: name }),
      ...(wantsSource && enough
        ? [step(settings, { do: 'await-ackers', instance: name, count: required }, { optional: true })]
        : []),
      ...(promotion.demoted ? demotionSql(settings, promotion.demoted, { beside: true }) : []),
    ],
    ...(to.state.readOnly ? promotionSql(settings, to) : []),
    // Both steps write, so they run once writes are acknowledged.
    answersWithin ? [step(settings, enableEvents(survey, promotion), { optional: true })] : [],
    answersWithin && prompt.length > 0
      ? [step(settings, { do: 'prove', instance: name, on: namesOf(prompt) }, { optional: true })]
      : [],
    to.state.replication === undefined ? [] : [step(settings, { do: 'forget-source', instance: name })],
    ...hookStage(settings, 'after-promotion', { optional: true }),
  ];
  const notes: string[] = [];
  if (semiSync.wanted && !enough) {
    const who = all.length === 0 ? 'no replica' : `only ${listed(namesOf(all))}`;
    notes.push(
      settings.asyncWhenAlone
        ? `${who} could acknowledge to ${name}: its writes are accepted without an acknowledgement (failover_async_when_alone) and lost when it dies`
        : `${who} could acknowledge to ${name}: its writes wait until ${required - ackers} more can; bring a replica back with \`failover rejoin\`, or set failover_async_when_alone to accept writes that may be lost`,
    );
  }
  return { stages: compact(stages), notes };
}

/** One after the other: a later statement may need what an earlier one did. */
function promotionSql(settings: FailoverSettings, { spec }: Answering): readonly Stage[] {
  return settings.promotionSql.map((sql, index) => [
    step(
      settings,
      { do: 'run-sql', instance: spec.name, sql },
      { name: `promotion-sql-${index + 1}`, optional: true },
    ),
  ]);
}

/** The operators' statements for an instance that is no primary any more. */
export function demotionSql(
  settings: FailoverSettings,
  { spec }: Answering,
  how: { readonly beside?: true } = {},
): readonly Step[] {
  return settings.demotionSql.map((sql, index) =>
    step(
      settings,
      { do: 'run-sql', instance: spec.name, sql },
      { name: `demotion-sql-${index + 1}`, optional: true, ...how },
    ),
  );
}

/** A dead primary cannot be asked: the watch has noted which events were disabled there. */
function enableEvents(survey: Survey, { to, old }: Promotion): Action {
  const { memory } = survey.topology;
  const disabled = old?.state.disabledEvents ?? memory.disabledEvents ?? [];
  return {
    do: 'enable-events',
    instance: to.spec.name,
    disabled,
    ...(old === undefined ? {} : { as: old.spec.name }),
  };
}

/**
 * Following another source throws away what the replica has received and not applied. The new primary has those
 * transactions too. But where a write needs two acknowledgements, two replicas keep what they have acknowledged,
 * whatever dies next. Writes do not wait for this: the steps beside the plan keep their order on one instance.
 * Transactions that the new primary lacks were never acknowledged, so throwing them away is better than applying them.
 */
function keepStage(survey: Survey, instance: Answering, has: Gtids | undefined): Stage {
  const { replication } = instance.state;
  const isKept =
    survey.semiSync.required > 1 &&
    replication?.applier === 'on' &&
    !isEmpty(replication.backlog) &&
    (has === undefined || contains(has, replication.backlog));
  return isKept
    ? [
        step(
          survey.settings,
          { do: 'apply-backlog', instance: instance.spec.name },
          { optional: true, beside: true },
        ),
      ]
    : [];
}

/**
 * Makes one instance follow another: it stops waiting for acknowledgements, gives them, and fetches. MySQL takes up to
 * a second to switch the source side of semi-sync off, because its thread looks that often. No write waits for that,
 * nor for a receiver that connects: these steps run beside the plan.
 */
export function followStages(survey: Survey, instance: Answering, source: Instance): readonly Stage[] {
  const { settings } = survey;
  const { name } = instance.spec;
  const { semiSync } = instance.state;
  return [
    [
      ...(semiSync.source.enabled
        ? [
            step(
              settings,
              { do: 'semi-sync-source', instance: name, on: false },
              {
                optional: true,
                beside: true,
                undo: [{ do: 'semi-sync-source', instance: name, on: true }],
              },
            ),
          ]
        : []),
      ...(survey.semiSync.wanted && semiSync.available && !semiSync.replica.enabled
        ? [
            step(
              settings,
              { do: 'semi-sync-replica', instance: name, on: true },
              {
                optional: true,
                beside: true,
                undo: [{ do: 'semi-sync-replica', instance: name, on: false }],
              },
            ),
          ]
        : []),
    ],
    [
      followStep(survey, instance, source, {
        optional: true,
        beside: true,
      }),
    ],
  ];
}

/** The step with its undo, which restores the source that the instance has now, in the state that it is in now. */
export function followStep(
  survey: Survey,
  instance: Answering,
  source: Instance,
  extra: Partial<Step> = {},
): Step {
  const { name } = instance.spec;
  return step(
    survey.settings,
    {
      do: 'follow',
      instance: name,
      source: source.spec.name,
      demoted: instance.state.replication === undefined,
    },
    { undo: formerLink(survey, instance), ...extra },
  );
}

/** The actions that restore the source that an instance has now. */
export function formerLink(survey: Survey, instance: Answering): readonly Action[] {
  const { name } = instance.spec;
  const { replication } = instance.state;
  const former = survey.links.get(name)?.source;
  if (replication === undefined || former === undefined) {
    return [
      { do: 'stop-replica', instance: name },
      { do: 'forget-source', instance: name },
    ];
  }
  return [
    { do: 'follow', instance: name, source: former.spec.name, demoted: false },
    ...(replication.receiver === 'off' ? [{ do: 'stop-receiver', instance: name } as const] : []),
  ];
}

/**
 * The instances that may follow this one: their history is part of the new primary's, and the new primary has purged
 * nothing that they need. A MySQL replica that has followed so far with transactions of its own goes on doing so,
 * because without it perhaps no replica is left that acknowledges. An instance that holds transactions of another
 * member which this one lacks has a different history.
 */
export function sortFollowers(
  survey: Survey,
  to: Answering,
  from: readonly Answering[],
): { fit: readonly Answering[]; notes: readonly string[] } {
  const fit: Answering[] = [];
  const notes: string[] = [];
  for (const instance of from) {
    if (instance === to || staysBelow(survey, instance, to)) continue;
    const { name } = instance.spec;
    const own = survey.errant(instance);
    const { otherChannels } = instance.state;
    if (otherChannels.length > 0) {
      notes.push(
        `${name} replicates by more channels (${listed(otherChannels)}) and is not moved: \`CHANGE REPLICATION SOURCE … FOR CHANNEL ''\` there`,
      );
    } else if (!isEmpty(own) && !(isEmpty(byMembers(own, survey, instance)) && followedWithThem(instance))) {
      notes.push(`${name} has transactions of its own and does not follow: \`failover rejoin ${name}\``);
    } else if (!contains(survey.holds(instance), to.state.purged)) {
      notes.push(
        `${name} needs transactions that ${to.spec.name} has purged: \`failover rejoin ${name} --clone\``,
      );
    } else {
      if (!isEmpty(own))
        notes.push(`${name} has transactions of its own and follows with them: \`failover errant ${name}\``);
      fit.push(instance);
    }
  }
  return { fit, notes };
}

function followedWithThem({ state: { version, replication } }: Answering): boolean {
  return (
    traitsOf(version.flavour).toleratesErrant &&
    replication !== undefined &&
    replication.applier === 'on' &&
    replication.applierError === undefined
  );
}
