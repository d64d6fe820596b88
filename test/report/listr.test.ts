import test from 'ava';
import { setTimeout as sleep } from 'node:timers/promises';

import { listrReport } from '../../src/report/listr.ts';
import type { Report, ReportOptions } from '../../src/report/stream.ts';
import { EVERYTHING, memoryStream, PLAIN_OPTIONS, recap, result, task } from './events.ts';
import { screenAfter } from './screen.ts';

interface Terminal {
  readonly report: Report;
  readonly stream: ReturnType<typeof memoryStream>;
  readonly screen: () => string[];
  /** Resolves when the screen has such a line. */
  readonly shows: (pattern: RegExp) => Promise<void>;
}

function terminal(options: Partial<ReportOptions> = {}, size = { columns: 120, rows: 12 }): Terminal {
  const stream = memoryStream(size);
  const screen = (): string[] => screenAfter(stream.text(), size.columns);
  return {
    report: listrReport(stream, { ...PLAIN_OPTIONS, environment: { NO_COLOR: '1' }, ...options }),
    stream,
    screen,
    async shows(pattern) {
      const deadline = performance.now() + 20_000;
      while (!screen().some((line) => pattern.test(line))) {
        if (performance.now() > deadline) throw new Error(`never shown: ${pattern}\n${screen().join('\n')}`);
        await sleep(10);
      }
    },
  };
}

/** A busy machine may take more than the second from which on a task's time is said. */
function untimed(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/ {2}\d+\.\d s$/, ''));
}

test('after a run the terminal has what changed and what failed, and no trace of the live view', async (t) => {
  const { report, screen, shows } = terminal();
  for (const event of EVERYTHING.slice(0, 3)) report.emit(event);
  await shows(/web1 {2}Setting up nginx$/);
  for (const event of EVERYTHING.slice(3)) report.emit(event);
  await report.close();
  t.deepEqual(untimed(screen()), [
    '',
    'Web (batch 1 of 2) on web1, web2',
    '  ● nginx : Write the site',
    '    changed (index) web1',
    '      --- before: /srv/index.html',
    '      +++ after: /srv/index.html',
    '      @@ -1,1 +1,1 @@',
    '      -old',
    '      +new [REDACTED]',
    '[warning] beware (site.yml:9:1)',
    '  ✖ handler nginx : Restart',
    '    failed (ignored) web1',
    '      it broke',
    '      one',
    '      two',
    '    unreachable web2 → web1',
    '      no route',
    '',
    'web1 : ok=1    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=1',
    'web2 : ok=1    changed=0    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0',
    '',
    'interrupted, 1 host unreachable, 1 change on 1 of 2 hosts, in 1.2 s',
    '',
  ]);
});

test('while a task runs its hosts are shown with what they do and how they ended', async (t) => {
  const { report, screen, shows } = terminal();
  report.emit({ type: 'play', name: 'Web', hosts: ['a', 'b', 'c'] });
  report.emit(task('Install', ['a', 'b', 'c']));
  report.emit({ type: 'progress', host: 'b', line: `Unpacking ${'x'.repeat(200)}` });
  report.emit(result('a', 'ok'));
  report.emit(result('c', 'changed'));
  await shows(/✔ a$/);
  t.true(screen().some((line) => /nginx : Install {2}2\/3 hosts/.test(line)));
  t.true(
    screen().some((line) => /b {2}Unpacking x+…$/.test(line)),
    'cut to the width of the terminal',
  );
  t.true(screen().some((line) => /✔ c {2}changed$/.test(line)));
  await report.close();
  t.deepEqual(untimed(screen()).slice(0, 4), ['', 'Web on a, b, c', '  ● nginx : Install', '    changed c']);
});

test('of more hosts than rows those are shown that are not done', async (t) => {
  const hosts = Array.from({ length: 100 }, (_, n) => `h${n}`);
  const { report, screen, shows } = terminal();
  report.emit(task('Install', hosts));
  await shows(/h0$/);
  t.true(screen().filter((line) => line !== '').length < 12);
  for (const host of hosts.slice(0, 95)) report.emit(result(host, 'ok'));
  await shows(/95\/100 hosts/);
  for (const host of hosts.slice(95))
    t.true(
      screen().some((line) => line.endsWith(` ${host}`)),
      host,
    );
  await report.close();
});

test('tasks with nothing to tell collapse to a number', async (t) => {
  const { report, screen } = terminal();
  report.emit({ type: 'play', name: 'Web', hosts: ['a'] });
  for (let n = 0; n < 7; n++) {
    report.emit(task(`Task ${n}`, ['a']));
    report.emit(result('a', n === 3 ? 'skipped' : 'ok'));
  }
  report.emit(recap({ a: { ok: 6, skipped: 1 } }));
  await report.close();
  t.regex(screen()[2] ?? '', /^ {2}✔ 7 tasks with nothing to change {2}\d+\.\d s$/);
  t.is(screen().at(-2), 'Nothing to change on 1 host, in 1.2 s');
});

test('-v shows unchanged results by name, hosts with the same answer together', async (t) => {
  const { report, screen } = terminal({ verbose: 1 });
  report.emit(task('Look', ['a', 'b', 'c']));
  report.emit(result('a', 'ok'));
  report.emit(result('b', 'skipped', { message: 'not today' }));
  report.emit(result('c', 'ok'));
  await report.close();
  t.deepEqual(screen(), ['  ✔ nginx : Look', '    ok a, c', '    skipped b', '      not today', '']);
});

test('in check mode nothing claims to have changed', async (t) => {
  const { report, screen } = terminal({ check: true });
  report.emit(task('Look', ['a']));
  report.emit(result('a', 'changed'));
  report.emit(recap({ a: { changed: 1 } }));
  await report.close();
  t.is(screen()[1], '    would change a');
  t.is(screen().at(-2), '1 task would change on 1 of 1 host, in 1.2 s');
});

test('the terminal is drawn a few times a second, however many events there are', async (t) => {
  const hosts = Array.from({ length: 200 }, (_, n) => `h${n}`);
  const { report, stream } = terminal();
  const started = performance.now();
  for (let n = 0; n < 100; n++) {
    report.emit(task(`Task ${n}`, hosts));
    for (const host of hosts) report.emit(result(host, 'ok'));
    if (n % 10 === 0) await sleep(1);
  }
  await report.close();
  const views = stream.text().split('Task ').length - 1;
  t.true(views <= 3 + (performance.now() - started) / 50, `${views} frames`);
});

test('what somebody else writes to the terminal stays on it, above the live view', async (t) => {
  const { report, stream, screen, shows } = terminal();
  report.emit(task('Install', ['a', 'b']));
  await shows(/a$/);
  stream.write('a message from elsewhere\n');
  await shows(/a message from elsewhere/);
  await shows(/a$/);
  await report.close();
  t.deepEqual(screen(), ['a message from elsewhere', '']);
});
