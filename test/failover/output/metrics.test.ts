import { setTimeout as wait } from 'node:timers/promises';

import test from 'ava';

import { watchMetrics } from '../../../src/failover/output/metrics.ts';
import type { MetricSample } from '../../../src/lib/exposition.ts';
import { site, type Watcher } from '../watch/world-ports.ts';

const samplesOf = ({ watch }: Watcher, name: string): readonly MetricSample[] =>
  watchMetrics(watch.views()).find((family) => family.name === `understudy_failover_${name}`)?.samples ?? [];

/** The only value that a metric has, perhaps with these labels. */
function valueOf(watcher: Watcher, name: string, labels: MetricSample['labels'] = {}): number | undefined {
  const found = samplesOf(watcher, name).filter((sample) =>
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.length === 1 ? found[0]?.value : undefined;
}

async function until(what: string, condition: () => boolean, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await wait(10);
  }
}

test('before the first look there is no sample', (t) => {
  t.true(watchMetrics([]).every(({ samples }) => samples.length === 0));
});

test('every name is in the conventions, stands once and says what it means', (t) => {
  const families = watchMetrics([]);
  t.is(new Set(families.map(({ name }) => name)).size, families.length);
  for (const { name, type, help } of families) {
    t.regex(name, /^understudy_failover_[a-z_]+$/);
    t.is(name.endsWith('_total'), type === 'counter', name);
    t.notRegex(name, /_(?:ms|milliseconds|count|percent)$/);
    t.regex(help, /^[A-Z].*\.$/);
  }
});

test('the metrics of a calm cluster tell who is who, and those of a failover what happened', async (t) => {
  const here = site();
  here.world.live(40);
  const watcher = here.watch('watch@lb1');
  t.teardown(() => watcher.stop());
  await until('the watch has found the primary', () => valueOf(watcher, 'primaries') === 1);
  await until('semi-sync is remembered', () => here.world.memory.semiSync !== undefined);
  await until('the watch reports itself', () => valueOf(watcher, 'watchers') === 1);
  t.is(valueOf(watcher, 'instance_info', { cluster: 'model', instance: 'db1', role: 'primary' }), 1);
  t.is(samplesOf(watcher, 'instance_up').length, 3);
  t.is(valueOf(watcher, 'instance_read_only', { instance: 'db2' }), 1);
  t.is(samplesOf(watcher, 'replication_receiver_running').length, 2);
  t.is(samplesOf(watcher, 'semisync_ackers').length, 1);
  t.is(samplesOf(watcher, 'balancer_up').length, 2);
  t.deepEqual(samplesOf(watcher, 'recoveries_total'), []);
  t.is(samplesOf(watcher, 'unwritable_seconds').length, 0);
  const seen = valueOf(watcher, 'watch_seen_timestamp_seconds') ?? 0;
  t.true(Math.abs(Date.now() / 1000 - seen) < 30);
  const epoch = valueOf(watcher, 'epoch') ?? 0;

  here.world.everythingArrives();
  here.crash('db1');
  await until('a problem stands', () => samplesOf(watcher, 'problem').length > 0);
  await until(
    'the failover is counted',
    () => valueOf(watcher, 'recoveries_total', { recovery: 'failover', outcome: 'done' }) === 1,
  );
  t.true((valueOf(watcher, 'recovery_seconds_total', { recovery: 'failover', outcome: 'done' }) ?? 0) > 0);
  await until('nothing critical stands', () =>
    samplesOf(watcher, 'problem').every(({ labels }) => labels['severity'] !== 'critical'),
  );
  await until(
    'the old primary follows',
    () => valueOf(watcher, 'instance_info', { instance: 'db1', role: 'replica' }) === 1,
  );
  t.true((valueOf(watcher, 'epoch') ?? 0) > epoch);
});

test('a failover that nobody may make is a problem about which nothing can be done, for as long as it stands', async (t) => {
  const here = site();
  here.world.live(40);
  const watcher = here.watch('watch@lb1');
  t.teardown(() => watcher.stop());
  await until('the watch has found the primary', () => valueOf(watcher, 'primaries') === 1);
  here.world.memory = { ...here.world.memory, paused: { by: 'ann', reason: 'rack', at: Date.now() } };
  await until('the watch knows of the pause', () => valueOf(watcher, 'paused') === 1);
  here.crash('db1');
  await until('it is refused', () =>
    samplesOf(watcher, 'refused').some(({ labels }) => labels['instance'] === 'db1'),
  );
  t.true((valueOf(watcher, 'recoveries_total', { recovery: 'failover', outcome: 'refused' }) ?? 0) > 0);
  here.world.memory = { ...here.world.memory, paused: undefined };
  await until(
    'it is made',
    () => valueOf(watcher, 'recoveries_total', { recovery: 'failover', outcome: 'done' }) === 1,
  );
  await until('nothing is refused', () => samplesOf(watcher, 'refused').length === 0);
});
