import { traitsOf } from '../../database/traits.ts';
import type { Plan, Stage, Step } from './action.ts';
import { isLate } from './holdings.ts';
import { followStep, promotionStages, sortFollowers } from './promotion.ts';
import { endedNotes, endStages, type SessionWish } from './sessions.ts';
import { compact, holdWriters, hookStage, makeWritable, step } from './steps.ts';
import { writerNotes } from './writer-notes.ts';
import { listed } from '../../lib/listed.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';

export interface SwitchoverOptions {
  /** Whether the old primary follows the new one. */
  readonly rejoin: boolean;
  /** What becomes of the sessions that stand in the way. */
  readonly sessions: SessionWish;
}

/**
 * Moves the primary while the old one answers. Invariants:
 * 1. No acknowledged write is lost: the new primary takes writes only after it has applied everything that the old one
 *    executed, asked after the old one stopped taking writes.
 * 2. No two instances acknowledge writes at the same time: `make-writable` comes after `make-read-only` has succeeded,
 *    never in the same stage.
 * 3. The primary has the acknowledgements that it needs until it is read-only: a commit that waits for one would hold
 *    up `super_read_only`. So only the replicas that it can do without move before that.
 * 4. A replica moves only when the new primary has everything that the replica has: moving throws away what the replica
 *    has received and not applied.
 * 5. The old primary's semi-sync is switched off only after its client sessions have ended, because that tells waiting
 *    clients OK.
 */
export function planSwitchover(
  survey: Survey,
  from: Answering,
  to: Answering,
  options: SwitchoverOptions,
): Plan {
  const { settings } = survey;
  const old = from.spec.name;
  const fresh = to.spec.name;
  const isWritable = !from.state.readOnly;
  const stopsEverybody = traitsOf(from.state.version.flavour).readOnlyStopsEverybody;
  const siblings = sortFollowers(
    survey,
    to,
    survey.others.filter((instance) => instance !== to),
  );
  const attached = siblings.fit.filter(
    (instance) =>
      survey.links.get(instance.spec.name)?.source === to &&
      survey.links.get(instance.spec.name)?.state === 'hears',
  );
  const unattached = siblings.fit.filter((instance) => !attached.includes(instance));
  const blocked = unattached.filter(isBlocked);
  const free = unattached.filter((instance) => !isBlocked(instance));
  const early = movedEarly(survey, from, free);
  const late = free.filter((instance) => !early.includes(instance));
  const oldFollows = options.rejoin ? sortFollowers(survey, to, [from]) : { fit: [], notes: [] };
  const promotion = promotionStages(survey, {
    to,
    attached: [...attached, ...early],
    followers: [...late, ...oldFollows.fit],
    old: from,
    demoted: from,
    stopFirst: true,
  });
  const stages: readonly Stage[] = [
    ...hookStage(settings, 'before-switchover'),
    ...endStages(survey, to, options.sessions),
    [step(settings, { do: 'catch-up', instance: fresh, with: old }, { name: 'catch-up-before' })],
    ...(early.length > 0 ? moveEarly(survey, from, to, early) : []),
    [holdWriters(settings, settings.switchoverTimeoutMs, { to })],
    [
      step(
        settings,
        { do: 'make-read-only', instance: old },
        isWritable ? { undo: [makeWritable(from)] } : {},
      ),
    ],
    [
      step(
        settings,
        { do: 'end-writers', instance: old },
        isWritable ? { undo: [{ do: 'point-writers', instance: old }] } : {},
      ),
      step(settings, { do: 'end-clients', instance: old }),
      // Where privileged sessions can write until they are ended, this comes after that.
      ...(stopsEverybody ? lastCatchUp() : []),
      // The option file starts the server read-only, too. On a full disk nothing can be persisted.
      step(settings, { do: 'persist-read-only', instance: old }, { optional: true }),
    ],
    stopsEverybody ? [] : lastCatchUp(),
    ...promotion.stages,
  ];
  return {
    kind: 'switchover',
    from: old,
    to: fresh,
    notes: [
      ...endedNotes(from),
      ...siblings.notes,
      ...blocked.map((instance) => leftBehindNote(instance, from, to, options.rejoin)),
      ...oldFollows.notes,
      ...promotion.notes,
      ...(options.rejoin ? [] : [`${old} stays read-only and follows nobody: \`failover rejoin ${old}\``]),
      ...silentNote(survey),
      ...writerNotes(survey, old),
    ],
    lost: '',
    lostCount: 0,
    writesWithinMs: settings.switchoverTimeoutMs,
    stages: compact(stages),
  };

  /** What it has received counts, too: a primary that restarts at this moment may come back without its last writes. */
  function lastCatchUp(): Stage {
    const limitMs = Math.min(settings.catchUpTimeoutMs, settings.switchoverTimeoutMs);
    return [
      { ...step(settings, { do: 'catch-up', instance: fresh, with: old }), limitMs },
      { ...step(settings, { do: 'apply-backlog', instance: fresh }), limitMs },
    ];
  }
}

/**
 * Whether the replica's applier waits for a client's lock, or will. Moving the replica would wait as long and gain
 * nothing.
 */
export function isBlocked({ state }: Answering): boolean {
  return state.replication !== undefined && state.lockHolders.length > 0;
}

function leftBehindNote(instance: Answering, from: Answering, to: Answering, rejoin: boolean): string {
  const { name } = instance.spec;
  const [holder] = instance.state.lockHolders;
  const session =
    holder === undefined ? 'a session' : `session ${holder.id} (${holder.user} from ${holder.host})`;
  const stays = rejoin
    ? `stays below ${from.spec.name}, and gets everything by way of it`
    : `stays below ${from.spec.name}, and gets nothing new`;
  return `${name} ${stays}: ${session} holds locks there that its applier would wait for; end it, then \`failover relocate ${name} ${to.spec.name}\``;
}

/** The notes about replicas that do not answer. */
export function silentNote(survey: Survey): readonly string[] {
  const names = namesOf(survey.lostOthers);
  return names.length === 0
    ? []
    : [`${listed(names)} ${names.length === 1 ? 'does' : 'do'} not answer and will follow when back`];
}

/** As many replicas as the primary can do without; the others must go on acknowledging to it. */
function movedEarly(survey: Survey, from: Answering, siblings: readonly Answering[]): readonly Answering[] {
  const { source } = from.state.semiSync;
  const isAcker = (instance: Answering): boolean =>
    instance.state.semiSync.replica.active && survey.links.get(instance.spec.name)?.source === from;
  let spare = source.enabled ? source.ackers - source.requiredAcks : Infinity;
  return siblings.filter((instance) => {
    const { replication } = instance.state;
    if (replication?.applier !== 'on' || survey.links.get(instance.spec.name)?.state !== 'hears')
      return false;
    // A replica that has not applied its backlog within the time of a catch-up would take the whole change back.
    if (isLate(survey.settings, instance)) return false;
    if (!isAcker(instance)) return true;
    return spare-- > 0;
  });
}

/**
 * Moves replicas early: their receivers stop, they apply what they have received, the candidate, which still receives,
 * gets at least as far, and then they follow it. Clients go on writing all the time.
 */
function moveEarly(
  survey: Survey,
  from: Answering,
  to: Answering,
  siblings: readonly Answering[],
): readonly Stage[] {
  const { settings } = survey;
  const fresh = to.spec.name;
  // A replica that cannot keep up is left behind and does not hold up the others.
  const limitMs = Math.min(settings.catchUpTimeoutMs, settings.switchoverTimeoutMs);
  const each = (make: (instance: Answering, name: string) => Step | undefined): Stage =>
    siblings.flatMap((instance) => {
      const { name } = instance.spec;
      const made = make(instance, name);
      return made === undefined
        ? []
        : [{ ...made, limitMs: Math.min(made.limitMs, limitMs), bystander: name }];
    });
  return [
    each((_, name) =>
      step(
        settings,
        { do: 'stop-receiver', instance: name },
        { undo: [{ do: 'start-receiver', instance: name }] },
      ),
    ),
    each((_, name) => step(settings, { do: 'apply-backlog', instance: name })),
    each((_, name) =>
      step(settings, { do: 'catch-up', instance: fresh, with: name }, { name: `catch-up-with-${name}` }),
    ),
    each((instance, name) =>
      survey.semiSync.wanted && instance.state.semiSync.available && !instance.state.semiSync.replica.enabled
        ? step(
            settings,
            { do: 'semi-sync-replica', instance: name, on: true },
            { undo: [{ do: 'semi-sync-replica', instance: name, on: false }] },
          )
        : undefined,
    ),
    each((instance, name) =>
      // Back below the primary, also for a replica that was below another replica, which may not be back itself yet.
      followStep(survey, instance, to, {
        undo: [{ do: 'follow', instance: name, source: from.spec.name, demoted: false }],
      }),
    ),
    each((_, name) =>
      step(settings, { do: 'catch-up', instance: name, with: fresh }, { name: `catch-up-with-${fresh}` }),
    ),
  ];
}
