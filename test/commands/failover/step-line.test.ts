import test from 'ava';

import { plainView } from '../../../src/commands/failover/change-view.ts';
import { planText } from '../../../src/commands/failover/change-text.ts';
import { instanceOf } from '../../../src/failover/execute/carry-out.ts';
import type { StepEvent } from '../../../src/failover/execute/outcome.ts';
import type { Plan } from '../../../src/failover/plan/action.ts';
import { planPromote } from '../../../src/failover/plan/promote.ts';
import { defaultSettings } from '../../../src/failover/cluster/settings.ts';
import { palette } from '../../../src/report/palette.ts';
import { describe } from '../../failover/support/topology.ts';

const STYLES = palette(false);
const SETTINGS = defaultSettings();

function planFor(...instances: readonly string[]): Plan {
  const planned = planPromote(describe({ instances }), { to: 'db2' }, SETTINGS);
  if ('refusals' in planned) throw new Error(planned.refusals.map(({ message }) => message).join('; '));
  return planned.plan;
}

const SWITCHOVER = planFor('db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100');
const FAILOVER = planFor('db1 dead=refused', 'db2 <db1~ 1:1-100', 'db3 <db1~ 1:1-100');

/** What is shown when every step is done at once, `elapsedMs` after the beginning. */
function shown(plan: Plan, elapsedMs = 312): readonly string[] {
  const lines: string[] = [];
  const stream = { write: (text: string) => void lines.push(...text.trimEnd().split('\n')) };
  const view = plainView(stream, plan, {
    styles: STYLES,
    redact: (text) => text,
    elapsedMs: () => elapsedMs,
  });
  for (const step of plan.stages.flat()) {
    const event = { name: step.name, instance: instanceOf(step.action), ms: 3 };
    view.step({ ...event, status: 'running' });
    view.step({ ...event, status: 'done' });
  }
  return lines;
}

test('a change is told in sentences, and nowhere by the names of steps', (t) => {
  for (const plan of [SWITCHOVER, FAILOVER]) {
    const text = [...shown(plan), planText(plan, STYLES, true)].join('\n');
    for (const { name } of plan.stages.flat()) {
      if (name.includes('-')) t.false(text.includes(name), name);
    }
  }
  const lines = shown(SWITCHOVER);
  t.true(lines.includes('  ✔ db1 takes no more writes  3 ms'), lines.join('\n'));
  t.true(lines.includes('  ✔ db2 applies all that db3 has committed  3 ms'));
});

test('that writes are accepted is told once, at that moment and not at the end', (t) => {
  for (const plan of [SWITCHOVER, FAILOVER]) {
    const lines = shown(plan);
    const at = lines.findIndex((line) => line.includes('writes are accepted'));
    t.is(lines[at], '  writes are accepted: db2 is the primary, after 0.31 s');
    t.regex(lines[at - 1] ?? '', /the balancers send writers to db2/);
    t.true(at < lines.length - 1);
    t.is(lines.filter((line) => line.includes('writes are accepted')).length, 1);
  }
});

test('it is not told of a primary whose writes wait for an acknowledgement', (t) => {
  const text = shown(planFor('db1 dead=refused', 'db2 <db1~ 1:1-100')).join('\n');
  t.false(text.includes('writes are accepted'));
  t.regex(text, /db2 is the primary, after 0\.31 s; .* its writes wait until 1 more can/);
});

test('a step that failed or was taken back is told by its sentence, too', (t) => {
  const lines: string[] = [];
  const stream = { write: (text: string) => void lines.push(text.trimEnd()) };
  const view = plainView(stream, SWITCHOVER, { styles: STYLES, redact: (text) => text, elapsedMs: () => 0 });
  const event: StepEvent = { name: 'hold-writers', instance: undefined, status: 'undone', ms: 3 };
  view.step(event);
  view.step({ name: 'point-writers', instance: 'db2', status: 'failed', ms: 3, message: 'lb1 is gone' });
  t.deepEqual(lines, [
    '  ↩ taken back: new writers wait at the balancers  3 ms',
    '  ✖ the balancers send writers to db2  3 ms  lb1 is gone',
  ]);
});

test('whoever is asked sees every step with what is special about it', (t) => {
  const lines = planText(SWITCHOVER, STYLES, true).split('\n');
  t.true(
    lines.some((line) => /^ +\d+\. db2 takes writes \(cannot be undone\)$/.test(line)),
    lines.join('\n'),
  );
  t.true(
    lines.some((line) => line.includes('db3 stops receiving (when it fails, the instance is left behind)')),
  );
});
