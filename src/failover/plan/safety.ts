import { contains, count, isEmpty, parseGtids, subtract, union, type Gtids } from '../../database/gtid.ts';
import { listed } from '../../lib/listed.ts';
import { copierOf } from '../cluster/copies.ts';
import { byItself, knownOfPrimary } from '../cluster/errant.ts';
import { mayHaveLostRelayLog } from '../cluster/restarts.ts';
import { sourceSettings } from '../cluster/source-settings.ts';
import { strangeAckers } from '../cluster/strangers.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering, Instance } from '../cluster/topology.ts';
import { giverFor, missingAt } from './holdings.ts';
import { refusal, type Refusal } from './refusals.ts';
import { lostBesideTail } from './rescue.ts';

/** What is known about the acknowledged writes of a primary that is gone. */
export interface Safety {
  /** Whether every acknowledged write is on an instance that can be reached. */
  readonly safe: boolean;
  /** Why not, in one sentence. */
  readonly reason: string | undefined;
  /** Instances that may have acknowledged writes and do not answer. */
  readonly unreached: readonly string[];
}

/**
 * The number of acknowledgements for which the primary waited before it told a client OK, or why nobody can say that it
 * waited.
 */
export type Durability = { readonly waitsFor: number } | { readonly unknown: string };

/**
 * Judges what the primary did, and not how other instances are configured: what it says now, and what was last seen of
 * it while it took writes. The weaker of the two counts. What nobody has seen is not safe.
 */
export function durabilityOf(survey: Survey): Durability {
  const { primary, topology } = survey;
  const { semiSync, unfinished } = topology.memory;
  const name = primary?.spec.name;
  // When the last change was cut off before this instance took writes, the writes in question are those of the primary
  // before it.
  const before = unfinished?.to === name ? unfinished?.from : undefined;
  const seen = [
    primary?.kind === 'answering' && !primary.state.readOnly ? sourceSettings(primary) : undefined,
    semiSync && [name, before].includes(semiSync.instance) ? semiSync : undefined,
    unfinished?.semiSync?.instance === name ? unfinished?.semiSync : undefined,
  ].filter((one) => one !== undefined);
  if (seen.length === 0) {
    return { unknown: 'nobody has seen whether the primary waited for acknowledgements before it was gone' };
  }
  if (seen.some(({ waits }) => !waits)) {
    return { unknown: 'semi-sync was off, or had fallen back, when the primary was seen last' };
  }
  if (seen.some(({ endless }) => !endless)) {
    return {
      unknown: 'the primary may have fallen back to asynchronous, so the last writes may be on it only',
    };
  }
  return { waitsFor: Math.min(...seen.map(({ required }) => required)) };
}

/**
 * At least `waitsFor` replicas hold an acknowledged write. When fewer than that are out of reach, one that is reached
 * holds it; in other words, `ackers - waitsFor + 1` of them must be reached. Stopping that many receivers also keeps
 * the old primary, wherever it is, from acknowledging anything more. A fenced instance has run no mysqld since an
 * earlier failover, so it has acknowledged nothing. An instance whose data are being replaced has lost what it
 * acknowledged before: it is done without only when what it held then is held by the others that are reached. When a
 * change that was cut off had opened the new primary already, that one has everything, whatever happened to the others
 * since.
 */
export function safetyOf(survey: Survey): Safety {
  if (hasBegun(survey)) return { safe: true, reason: undefined, unreached: [] };
  const { fenced = [], unfinished } = survey.topology.memory;
  // A change that was cut off may not have reached the fence that it intended.
  const isOff = (name: string): boolean =>
    (fenced.includes(name) && name !== unfinished?.from) || isReplacedSafely(survey, name);
  // A replica below another replica acknowledges nothing to the primary.
  const isBelow = (name: string): boolean =>
    ![undefined, survey.primary?.spec.name].includes(survey.topology.memory.below?.[name]);
  const unreached = [
    ...namesOf(survey.lostOthers).filter((name) => !isOff(name) && !isBelow(name)),
    ...wasToBecomePrimary(survey),
    ...strangersOf(survey),
  ];
  const emptied = namesOf(survey.others.filter((instance) => mayHaveLostRelayLog(survey, instance)));
  const durability = durabilityOf(survey);
  const isEnough = 'waitsFor' in durability && unreached.length + emptied.length < durability.waitsFor;
  const reason =
    'unknown' in durability
      ? durability.unknown
      : isEnough
        ? undefined
        : [
            ...(unreached.length > 0
              ? [
                  `${listed(unreached)} may have acknowledged writes that no other replica has, and ${unreached.length === 1 ? 'does' : 'do'} not answer`,
                ]
              : []),
            ...(emptied.length > 0
              ? [
                  `${listed(emptied)} ${emptied.length === 1 ? 'was' : 'were'} restarted and ${emptied.length === 1 ? 'has' : 'have'} not received from the primary since: MariaDB deletes at its start what was acknowledged and not applied`,
                ]
              : []),
          ].join('; ');
  return { safe: reason === undefined, reason, unreached };
}

/**
 * Whether the new primary of a failover that was cut off has taken writes, and still has all that it began with: then it
 * had applied what the old primary had acknowledged.
 */
function hasBegun(survey: Survey): boolean {
  const { topology, primary } = survey;
  const { unfinished } = topology.memory;
  const fresh = unfinished && survey.instance(unfinished.to);
  if (unfinished?.began === undefined || unfinished.from !== primary?.spec.name) return false;
  if (fresh?.kind !== 'answering') return false;
  const { executed } = fresh.state;
  const began = parseGtids(executed.flavour, unfinished.began);
  return contains(executed, began) && !isEmpty(byItself(subtract(executed, began), fresh));
}

/** Its data are being replaced, and every transaction of the primary that they had is on a replica that is reached. */
function isReplacedSafely(survey: Survey, name: string): boolean {
  const { memory, at } = survey.topology;
  const held = memory.copies?.[name]?.held;
  const [one] = survey.others;
  if (copierOf(memory, name, at) === undefined || held === undefined || one === undefined) return false;
  return contains(survey.everything(), parseGtids(one.state.version.flavour, held));
}

/** Nobody can ask these instances what they hold, and their receivers go on running. */
function strangersOf({ primary, topology, links }: Survey): readonly string[] {
  if (primary?.kind === 'answering') return strangeAckers(topology, links, primary);
  const { semiSync } = topology.memory;
  return semiSync?.instance === primary?.spec.name ? (semiSync?.strangers ?? []) : [];
}

/**
 * When a change was cut off before this instance is known to have taken writes, it may hold what it acknowledged to the
 * primary before it.
 */
function wasToBecomePrimary({ primary, topology }: Survey): readonly string[] {
  const { unfinished } = topology.memory;
  return primary?.kind === 'silent' &&
    unfinished?.to === primary.spec.name &&
    unfinished.semiSync === undefined
    ? [primary.spec.name]
    : [];
}

/** The transactions that are lost for certain: the old primary had them, and no instance that answers does. */
export function knownLoss(survey: Survey, to: Answering): Gtids | undefined {
  const known = knownOfPrimary(survey);
  if (known === undefined) return undefined;
  const isReachable = isEmpty(missingAt(survey, to)) || giverFor(survey, to) !== undefined;
  const reachable = isReachable ? union(survey.holds(to), survey.everything()) : survey.holds(to);
  return subtract(known, reachable);
}

/** What a failover to this instance would lose, or cannot promise to keep. */
export function losses(survey: Survey, target: Instance, rescueTail = false): readonly Refusal[] {
  if (target.kind === 'silent') return [];
  const found: Refusal[] = [];
  const lost = lostBesideTail(survey, target, knownLoss(survey, target), rescueTail);
  if (lost !== undefined && !isEmpty(lost)) {
    found.push(
      refusal(
        'LosesTransactions',
        target.spec.name,
        `${count(lost)} transactions were seen on the old primary and are on no replica that could give them`,
        {
          remedy: 'bring the old primary or a silent replica back',
          forceable: true,
          details: [lost.toString()],
        },
      ),
    );
  }
  const safety = safetyOf(survey);
  if (!safety.safe) {
    found.push(
      refusal(
        'unknown' in durabilityOf(survey) ? 'Asynchronous' : 'TooFewAckers',
        target.spec.name,
        `that no acknowledged write is lost cannot be proved: ${safety.reason}`,
        { remedy: safetyRemedy(survey, safety), forceable: true },
      ),
    );
  }
  return found;
}

/** Remedies that bring the writes back come first; accepting their loss comes last. */
function safetyRemedy(survey: Survey, { unreached }: Safety): string {
  const { primary, topology } = survey;
  const old = primary?.kind === 'silent' ? primary.spec.name : undefined;
  const isFenced = old !== undefined && topology.memory.fenced?.includes(old) === true;
  const ways = [
    ...(isFenced ? [`\`failover rejoin ${old}\` starts ${old}, which was fenced, read-only`] : []),
    ...(unreached.length > 0 ? [`bring ${listed(unreached)} back`] : []),
  ];
  return ways.length === 0 ? `find out what ${old ?? 'the old primary'} acknowledged` : ways.join('; or ');
}
