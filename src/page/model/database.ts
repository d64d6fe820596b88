import type { DatabaseState } from './state.ts';
import { type Mark, type Tone, worst } from './mark.ts';
import { counted, type Piece, pieces, shortGtids, span } from './text.ts';
import { replicationTree, type TreeNode } from './tree.ts';

export interface ProblemView {
  readonly tone: 'critical' | 'warning' | 'notice';
  readonly code: string;
  readonly message: string;
  readonly remedy: readonly Piece[];
}

export interface ChangeView {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  /** `db1 → db2`. */
  readonly change: string;
  readonly mark: Mark;
  readonly took: string;
  readonly who: string;
  readonly reason: string;
  /** What else is to be known of it: what was lost, accepted, or went wrong. */
  readonly notes: readonly Mark[];
  readonly isRunning: boolean;
  readonly steps: readonly { readonly name: string; readonly mark: Mark; readonly took: string }[];
}

/** A member of something: its name, and how it is. */
export interface MemberView {
  readonly name: string;
  readonly mark: Mark;
}

export interface DatabaseView {
  readonly name: string;
  readonly epoch: number | undefined;
  readonly primary: Mark;
  /** Why the lock and the journal cannot be read; undefined: they can. */
  readonly storeFailure: string | undefined;
  readonly tree: readonly TreeNode[];
  /** To which host each balancer sends writers. */
  readonly writers: readonly MemberView[];
  readonly watches: readonly MemberView[];
  readonly etcd: readonly MemberView[];
  readonly sessions: readonly MemberView[] | undefined;
  readonly problems: readonly ProblemView[];
  readonly history: readonly ChangeView[];
}

const STEP: Readonly<Record<'running' | 'done' | 'failed' | 'undone' | 'skipped', Tone>> = {
  running: 'notice',
  done: 'good',
  failed: 'critical',
  undone: 'warning',
  skipped: 'unknown',
};

/** One cluster as the page shows it. */
export function databaseView(state: DatabaseState): DatabaseView {
  const { status, etcd, history } = state;
  return {
    name: state.name,
    epoch: status?.epoch,
    primary: primaryMark(state),
    storeFailure: state.storeFailure ?? undefined,
    tree: status === null ? [] : replicationTree(status),
    writers: status === null ? [] : writersOf(status),
    watches: [
      ...(status?.watchers ?? []).map((name) => ({ name, mark: { tone: 'good', text: 'watches' } as const })),
      ...state.silentWatchers.map((name) => ({ name, mark: { tone: 'warning', text: 'silent' } as const })),
    ],
    etcd: etcd.map(({ member, trouble }) => ({
      name: member,
      mark: trouble === null ? { tone: 'good', text: 'healthy' } : { tone: 'warning', text: trouble },
    })),
    sessions: status?.sessions ? sessionsOf(status.sessions) : undefined,
    problems: [...(status?.problems ?? []), ...(status?.sessions?.problems ?? [])].map(
      ({ severity, code, message, remedy }) => ({ tone: severity, code, message, remedy: pieces(remedy) }),
    ),
    history: history.map(changeView),
  };
}

function primaryMark({ status, failure }: DatabaseState): Mark {
  if (status === null)
    return failure === null
      ? { tone: 'unknown', text: 'is being looked at' }
      : { tone: 'critical', text: failure };
  const primaries = status.instances.filter(({ role }) => role === 'primary');
  const [primary] = primaries;
  if (primary === undefined) return { tone: 'critical', text: 'no primary' };
  if (primaries.length > 1) {
    return { tone: 'critical', text: `several primaries: ${primaries.map(({ name }) => name).join(', ')}` };
  }
  return { tone: primary.reachable ? 'good' : 'critical', text: `primary ${primary.name}` };
}

function writersOf(status: NonNullable<DatabaseState['status']>): readonly MemberView[] {
  const named = (host: string): string => status.instances.find((one) => one.host === host)?.name ?? host;
  return status.balancers.map(({ name, kind, reachable, writers }) => ({
    name: kind === 'haproxy' ? name : `${name} (${kind})`,
    mark: !reachable
      ? { tone: 'warning', text: 'does not answer' }
      : writers.length === 1
        ? { tone: 'good', text: `writers to ${named(writers[0] ?? '')}` }
        : {
            tone: 'critical',
            text: writers.length === 0 ? 'no writer' : `writers to ${writers.map(named).join(' and ')}`,
          },
  }));
}

function sessionsOf({
  members,
}: NonNullable<NonNullable<DatabaseState['status']>['sessions']>): readonly MemberView[] {
  return members.map(({ host, reachable, role, connected, lagSeconds, sentinel }): MemberView => {
    if (!reachable) return { name: host, mark: { tone: 'warning', text: 'silent' } };
    if (role === null) return { name: host, mark: { tone: 'critical', text: 'Valkey does not answer' } };
    const watched = sentinel === null ? ', its Sentinel is silent' : '';
    if (role === 'primary')
      return {
        name: host,
        mark: { tone: sentinel === null ? 'warning' : 'good', text: `primary${watched}` },
      };
    const tone = connected === true && sentinel !== null ? 'good' : 'warning';
    const text = connected === true ? `replica, ${lagSeconds ?? 0} s behind` : 'replica without its primary';
    return { name: host, mark: { tone, text: `${text}${watched}` } };
  });
}

function changeView(entry: DatabaseState['history'][number]): ChangeView {
  const { id, at, kind, from, to, outcome, ms, who, reason, steps } = entry;
  const notes: Mark[] = [];
  if (entry.message !== null)
    notes.push({ tone: outcome === 'done' ? 'notice' : 'warning', text: entry.message });
  if (entry.lostGtids !== '') notes.push({ tone: 'critical', text: `lost: ${shortGtids(entry.lostGtids)}` });
  if (entry.accepted !== undefined)
    notes.push({ tone: 'notice', text: `accepted: ${entry.accepted.join(', ')}` });
  if (entry.attempts !== undefined)
    notes.push({ tone: 'notice', text: `the last of ${counted(entry.attempts, 'attempt')} in a row` });
  return {
    id,
    at,
    kind,
    change: from === null || from === to ? to : `${from} → ${to}`,
    mark: { tone: STEP[outcome], text: outcome },
    took: outcome === 'running' ? '' : span(ms),
    who,
    reason,
    notes,
    isRunning: outcome === 'running',
    steps: steps.map((step) => ({
      name:
        step.instance === null || step.name.includes(step.instance)
          ? step.name
          : `${step.instance}: ${step.name}`,
      mark: {
        tone: STEP[step.status],
        text: step.message === undefined ? step.status : `${step.status}: ${step.message}`,
      },
      took: step.status === 'running' ? '' : span(step.ms),
    })),
  };
}

/** How a cluster is as a whole. */
export function databaseTone({ primary, storeFailure, problems, writers, etcd }: DatabaseView): Tone {
  return worst([
    primary.tone,
    ...(storeFailure === undefined ? [] : ['critical' as const]),
    ...problems.map(({ tone }) => tone),
    ...writers.map(({ mark }) => mark.tone),
    ...etcd.map(({ mark }) => mark.tone),
  ]);
}
