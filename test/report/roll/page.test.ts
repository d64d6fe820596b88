import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { run } from '../../../src/lib/process.ts';
import { rollPage } from '../../../src/report/roll/page.ts';
import { needsProgram, testWith } from '../../needs.ts';
import { coloursOf } from './png.ts';
import { REPORT } from './support.ts';

const PAGE = rollPage(REPORT);

test('every host is on the page, and every phase of it on the timeline and in a table', (t) => {
  const bars = [...PAGE.matchAll(/<rect class="phase [^>]*data-host="([^"]*)" data-phase="([^"]*)"/g)].map(
    ([, host, phase]) => `${host} ${phase}`,
  );
  const sections = PAGE.split('<section ').slice(1);
  t.is(sections.length, REPORT.record.hosts.length);
  for (const { name, phases } of REPORT.record.hosts) {
    t.deepEqual(
      bars.filter((bar) => bar.startsWith(`${name} `)),
      phases.map(({ phase }) => `${name} ${phase}`),
    );
    const section = sections.find((text) => text.startsWith(`data-host="${name}"`)) ?? '';
    t.deepEqual(
      [...section.matchAll(/<tr><td>(\w+)<\/td>/g)].map(([, phase]) => phase),
      phases.map(({ phase }) => phase),
      name,
    );
  }
});

test('it says what the balancers counted, and what nobody counted', (t) => {
  t.regex(PAGE, /<dt>requests<\/dt><dd class="">1,200</);
  t.regex(PAGE, /<dt>failed \(5xx\)<\/dt><dd class="ok">0</);
  t.regex(PAGE, /<dt>slowest request<\/dt><dd class="">213 ms</);
  t.regex(PAGE, /<li>lb2: it did not answer<\/li>/);
});

test('what hosts said is text there, whatever is in it', (t) => {
  t.true(PAGE.includes('Restart &#60;nginx&#62;: exit 1 &#38; no more'));
  t.false(PAGE.includes('<nginx>'));
  const hostile = '"><script>alert(1)</script>';
  const page = rollPage({
    ...REPORT,
    record: {
      ...REPORT.record,
      purpose: hostile,
      who: hostile,
      message: hostile,
      hosts: REPORT.record.hosts.map((host) => ({ ...host, name: hostile })),
    },
  });
  t.false(page.includes('<script'));
});

test('it needs nothing from elsewhere, and no script', (t) => {
  t.notRegex(PAGE, /<script|<link|<img|<iframe|@import|https?:|\bon\w+="/);
  t.deepEqual(
    [...PAGE.matchAll(/url\(([^)]*)\)/g)].filter(([, target]) => !target?.startsWith('#')),
    [],
  );
});

const CHROMIUM = testWith(needsProgram('chromium', 'chromium'), test);

for (const { scheme, ground, work } of [
  { scheme: 'light', ground: '#ffffff', work: '#8fb8f0' },
  { scheme: 'dark', ground: '#14171a', work: '#2b5a9b' },
] as const) {
  CHROMIUM(`a browser shows it, where the reader likes it ${scheme}`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'understudy-page-'));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    const [page, picture] = [join(directory, 'page.html'), join(directory, 'page.png')];
    writeFileSync(page, PAGE);
    const ended = await run(
      [
        'chromium',
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--hide-scrollbars',
        `--user-data-dir=${join(directory, 'profile')}`,
        `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
        '--window-size=1200,1000',
        `--screenshot=${picture}`,
        `file://${page}`,
      ],
      { timeoutMs: 90_000 },
    );
    t.is(ended.status, 0, ended.stderr);
    const colours = coloursOf(readFileSync(picture));
    const share = (colour: string): number => (colours.get(colour) ?? 0) / (1200 * 1000);
    t.true(share(ground) > 0.5, `the ground is ${ground}`);
    t.true(share(work) > 0.003, `the bars of the work are there: ${share(work)}`);
    t.true(colours.size > 100, 'letters have soft edges');
  });
}
