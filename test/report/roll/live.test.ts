import test from 'ava';
import { setTimeout as sleep } from 'node:timers/promises';

import { rollView } from '../../../src/report/roll/roll-view.ts';
import { survey, wish } from '../../site/roll/support.ts';
import { memoryStream, PLAIN_OPTIONS, recap, result, task } from '../events.ts';
import { screenAfter } from '../screen.ts';
import { batches, FAILURE, MIDDLE, REPORT, told } from './support.ts';

const SIZE = { columns: 160, rows: 20 };

async function onTerminal() {
  const stream = memoryStream(SIZE);
  const screen = (): string[] => screenAfter(stream.text(), SIZE.columns);
  const view = await rollView(
    {
      json: false,
      redact: (text) => text.replaceAll('hunter22', '[REDACTED]'),
      environment: { NO_COLOR: '1' },
    },
    stream,
  );
  return {
    view,
    screen,
    async shows(pattern: RegExp) {
      const deadline = performance.now() + 20_000;
      while (!screen().some((line) => pattern.test(line))) {
        if (performance.now() > deadline) throw new Error(`never shown: ${pattern}\n${screen().join('\n')}`);
        await sleep(10);
      }
    },
  };
}

const RUN = { ...PLAIN_OPTIONS, json: false, environment: { NO_COLOR: '1' } };

test('on a terminal each host has a row: phase, time out, requests, lag, and what is next', async (t) => {
  const { view, screen, shows } = await onTerminal();
  view.timetable(survey(), batches(), wish(), []);
  for (const { event, record } of told(MIDDLE)) view.event(event, record);
  const { servers, databases } = survey();
  view.numbers?.({
    ...survey(),
    servers: servers.map((one) => ({ ...one, requests: one.host === 'web1' ? 7 : 0 })),
    databases: databases.map((one) => ({
      ...one,
      instances: one.instances.map((each) => (each.host === 'web3' ? { ...each, lagSeconds: 4 } : each)),
    })),
  });
  const report = await view.work(RUN);
  report.emit({ type: 'play', name: 'Kernel', hosts: ['web3'] });
  report.emit(task('Restart', ['web3']));
  report.emit({ type: 'progress', host: 'web3', line: 'Setting up hunter22' });
  await shows(/✔ web2 {2}done +out 7\.2 s +0 in flight +lag 0 s$/);
  await shows(/web3 {2}work +out .* 0 in flight +lag 4 s +nginx : Restart {2}Setting up \[REDACTED\]$/);
  await shows(/web1 {2}next +7 in flight +primary +the primary moves away first$/);
  await shows(/lb1 +waits +has address$/);
  await shows(/roll playbooks\/kernel\.yml, next: web1 and 2 more {2}1\/5 hosts/);
  t.deepEqual(
    [...new Set(screen().flatMap((line) => /^ +\S+ ((?:web|lb)\d)/.exec(line)?.[1] ?? []))],
    ['web2', 'web3', 'web1', 'lb2', 'lb1'],
    'in the order in which they go',
  );
  await report.close();
  await view.close();
});

test('what waits is shown while it waits', async (t) => {
  const { view, shows } = await onTerminal();
  view.timetable(survey(), batches(), wish(), []);
  for (const { event, record } of told(MIDDLE.slice(0, 5))) view.event(event, record);
  await shows(/web2 {2}drain .*3 requests on lb1$/);
  await view.close();
  t.pass();
});

test('above the rows stays what the work changed and what failed, whole, and at the end how long each was out', async (t) => {
  const { view, screen, shows } = await onTerminal();
  view.timetable(survey(), batches(), wish(), []);
  for (const { event, record } of told(MIDDLE)) view.event(event, record);
  const report = await view.work(RUN);
  report.emit({ type: 'play', name: 'Kernel', hosts: ['web3'] });
  report.emit(task('Look', ['web3']));
  report.emit(result('web3', 'ok'));
  report.emit(task('Restart', ['web3']));
  report.emit(result('web3', 'failed', { message: 'exit 1', output: 'one\nhunter22\n' }));
  report.emit(recap({ web3: { ok: 1, failed: 1 } }));
  await report.close();
  await shows(/failed web3/);
  for (const { event, record } of told([...MIDDLE, ...FAILURE]).slice(MIDDLE.length))
    view.event(event, record);
  view.report(REPORT);
  await view.close();
  const lines = screen().map((line) => line.replace(/\d+\.\d s$/, '… s'));
  t.deepEqual(lines.slice(lines.indexOf('Kernel on web3')), [
    'Kernel on web3',
    '  ✖ nginx : Restart',
    '    failed web3',
    '      exit 1',
    '      one',
    '      [REDACTED]',
    '  ✔ 1 task with nothing to change  … s',
    '  web3  work failed: Restart <nginx>: exit 1 & no more',
    '',
    '  lb1   not begun',
    '  lb2   not begun',
    '  web1  not begun',
    '  web2  done, out of service for … s',
    '  web3  not finished, out of service for … s',
    '1200 requests, 0 failed, the slowest 213 ms',
    '  3 sent again',
    '  not counted: lb2: it did not answer',
    'roll playbooks/kernel.yml: stopped after … s',
    '',
  ]);
});

test('what is done before the first host goes has the screen for itself', async (t) => {
  const { view, shows } = await onTerminal();
  const report = await view.work(RUN);
  report.emit(task('Copy the release', ['web1', 'web2']));
  report.emit({ type: 'progress', host: 'web2', line: '40 %' });
  await shows(/web2 {2}40 %$/);
  await report.close();
  view.timetable(survey(), batches(), wish(), []);
  for (const { event, record } of told(MIDDLE)) view.event(event, record);
  await shows(/web3 {2}work/);
  await view.close();
  t.pass();
});
