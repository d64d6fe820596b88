import type { DatabaseState } from './state.ts';
import { type Mark, type Tone, worst } from './mark.ts';
import { shortGtids } from './text.ts';

type Status = NonNullable<DatabaseState['status']>;
type Instance = Status['instances'][number];

/** An instance as the tree of replication shows it, with those that follow it. */
export interface TreeNode {
  readonly name: string;
  /** Where it is: host, address and port. */
  readonly place: string;
  readonly product: string;
  readonly role: 'primary' | 'replica' | 'alone' | 'silent';
  /** As bad as the worst of its problems. */
  readonly tone: Tone;
  /** Whether it answers, and takes writes. */
  readonly mark: Mark;
  /** How far a replica is behind, and whether it receives and applies; undefined for all others. */
  readonly replication: Mark | undefined;
  readonly semiSync: Mark | undefined;
  /** In short, and in full. */
  readonly gtids: { readonly short: string; readonly full: string } | undefined;
  /** How it ranks as the next primary, where that was said. */
  readonly rule: string | undefined;
  readonly below: readonly TreeNode[];
}

/** Replicas below their sources, the primary first; who follows nobody known stands at the margin. */
export function replicationTree(status: Status): readonly TreeNode[] {
  const shown = new Set<string>();
  const node = (instance: Instance): TreeNode => {
    shown.add(instance.name);
    const followers = status.instances.filter(
      ({ name, source }) => source === instance.name && !shown.has(name),
    );
    for (const { name } of followers) shown.add(name);
    return { ...nodeOf(status, instance), below: followers.map(node) };
  };
  const names = new Set(status.instances.map(({ name }) => name));
  const roots = status.instances
    .filter(({ source }) => source === null || !names.has(source))
    .sort((a, b) => Number(b.role === 'primary') - Number(a.role === 'primary'));
  const trees = roots.map(node);
  // Those that follow each other in a circle have no root.
  const circles = status.instances.filter(({ name }) => !shown.has(name));
  return [...trees, ...circles.flatMap((each) => (shown.has(each.name) ? [] : [node(each)]))];
}

function nodeOf(status: Status, instance: Instance): Omit<TreeNode, 'below'> {
  const { name, host, address, port, flavour, version, gtidExecuted, promotionRule } = instance;
  const marks = [markOf(status, instance), replicationOf(instance), semiSyncOf(instance)] as const;
  const [mark, replication, semiSync] = marks;
  const where = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return {
    name,
    place: host === name ? where : `${host} ${where}`,
    product:
      flavour === null
        ? ''
        : `${flavour === 'mysql' ? 'MySQL' : 'MariaDB'} ${/^[\d.]+/.exec(version ?? '')?.[0] ?? ''}`,
    role: roleOf(instance),
    tone: toneOf(status, instance, marks),
    mark,
    replication,
    semiSync,
    gtids: gtidExecuted === null ? undefined : { short: shortGtids(gtidExecuted), full: gtidExecuted },
    rule: promotionRule === 'neutral' ? undefined : promotionRule.replaceAll('_', ' '),
  };
}

function roleOf({ reachable, role }: Instance): TreeNode['role'] {
  if (role === 'primary') return 'primary';
  if (!reachable) return 'silent';
  return role === 'replica' ? 'replica' : 'alone';
}

function toneOf({ problems }: Status, { name }: Instance, marks: readonly (Mark | undefined)[]): Tone {
  return worst([
    ...problems.filter(({ instance }) => instance === name).map(({ severity }) => severity),
    // That something is not known is no trouble.
    ...marks.flatMap((mark) => (mark === undefined || mark.tone === 'unknown' ? [] : [mark.tone])),
  ]);
}

/** Only one may take writes, and it is the primary. */
function markOf(
  { instances }: Status,
  { reachable, silence, role, superReadOnly, readOnly }: Instance,
): Mark {
  if (!reachable) {
    return {
      tone: role === 'primary' ? 'critical' : 'warning',
      text: `silent: ${silence ?? 'it does not answer'}`,
    };
  }
  const isWritable = readOnly === false && superReadOnly !== true;
  const isOnly = instances.filter((one) => one.role === 'primary').length === 1;
  const isRight = isWritable === (role === 'primary') && (isOnly || !isWritable);
  return { tone: isRight ? 'good' : 'critical', text: isWritable ? 'takes writes' : 'read-only' };
}

function replicationOf({
  reachable,
  role,
  receiver,
  applier,
  lagSeconds,
  problems,
}: Instance): Mark | undefined {
  if (!reachable || role === 'primary' || receiver === null) return undefined;
  const broken = [
    ...(receiver === 'on' ? [] : [receiver === 'connecting' ? 'receiver is connecting' : 'receiver is off']),
    ...(applier === 'on' ? [] : ['applier is off']),
  ];
  if (broken.length > 0) return { tone: 'warning', text: broken.join(', ') };
  if (lagSeconds === null) return { tone: 'unknown', text: 'lag unknown' };
  return { tone: problems.includes('ReplicaLagging') ? 'warning' : 'good', text: `${lagSeconds} s behind` };
}

function semiSyncOf({ reachable, role, semiSync }: Instance): Mark | undefined {
  if (!reachable) return undefined;
  if (role === 'primary') {
    if (semiSync.source !== true) return { tone: 'warning', text: 'waits for nobody' };
    const { ackers } = semiSync;
    return { tone: 'good', text: ackers === 1 ? '1 acknowledges' : `${ackers ?? 0} acknowledge` };
  }
  if (role !== 'replica') return undefined;
  return semiSync.replica === true
    ? { tone: 'good', text: 'acknowledges' }
    : { tone: 'unknown', text: 'does not acknowledge' };
}
