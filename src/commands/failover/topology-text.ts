import { traitsOf } from '../../database/traits.ts';
import { hostPort } from '../../lib/host-port.ts';
import { primaryNames, sourceName } from '../../failover/output/json.ts';
import { abilitiesIn } from '../../failover/cluster/abilities.ts';
import { pauseAt } from '../../failover/cluster/pause.ts';
import { primaryOf } from '../../failover/cluster/primary.ts';
import type { Problem } from '../../failover/problems/problems.ts';
import type { Instance, Topology } from '../../failover/cluster/topology.ts';
import { count, subtract } from '../../database/gtid.ts';
import { watchersOf } from '../../failover/watch/presence.ts';
import type { Palette } from '../../report/palette.ts';
import { clock } from '../../report/text.ts';

/** The topology as a tree, then the balancers, then the problems with their remedies. */
export function topologyText(topology: Topology, found: readonly Problem[], styles: Palette): string {
  const primaries = primaryNames(primaryOf(topology));
  const lines = [headline(topology, primaries, styles), ''];
  const rows = treeRows(topology, primaries, styles);
  lines.push(...table(rows));
  if (topology.balancers.length > 0) lines.push('', balancersLine(topology, styles));
  const watchers = watchersLine(topology, styles);
  if (watchers !== undefined) lines.push(watchers);
  const { unacknowledged, downtimes, unfinished } = topology.memory;
  const paused = pauseAt(topology.memory, topology.at);
  if (paused) {
    const end = paused.until === undefined ? 'until `failover resume`' : `until ${clock(paused.until)}`;
    lines.push(styles.changed(`automatic recovery is paused ${end} by ${paused.by}: ${paused.reason}`));
  }
  for (const { instance, until, reason } of downtimes) {
    if (until > topology.at && topology.instances.some(({ spec }) => spec.name === instance))
      lines.push(styles.changed(`downtime of ${instance} until ${clock(until)}: ${reason}`));
  }
  if (unacknowledged) {
    lines.push(
      styles.changed(
        `the automatic failover of ${clock(unacknowledged.at)} is not acknowledged: failover ack`,
      ),
    );
  }
  if (unfinished)
    lines.push(styles.failed(`a ${unfinished.kind} to ${unfinished.to} was cut off before its end`));
  lines.push('', problemsText(found, styles));
  return `${lines.join('\n')}\n`;
}

/** The problems, or that there are none. */
export function problemsText(found: readonly Problem[], styles: Palette): string {
  if (found.length === 0) return styles.ok('no problems');
  return found
    .map(({ severity, code, instance, message, remedy }) => {
      const paint = { critical: styles.failed, warning: styles.changed, notice: styles.quiet }[severity];
      const where = instance === undefined || message.startsWith(instance) ? '' : `${instance}: `;
      return `${paint(`${severity.padEnd(8)} ${code}`)}  ${where}${message}\n         → ${remedy}`;
    })
    .join('\n');
}

/** Nothing about a cluster that was never watched. */
function watchersLine(topology: Topology, styles: Palette): string | undefined {
  const { present, silent } = watchersOf(topology.memory, topology.at);
  if (present.length + silent.length === 0) return undefined;
  const gone = silent.map((who) => styles.changed(`${who} is silent`));
  return `watched   ${[...present, ...gone].join('   ')}`;
}

function headline(topology: Topology, primaries: readonly string[], styles: Palette): string {
  const primary =
    primaries.length === 1
      ? `primary ${styles.strong(primaries[0] ?? '')}`
      : styles.failed(primaries.length === 0 ? 'no primary' : `several primaries: ${primaries.join(', ')}`);
  return `${styles.strong(topology.cluster)}: ${primary}, epoch ${topology.memory.epoch}`;
}

/** Replicas below their sources; who follows nobody known stands at the margin. */
function treeRows(topology: Topology, primaries: readonly string[], styles: Palette): string[][] {
  const shown = new Set<Instance>();
  const rows: string[][] = [];
  const show = (instance: Instance, prefix: string, isLast: boolean, depth: number): void => {
    if (shown.has(instance)) return;
    shown.add(instance);
    const branch = depth === 0 ? '' : `${prefix}${isLast ? '└─ ' : '├─ '}`;
    rows.push([`${branch}${instance.spec.name}`, ...cells(topology, instance, primaries, styles)]);
    const below = topology.instances.filter((other) => sourceName(topology, other) === instance.spec.name);
    for (const [index, other] of below.entries()) {
      const indent = depth === 0 ? '' : `${prefix}${isLast ? '   ' : '│  '}`;
      show(other, indent, index === below.length - 1, depth + 1);
    }
  };
  const roots = topology.instances.filter((instance) => {
    const source = sourceName(topology, instance);
    return !topology.instances.some(({ spec }) => spec.name === source);
  });
  const inOrder = [...roots].sort(
    (a, b) => Number(primaries.includes(b.spec.name)) - Number(primaries.includes(a.spec.name)),
  );
  for (const root of inOrder) show(root, '', true, 0);
  // Those that follow each other in a circle have no root.
  for (const instance of topology.instances) show(instance, '', true, 0);
  return rows;
}

function cells(
  topology: Topology,
  instance: Instance,
  primaries: readonly string[],
  styles: Palette,
): string[] {
  const { spec } = instance;
  const isPrimary = primaries.includes(spec.name);
  const place =
    spec.host === spec.name
      ? hostPort(spec.address, spec.port)
      : `${spec.host} ${hostPort(spec.address, spec.port)}`;
  if (instance.kind === 'silent') {
    return [place, isPrimary ? 'primary' : '', styles.failed(`silent: ${instance.silence.message}`)];
  }
  const { state } = instance;
  const version = `${traitsOf(state.version.flavour).product} ${state.version.major}.${state.version.minor}.${state.version.patch}`;
  const writable = !state.readOnly && !state.superReadOnly;
  const flag = state.superReadOnly
    ? traitsOf(state.version.flavour).readOnlyStopsEverybody
      ? 'super-read-only'
      : 'read-only'
    : state.readOnly
      ? 'read-only'
      : 'writable';
  return [
    place,
    version,
    isPrimary ? styles.strong('primary') : state.replication ? 'replica' : styles.changed('alone'),
    writable === isPrimary ? flag : styles.failed(flag),
    isPrimary ? sourceText(instance, styles) : replicaText(topology, instance, primaries, styles),
    spec.rule === 'neutral' ? '' : spec.rule,
  ];
}

function sourceText(instance: Extract<Instance, { kind: 'answering' }>, styles: Palette): string {
  const { source } = instance.state.semiSync;
  const total = `${count(instance.state.executed)} transactions`;
  if (!source.enabled) return `${total}, ${styles.changed('semi-sync off')}`;
  const acks = `${source.ackers} ackers, ${source.requiredAcks} needed`;
  return `${total}, ${source.active ? `semi-sync: ${acks}` : styles.failed(`semi-sync fell back: ${acks}`)}`;
}

function replicaText(
  topology: Topology,
  instance: Extract<Instance, { kind: 'answering' }>,
  primaries: readonly string[],
  styles: Palette,
): string {
  const { replication, executed, semiSync } = instance.state;
  const parts: string[] = [];
  if (replication) {
    const { receiver, applier, lagSeconds } = replication;
    if (receiver === 'on' && applier === 'on')
      parts.push(lagSeconds === undefined ? 'lag unknown' : `lag ${lagSeconds} s`);
    if (receiver !== 'on') parts.push(styles.failed(`receiver ${receiver}`));
    if (applier !== 'on') parts.push(styles.failed('applier off'));
    if (replication.delaySeconds > 0) parts.push(styles.changed(`delayed by ${replication.delaySeconds} s`));
  }
  const primary = topology.instances.find(({ spec }) => primaries[0] === spec.name);
  if (primary?.kind === 'answering' && primary.state.executed.flavour === executed.flavour) {
    const behind = count(subtract(primary.state.executed, executed));
    const errant = count(subtract(executed, primary.state.executed));
    if (behind > 0) parts.push(`${behind} behind`);
    // A snapshot of a primary that is written to is older than that of its replica now and then.
    if (errant > 0 && behind === 0 && primary.state.superReadOnly)
      parts.push(styles.failed(`${errant} errant`));
  } else parts.push(`${count(executed)} transactions`);
  parts.push(semiSync.replica.active ? 'acknowledges' : styles.quiet('does not acknowledge'));
  return parts.join(', ');
}

function balancersLine(topology: Topology, styles: Palette): string {
  const all = topology.balancers.map((balancer) => {
    const { reachable, writers, message } = balancer;
    const { kind } = abilitiesIn(balancer);
    const name = kind === 'haproxy' ? balancer.name : `${balancer.name} (${kind})`;
    if (!reachable)
      return styles.failed(`${name} does not answer${message === undefined ? '' : ` (${message})`}`);
    if (writers.length === 1)
      return `${name} → ${writers.map((host) => instanceName(topology, host)).join(', ')}`;
    return styles.failed(`${name} → ${writers.length === 0 ? 'no writer' : writers.join(', ')}`);
  });
  return `writers   ${all.join('   ')}`;
}

function instanceName(topology: Topology, host: string): string {
  return topology.instances.find(({ spec }) => spec.host === host)?.spec.name ?? host;
}

/** Columns as wide as their widest cell; colours count for nothing. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    // The last one has the rest of the line.
    for (const [index, cell] of row.slice(0, -1).entries()) {
      widths[index] = Math.max(widths[index] ?? 0, visible(cell));
    }
  }
  return rows.map((row) =>
    row
      .map((cell, index) =>
        index === row.length - 1 ? cell : cell + ' '.repeat((widths[index] ?? 0) - visible(cell)),
      )
      .join('  ')
      .trimEnd(),
  );
}

function visible(text: string): number {
  // oxlint-disable-next-line no-control-regex -- colours are control characters
  return text.replaceAll(/\u001b\[[0-9;]*m/g, '').length;
}
