import { listed } from '../../lib/listed.ts';
import type { ClientThread, HeldLock, LockHolder } from '../../database/state.ts';
import { stuckThreads } from '../cluster/stuck.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';
import type { Action, Stage } from './action.ts';
import { refusal, type Refusal } from './refusals.ts';
import type { RiskCode } from './risks.ts';
import { step } from './steps.ts';

/** How a prepared transaction is ended, by the name that XA RECOVER gives it. */
export interface PreparedEnd {
  readonly xid: string;
  readonly how: 'commit' | 'rollback';
}

/** What the operator wants to become of the sessions that are in the way. */
export interface SessionWish {
  /** Those that hold up the primary's demotion or the candidate's applier are ended. */
  readonly endSessions?: boolean | undefined;
  readonly endPrepared?: readonly PreparedEnd[] | undefined;
}

/** What is accepted of a refusal by ending the sessions that it names. */
export const ENDED_SESSIONS: readonly RiskCode[] = ['LongTransactions', 'LockedTables', 'BlockedCandidate'];

/** The sessions, locks and prepared transactions on the primary that stand in the way of a switchover. */
export function blockers(
  { primary, settings }: Survey,
  { endPrepared = [] }: SessionWish,
): readonly Refusal[] {
  if (primary?.kind !== 'answering') return [];
  const { name } = primary.spec;
  const found: Refusal[] = [];
  const stuck = stuckThreads(primary.state);
  if (stuck.length > 0) {
    found.push(
      refusal(
        'WaitingForAcknowledgement',
        name,
        `${stuck.length} commits on ${name} wait for an acknowledgement, and would hold up super_read_only`,
        {
          remedy: 'bring a replica back that acknowledges',
          forceable: true,
          details: stuck.map(described),
        },
      ),
    );
  }
  const long = longTransactions(primary, settings.longTransactionSeconds);
  if (long.length > 0) {
    found.push(
      refusal(
        'LongTransactions',
        name,
        long.length === 1
          ? `a long transaction is open on ${name}`
          : `${long.length} long transactions are open on ${name}`,
        {
          remedy: 'wait for them; or `--end-sessions` ends their sessions',
          forceable: true,
          details: long.map(described),
        },
      ),
    );
  }
  const locking = lockers(primary);
  if (locking.length > 0) {
    found.push(
      refusal(
        'LockedTables',
        name,
        `${locking.length === 1 ? 'a session' : `${locking.length} sessions`} on ${name} ${locking.length === 1 ? 'has' : 'have'} locked tables for writing: read-only would wait for that`,
        {
          remedy: 'wait for UNLOCK TABLES there; or `--end-sessions` ends the sessions',
          forceable: true,
          details: locking.map(described),
        },
      ),
    );
  }
  const prepared = primary.state.preparedTransactions;
  const left = prepared?.names?.filter((xid) => !endPrepared.some((one) => isXid(one.xid, xid)));
  if (prepared !== undefined && (left === undefined || left.length > 0)) {
    found.push(
      refusal(
        'PreparedTransactions',
        name,
        `XA transactions are prepared on ${name} for up to ${prepared.seconds} s, and their sessions have ended`,
        {
          remedy:
            left === undefined
              ? 'their coordinator ends them; the account may not list them (XA_RECOVER_ADMIN)'
              : 'their coordinator ends them; when it is gone for good, `--end-xa XID=rollback` or `--end-xa XID=commit` does, as the other databases of the transaction have done',
          forceable: true,
          details: left ?? [],
        },
      ),
    );
  }
  return found;
}

/** Ends what the operator wants to be ended, before writes stand still. None of it can be taken back. */
export function endStages(survey: Survey, to: Answering, wish: SessionWish): readonly Stage[] {
  const { primary, settings } = survey;
  if (primary?.kind !== 'answering') return [];
  const { name } = primary.spec;
  const prepared = (primary.state.preparedTransactions?.names ?? []).flatMap((xid): readonly Action[] => {
    const end = wish.endPrepared?.find((one) => isXid(one.xid, xid));
    return end === undefined ? [] : [{ do: 'end-prepared', instance: name, xid, how: end.how }];
  });
  const onPrimary = [...longTransactions(primary, settings.longTransactionSeconds), ...lockers(primary)];
  const onCandidate = wish.endSessions === true ? to.state.lockHolders : [];
  const ends = [
    { instance: to.spec.name, sessions: onCandidate },
    { instance: name, sessions: onPrimary },
  ].filter(({ sessions }) => sessions.length > 0);
  return [
    ends.map(({ instance, sessions }) =>
      step(settings, {
        do: 'end-sessions',
        instance,
        sessions: [...new Set(sessions.map(({ id }) => id))],
      }),
    ),
    ...prepared.map((action, index) => [step(settings, action, { name: `end-prepared-${index + 1}` })]),
  ];
}

/** Who else holds locks on the primary: these sessions hold up nothing, and end with the other clients. */
export function endedNotes(primary: Answering): readonly string[] {
  const { lockHolders, backupLocks } = primary.state;
  return [...lockHolders, ...backupLocks]
    .filter((one) => !isLocker(one))
    .map((one) => `${described(one)}: it ends on ${primary.spec.name} with the other clients`);
}

/** A session in words: who, from where, for how long, what it holds and what it said last. */
export function described(thread: ClientThread | LockHolder): string {
  const { id, user, host, seconds, state, statement } = thread;
  const what = [
    ...('holds' in thread ? [LOCKS[thread.holds]] : []),
    ...(state === '' ? [] : [state]),
    ...(statement ? [statement] : []),
  ];
  return `session ${id}, ${user} from ${host}, for ${seconds} s${what.length === 0 ? '' : `: ${what.join('; ')}`}`;
}

const LOCKS: Readonly<Record<HeldLock, string>> = {
  everything: 'holds FLUSH TABLES WITH READ LOCK',
  'tables-for-writing': 'holds LOCK TABLES … WRITE',
  tables: 'holds LOCK TABLES … READ',
  awaited: 'holds locks that the applier waits for',
  backup: 'holds a backup lock',
};

/** Names of the prepared transactions that do not exist on the primary. */
export function unknownXids(
  { primary, settings }: Survey,
  { endPrepared = [] }: SessionWish,
): readonly Refusal[] {
  if (primary?.kind !== 'answering') return [];
  const names = primary.state.preparedTransactions?.names ?? [];
  const wrong = endPrepared.filter(({ xid }) => !names.some((name) => isXid(xid, name)));
  if (wrong.length === 0) return [];
  return [
    refusal(
      'UnknownTransaction',
      primary.spec.name,
      `no XA transaction is prepared on ${primary.spec.name} for ${settings.longTransactionSeconds} s or more as ${listed(wrong.map(({ xid }) => xid))}`,
      {
        remedy: names.length === 0 ? 'leave --end-xa out' : 'name one of these',
        details: names,
      },
    ),
  ];
}

function longTransactions({ state }: Answering, seconds: number): readonly ClientThread[] {
  return state.longTransactions.filter((thread) => thread.seconds >= seconds);
}

function lockers({ state }: Answering): readonly LockHolder[] {
  return state.readOnly ? [] : state.lockHolders.filter(isLocker);
}

function isLocker({ holds }: LockHolder): boolean {
  return holds === 'tables-for-writing';
}

/** A name may be typed without the quotes that it has in SQL, since the shell takes those. */
function isXid(typed: string, xid: string): boolean {
  return typed === xid || `'${typed}'` === xid || typed === xid.replaceAll("'", '');
}
