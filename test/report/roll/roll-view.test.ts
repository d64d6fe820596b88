import test from 'ava';

import { rollView } from '../../../src/report/roll/roll-view.ts';
import { rollLineSchema } from '../../../src/report/roll/schema.ts';
import { survey, wish } from '../../site/roll/support.ts';
import { memoryStream } from '../events.ts';
import { batches, FAILURE, MIDDLE, REPORT, told } from './support.ts';

const OPTIONS = {
  redact: (text: string): string => text.replaceAll('nginx', '[REDACTED]'),
  environment: { NO_COLOR: '1' },
};

async function shown(json: boolean): Promise<{ readonly out: string; readonly err: string }> {
  const [stdout, stderr] = [memoryStream(), memoryStream()];
  const view = await rollView({ ...OPTIONS, json }, stdout, stderr);
  if (view.numbers !== undefined) throw new Error('lines have no use for numbers');
  view.timetable(survey(), batches(), wish(), [{ message: 'web3 is 40 s behind' }]);
  for (const { event, record } of told([...MIDDLE, ...FAILURE])) view.event(event, record);
  view.report(REPORT);
  await view.close();
  return { out: stdout.text(), err: stderr.text() };
}

test('with --json every line is as the schema says, and people read on stderr', async (t) => {
  const { out, err } = await shown(true);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => rollLineSchema.parse(JSON.parse(line)));
  t.deepEqual(
    [...new Set(lines.map(({ type }) => type))],
    ['timetable', 'roll', 'phase', 'roll-end', 'report'],
  );
  const last = lines.at(-1);
  t.like(last, {
    type: 'report',
    outcome: 'stopped',
    ms: 12_100,
    traffic: { slowestMs: 213, slowestIsBound: false, notCounted: ['lb2: it did not answer'] },
  });
  t.like(last?.type === 'report' && last.traffic?.counts, { requests: 1200, '5xx': 0, retries: 3 });
  t.false(out.includes('nginx'), 'secrets are out');
  t.true(err.includes('web2  back in service'));
});

test('without a terminal there is a line for each thing that happens, and what became of it at the end', async (t) => {
  const { out, err } = await shown(false);
  t.is(err, '');
  const lines = out.split('\n');
  t.true(lines.includes('now in the way: web3 is 40 s behind'));
  t.deepEqual(lines.slice(lines.indexOf('  web2  waits: 3 requests on lb1')), [
    '  web2  waits: 3 requests on lb1',
    '  web2  out of service  1.0 s',
    '  web2  worked on  5.0 s',
    '  web2  well again  1.0 s',
    '  web2  back in service  0.2 s',
    '  web2  settled  1.0 s',
    '  web3  out of service  0.5 s',
    '  web3  work failed: Restart <[REDACTED]>: exit 1 & no more',
    '',
    '  lb1   not begun',
    '  lb2   not begun',
    '  web1  not begun',
    '  web2  done, out of service for 7.2 s',
    '  web3  not finished, out of service for 3.6 s',
    '1200 requests, 0 failed, the slowest 213 ms',
    '  3 sent again',
    '  not counted: lb2: it did not answer',
    'roll playbooks/kernel.yml: stopped after 12.1 s',
    '',
  ]);
});
