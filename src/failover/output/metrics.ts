import type { MetricFamily, MetricSample } from '../../lib/exposition.ts';
import type { WatchView } from '../watch/watch.ts';
import type { StatusJson } from './json-schema.ts';
import { statusJson } from './json.ts';

type Labels = MetricSample['labels'];
type Instance = StatusJson['instances'][number];

/** A view, and the same as `failover status --json` shows it. */
interface Seen {
  readonly view: WatchView;
  readonly status: StatusJson;
}

/** What a watch knows, as metrics: of every cluster that it has looked at. */
export function watchMetrics(views: readonly WatchView[]): readonly MetricFamily[] {
  const all = views.map((view): Seen => ({ view, status: statusJson(view.topology, view.problems, 0) }));
  const family =
    (type: MetricFamily['type'], samplesOf: (seen: Seen) => readonly MetricSample[]) =>
    (name: string, help: string): MetricFamily => ({
      name: `understudy_failover_${name}`,
      type,
      help,
      samples: all.flatMap((seen) =>
        samplesOf(seen).map(({ labels, value }) => ({
          labels: { cluster: seen.status.cluster, ...labels },
          value,
        })),
      ),
    });
  /** One sample a cluster. */
  const whole = (valueOf: (seen: Seen) => number | undefined) =>
    family('gauge', (seen) => sampleOf({}, valueOf(seen)));
  /** One sample for each instance that says it. */
  const each = (
    valueOf: (instance: Instance) => number | boolean | null,
    labelsOf: (instance: Instance) => Labels = () => ({}),
  ) =>
    family('gauge', ({ status }) =>
      status.instances.flatMap((instance) =>
        sampleOf({ instance: instance.name, ...labelsOf(instance) }, valueOf(instance)),
      ),
    );
  const balancers = (valueOf: (balancer: StatusJson['balancers'][number]) => number | boolean) =>
    family('gauge', ({ status }) =>
      status.balancers.flatMap((balancer) =>
        sampleOf({ balancer: balancer.name, kind: balancer.kind }, valueOf(balancer)),
      ),
    );
  const counts = (valueOf: (count: WatchView['counts'][number]) => number) =>
    family('counter', ({ view }) =>
      view.counts.map((count) => ({
        labels: { recovery: count.recovery, outcome: count.conclusion },
        value: valueOf(count),
      })),
    );

  return [
    whole(({ view }) => view.topology.at / 1000)(
      'watch_seen_timestamp_seconds',
      'When this watch last looked at the cluster, in seconds since 1970.',
    ),
    whole(({ status }) => status.watchers.length)(
      'watchers',
      'How many watches of the cluster have reported themselves lately.',
    ),
    whole(({ status }) => status.epoch)('epoch', 'Grows with every change of the topology.'),
    whole(({ status }) => Number(status.paused !== null))(
      'paused',
      'Whether nothing is recovered by itself.',
    ),
    whole(({ view }) => Number(view.isChanging))('changing', 'Whether a change is under way.'),
    whole(({ status }) => status.instances.filter(({ role }) => role === 'primary').length)(
      'primaries',
      'How many instances are the primary, or may be; one is right.',
    ),
    whole(({ view }) => (view.unwritableMs === undefined ? undefined : view.unwritableMs / 1000))(
      'unwritable_seconds',
      'How long nobody could write when this watch last moved the primary.',
    ),
    each(
      () => 1,
      ({ host, role, flavour, version }) => ({
        host,
        role,
        flavour: flavour ?? '',
        version: version ?? '',
      }),
    )('instance_info', 'Always 1: who an instance is.'),
    each(({ reachable }) => reachable)('instance_up', 'Whether the instance answers.'),
    each(({ readOnly }) => readOnly)('instance_read_only', 'Whether the instance is read-only.'),
    each(({ lagSeconds }) => lagSeconds)(
      'replication_lag_seconds',
      'How far a replica is behind; none while it cannot say.',
    ),
    each(({ receiver }) => (receiver === null ? null : receiver === 'on'))(
      'replication_receiver_running',
      'Whether a replica is connected to its source.',
    ),
    each(({ applier }) => (applier === null ? null : applier === 'on'))(
      'replication_applier_running',
      'Whether a replica executes what it receives.',
    ),
    each(({ role, semiSync }) => (role === 'primary' ? semiSync.source : null))(
      'semisync_active',
      'Whether commits on the primary wait for acknowledgements.',
    ),
    each(({ role, semiSync }) => (role === 'primary' ? semiSync.ackers : null))(
      'semisync_ackers',
      'How many replicas acknowledge to the primary.',
    ),
    balancers(({ reachable }) => reachable)(
      'balancer_up',
      'Whether what leads writers to the primary answers.',
    ),
    balancers(({ writers }) => writers.length)(
      'balancer_writers',
      'How many servers it takes for the primary; one is right.',
    ),
    family('gauge', ({ view }) =>
      view.problems.map(({ code, severity, instance = '' }) => ({
        labels: { code, severity, instance },
        value: 1,
      })),
    )('problem', 'Always 1: a problem that stands, by its code of `failover status`.'),
    family('gauge', ({ view }) =>
      view.refused.map(({ code, instance = '' }) => ({ labels: { code, instance }, value: 1 })),
    )('refused', 'Always 1: a problem about which this watch can do nothing.'),
    counts(({ count }) => count)(
      'recoveries_total',
      'Recoveries that this watch has ended, by their outcome.',
    ),
    counts(({ seconds }) => seconds)(
      'recovery_seconds_total',
      'The time that these recoveries took together.',
    ),
  ];
}

function sampleOf(labels: Labels, value: number | boolean | null | undefined): readonly MetricSample[] {
  return value === null || value === undefined ? [] : [{ labels, value: Number(value) }];
}
