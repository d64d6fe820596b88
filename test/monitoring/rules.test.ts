import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import { stringify } from 'yaml';

import { FAILOVER_VERBS } from '../../src/bin/failover-program.ts';
import { PROVISION_VERBS } from '../../src/bin/provision-program.ts';
import { run } from '../../src/lib/process.ts';
import { ALERTS } from '../../src/monitoring/alerts.ts';
import { rulesFile } from '../../src/monitoring/rules.ts';
import { needsProgram, testWith } from '../needs.ts';
import type { AlertCase } from './alert-case.ts';
import { CASES, SLOW_CASES, WELL } from './cases.ts';

const withPromtool = testWith(needsProgram('promtool', 'prometheus'), test.serial);
const all = ALERTS.flatMap(({ alerts }) => alerts);

test('the rules on the hosts are those of the table; if not, run node scripts/generate-docs.ts', (t) => {
  t.is(readFileSync(new URL('../../files/monitoring/site.rules.yml', import.meta.url), 'utf8'), rulesFile());
});

test('every alert has a name of its own, and a case', (t) => {
  const codes = all.map(({ code }) => code);
  t.deepEqual([...new Set(codes)], codes);
  const tried = new Set(
    [...CASES, ...SLOW_CASES].filter(({ count }) => count !== 0).map(({ alert }) => alert),
  );
  t.deepEqual([...tried].toSorted(), codes.toSorted());
});

test('what is to be typed begins with a command that there is', (t) => {
  const verbs = new Set([
    ...PROVISION_VERBS.map(({ name }) => `provision ${name}`),
    ...FAILOVER_VERBS.map(({ name }) => `failover ${name}`),
  ]);
  for (const { code, remedy } of all)
    for (const [typed] of remedy.matchAll(/(?<=`)(provision|failover) [a-z-]+/g))
      t.true(verbs.has(typed), `${code}: ${typed}`);
});

withPromtool('Prometheus finds no mistake in the rules', async (t) => {
  const directory = scratch(t);
  const checked = await run(['promtool', 'check', 'rules', join(directory, 'rules.yml')]);
  t.is(checked.status, 0, checked.stdout + checked.stderr);
});

for (const [cases, interval] of [
  [CASES, '15s'],
  [SLOW_CASES, '1h'],
] as const) {
  for (const each of cases) {
    const what = each.what === undefined ? '' : `: ${each.what}`;
    withPromtool(`${each.alert}${what}`, async (t) => {
      const firing = `count(ALERTS{alertname="${each.alert}",alertstate="firing"}) or vector(0)`;
      const expectations: readonly (readonly [string | undefined, number])[] = [
        [each.notYet, 0],
        [each.fires, each.count ?? 1],
        [each.ended, 0],
      ];
      await tries(t, interval, each.series, {
        promql_expr_test: expectations.flatMap(([at, value]) =>
          at === undefined ? [] : [{ expr: firing, eval_time: at, exp_samples: [{ labels: '{}', value }] }],
        ),
      });
      if (each.summary !== undefined) await says(t, interval, each, each.summary);
    });
  }
}

withPromtool('nothing fires while all is well, but for the watchdog', async (t) => {
  await tries(t, '15s', WELL, {
    promql_expr_test: ['2m', '20m', '70m'].map((at) => ({
      expr: 'count by (alertname) (ALERTS)',
      eval_time: at,
      exp_samples: [{ labels: '{alertname="Watchdog"}', value: 1 }],
    })),
  });
});

/** The message, as people get it: promtool shows what it got where it expected none. */
async function says(
  t: ExecutionContext,
  interval: string,
  { alert, series, fires }: AlertCase,
  summary: string,
): Promise<void> {
  const outcome = await promtool(t, interval, series, {
    alert_rule_test: [{ eval_time: fires, alertname: alert, exp_alerts: [] }],
  });
  t.true(outcome.output.includes(`summary="${summary}"`), `${summary}\n${outcome.output}`);
}

async function tries(
  t: ExecutionContext,
  interval: string,
  series: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, unknown>>,
): Promise<void> {
  const outcome = await promtool(t, interval, series, expected);
  t.is(outcome.status, 0, outcome.output);
}

async function promtool(
  t: ExecutionContext,
  interval: string,
  series: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, unknown>>,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const directory = scratch(t);
  const file = join(directory, 'test.yml');
  const input = Object.entries(series).map(([name, values]) => ({ series: name, values }));
  writeFileSync(
    file,
    stringify({
      rule_files: ['rules.yml'],
      evaluation_interval: interval,
      tests: [{ interval, input_series: input, ...expected }],
    }),
  );
  const outcome = await run(['promtool', 'test', 'rules', file], { timeoutMs: 60_000 });
  return { status: outcome.status, output: outcome.stdout + outcome.stderr };
}

function scratch(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-rules-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'rules.yml'), rulesFile());
  return directory;
}
