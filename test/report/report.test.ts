import test from 'ava';

import { createReport } from '../../src/report/report.ts';
import { EVERYTHING, memoryStream, PLAIN_OPTIONS } from './events.ts';

test('with --json stdout has nothing but objects, and people read stderr', async (t) => {
  const stdout = memoryStream();
  const stderr = memoryStream();
  const report = await createReport({ ...PLAIN_OPTIONS, json: true }, stdout, stderr);
  for (const event of EVERYTHING) report.emit(event);
  await report.close();
  for (const line of stdout.text().trimEnd().split('\n')) t.is(typeof JSON.parse(line), 'object');
  t.regex(stderr.text(), /PLAY RECAP/);
});

test('without --json all goes to stdout', async (t) => {
  const stdout = memoryStream();
  const stderr = memoryStream();
  const report = await createReport({ ...PLAIN_OPTIONS, json: false }, stdout, stderr);
  for (const event of EVERYTHING) report.emit(event);
  await report.close();
  t.regex(stdout.text(), /PLAY RECAP/);
  t.is(stderr.text(), '');
});

const POOR_TERMINALS = [
  { name: 'a dumb terminal', environment: { TERM: 'dumb' }, size: { columns: 80, rows: 24 } },
  { name: 'a terminal of unknown size', environment: {}, size: { columns: 0, rows: 0 } },
];

for (const { name, environment, size } of POOR_TERMINALS) {
  test(`${name} gets plain lines`, async (t) => {
    const stdout = memoryStream(size);
    const report = await createReport({ ...PLAIN_OPTIONS, environment, json: false }, stdout);
    for (const event of EVERYTHING) report.emit(event);
    await report.close();
    t.regex(stdout.text(), /PLAY \[Web/);
    t.notRegex(stdout.text(), /\u001b\[\?25l/);
  });
}

test('with --json a terminal that shows both streams gets plain lines', async (t) => {
  const stdout = memoryStream({ columns: 80, rows: 24 });
  const stderr = memoryStream({ columns: 80, rows: 24 });
  const report = await createReport({ ...PLAIN_OPTIONS, json: true }, stdout, stderr);
  for (const event of EVERYTHING) report.emit(event);
  await report.close();
  t.regex(stderr.text(), /PLAY \[Web/);
});
