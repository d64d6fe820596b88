import test from 'ava';

import { jsonReport } from '../../src/report/json.ts';
import { lineSchema } from '../../src/report/schema.ts';
import { EVERYTHING, memoryStream, result } from './events.ts';

const redact = (text: string): string => text.replaceAll('hunter"22', '[REDACTED]');

async function printed(events: typeof EVERYTHING, diff: boolean): Promise<unknown[]> {
  const stream = memoryStream();
  const report = jsonReport(stream, { diff, redact });
  for (const event of events) report.emit(event);
  await report.close();
  return stream
    .text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

test('every line conforms to its schema, and loses nothing in it', async (t) => {
  const lines = await printed(EVERYTHING, true);
  t.deepEqual(
    lines.map((line) => (line as { type: string }).type),
    ['play', 'task', 'result', 'result', 'task', 'result', 'result', 'recap'],
  );
  for (const line of lines) t.deepEqual(lineSchema.parse(line), line as never);
});

test('a result has exactly what is known about it', async (t) => {
  t.deepEqual(await printed([result('web1', 'ok')], true), [
    { type: 'result', host: 'web1', task: 'Task', module: 'ansible.builtin.copy', status: 'ok', ms: 2 },
  ]);
});

test('diffs are printed with --diff only', async (t) => {
  const event = result('web1', 'changed', { diff: [{ subject: '/a', before: 'x', after: 'y' }] });
  t.deepEqual(
    (await printed([event], true)).map((line) => (line as { diff?: unknown }).diff),
    [event.diff],
  );
  t.deepEqual(
    (await printed([event], false)).map((line) => (line as { diff?: unknown }).diff),
    [undefined],
  );
});

test('a secret is redacted before a quote in it is escaped', async (t) => {
  const [line] = await printed([result('web1', 'failed', { message: 'wrong: hunter"22' })], false);
  t.is((line as { message: string }).message, 'wrong: [REDACTED]');
});
