import { count, type Gtids, isEmpty, subtract, union } from '../../database/gtid.ts';
import { traitsOf } from '../../database/traits.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Tail } from '../cluster/tail.ts';
import type { Answering } from '../cluster/topology.ts';
import type { Stage } from './action.ts';
import { refusal, type Refusal } from './refusals.ts';
import { step, stopReplica } from './steps.ts';

/*
 * The tail of a dead primary: transactions in its binary log that no replica has received. Invariants:
 * 1. It is read only when mysqld has ended and cannot start again, so the fence comes first.
 * 2. It is applied before the new primary takes writes, and only when it goes on exactly where the replicas end.
 * 3. Taking the change back needs nothing: what was applied is what the old primary has.
 * 4. It only adds transactions, and proves nothing: the log need not have been on the disk when its machine went down.
 */

/** The tail of the primary, when it was read. */
export function tailOf({ topology, primary }: Survey): Tail | undefined {
  const { tail } = topology;
  return tail === undefined || 'unreadable' in tail || tail.instance !== primary?.spec.name
    ? undefined
    : tail;
}

/** What the tail holds and no instance has that answers. */
export function onlyInTail(survey: Survey, tail: Tail, to: Answering): Gtids {
  return subtract(tail.logged, union(survey.holds(to), survey.everything()));
}

/** What of this is lost when the tail is applied, too. Nobody knows before it was read. */
export function lostBesideTail(
  survey: Survey,
  to: Answering,
  lost: Gtids | undefined,
  rescueTail: boolean,
): Gtids | undefined {
  if (!rescueTail || lost === undefined) return lost;
  const tail = tailOf(survey);
  return tail && subtract(lost, onlyInTail(survey, tail, to));
}

/** Why the tail cannot be applied. Without any look at it, that is decided when the primary is fenced. */
export function rescueRefusals(survey: Survey, to: Answering): readonly Refusal[] {
  const doubt = whyNotLast(survey);
  if (doubt !== undefined) {
    return [
      refusal(
        'TailNotContinuous',
        survey.primary?.spec.name,
        `the binary log of ${survey.primary?.spec.name} need not be that of the last primary: ${doubt}`,
        { remedy: 'promote without `--rescue-tail`; `failover errant` shows what differs once both run' },
      ),
    ];
  }
  const view = survey.topology.tail;
  if (view === undefined) return [];
  const { instance } = view;
  if ('unreadable' in view) {
    return [
      refusal(
        'TailUnreadable',
        instance,
        `the binary log of ${instance} cannot be read: ${view.unreadable}`,
        {
          remedy: `bring the machine of ${instance} back, or promote without \`--rescue-tail\``,
        },
      ),
    ];
  }
  const beside = besideTail(survey, view, to);
  if (isEmpty(beside)) return [];
  return [
    refusal(
      'TailNotContinuous',
      instance,
      `the binary log of ${instance} does not go on where ${to.spec.name} ends: it lacks ${counted(beside)} that the replicas have`,
      {
        remedy: 'promote without `--rescue-tail`; `failover errant` shows what differs once both run',
        details: [beside.toString()],
      },
    ),
  ];
}

/**
 * The stages that apply the tail on the candidate, which is read-only all the time, and replicates no more: MariaDB can only
 * then be told that what was applied counts as replicated, and would fetch it once more when the change is taken back.
 */
export function rescueStages(survey: Survey, to: Answering): readonly Stage[] {
  const tail = tailOf(survey);
  if (tail === undefined) return [];
  const gtids = onlyInTail(survey, tail, to);
  if (isEmpty(gtids)) return [];
  const { name } = to.spec;
  // MySQL: what was read-only for everybody is read-only for clients while the tail is applied.
  const reopens = traitsOf(to.state.version.flavour).readOnlyStopsEverybody;
  return [
    [stopReplica(survey.settings, name)],
    [
      step(
        survey.settings,
        { do: 'apply-log', instance: name, of: tail.instance, gtids: gtids.toString() },
        reopens ? { undo: [{ do: 'make-read-only', instance: name }] } : {},
      ),
    ],
  ];
}

/** What the plan says about the tail. */
export function tailNotes(survey: Survey, to: Answering, isRescued: boolean): readonly string[] {
  const tail = tailOf(survey);
  if (tail === undefined) {
    const name = survey.primary?.spec.name;
    return isRescued
      ? [`what only the binary log of ${name} holds is applied on ${to.spec.name} first; ${unknown(name)}`]
      : [];
  }
  const gtids = onlyInTail(survey, tail, to);
  const ends = tail.isCut
    ? [`the binary log of ${tail.instance} ends within an event, which is left out`]
    : [];
  if (isEmpty(gtids)) {
    return [
      `the binary log of ${tail.instance} holds nothing that the replicas lack; ${unknown(tail.instance)}`,
      ...ends,
    ];
  }
  const held = `the binary log of ${tail.instance} holds ${counted(gtids)} that no replica has: ${gtids.toString()}`;
  const what = isRescued
    ? `${to.spec.name} applies them before it takes writes`
    : whyNotLast(survey) === undefined
      ? `\`--rescue-tail\` applies them before ${to.spec.name} takes writes`
      : 'they stay there';
  return [`${held}; ${what}; ${unknown(tail.instance)}`, ...ends];
}

function unknown(name: string | undefined): string {
  return `what ${name} had not written to its disk cannot be known`;
}

/** Why an instance other than this one may have taken the last writes. */
function whyNotLast({ topology, primary }: Survey): string | undefined {
  const { memory } = topology;
  if (memory.unfinished !== undefined) {
    return `a ${memory.unfinished.kind} to ${memory.unfinished.to} was cut off`;
  }
  return memory.primary === undefined || memory.primary === primary?.spec.name
    ? undefined
    : `${memory.primary} was the primary last`;
}

/** What the candidate or another instance has and the log has not: it lost transactions, or they have got others since. */
function besideTail(survey: Survey, tail: Tail, to: Answering): Gtids {
  return subtract(union(survey.holds(to), survey.everything()), tail.logged);
}

function counted(gtids: Gtids): string {
  const total = count(gtids);
  return `${total} ${total === 1 ? 'transaction' : 'transactions'}`;
}
