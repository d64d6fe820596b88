import test from 'ava';

import { plainReport } from '../../src/report/plain.ts';
import { EVERYTHING, memoryStream, PLAIN_OPTIONS, recap, result, task } from './events.ts';

async function lines(
  options: Partial<typeof PLAIN_OPTIONS | { verbose: number }>,
  events = EVERYTHING,
): Promise<string[]> {
  const stream = memoryStream();
  const report = plainReport(stream, { ...PLAIN_OPTIONS, ...options });
  for (const event of events) report.emit(event);
  await report.close();
  return stream
    .text()
    .split('\n')
    .map((line) => line.replace(/ \*+$/, ''));
}

test('the plain report reads like a run of Ansible', async (t) => {
  t.deepEqual(await lines({}), [
    '',
    'PLAY [Web (batch 1 of 2)]',
    '',
    'TASK [nginx : Write the site]',
    'changed: [web1] => (item=index)',
    '--- before: /srv/index.html',
    '+++ after: /srv/index.html',
    '@@ -1,1 +1,1 @@',
    '-old',
    '+new [REDACTED]',
    '',
    'RUNNING HANDLER [nginx : Restart]',
    'failed: [web1]: it broke',
    '    one',
    '    two',
    '...ignoring',
    'unreachable: [web2 -> web1]: no route',
    '[warning] beware (site.yml:9:1)',
    '',
    'PLAY RECAP',
    'web1 : ok=1    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=1',
    'web2 : ok=1    changed=0    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0',
    '',
    'interrupted, 1 host unreachable, 1 change on 1 of 2 hosts, in 1.2 s',
    '',
  ]);
});

test('-v shows unchanged results too, and -vv the progress of long steps', async (t) => {
  t.false((await lines({})).includes('ok: [web2]'));
  t.true((await lines({ verbose: 1 })).includes('ok: [web2]'));
  t.false((await lines({ verbose: 1 })).includes('web1: Setting up nginx'));
  t.true((await lines({ verbose: 2 })).includes('web1: Setting up nginx'));
});

test('what debug says is shown without -v', async (t) => {
  const events = [
    task('Say', ['a']),
    result('a', 'ok', { module: 'ansible.builtin.debug', message: 'hello' }),
  ];
  t.true((await lines({}, events)).includes('ok: [a]: hello'));
});

test('what a host prints cannot drive the terminal', async (t) => {
  const events = [
    task('Say', ['a']),
    result('a', 'failed', { message: 'no\u001b[2J\u0007 luck\r\nat all', output: '\u001b]0;x\u0007y' }),
  ];
  const text = (await lines({}, events)).join('\n');
  t.true(text.includes('failed: [a]: no luck\nat all\n    y'));
});

test('of hundreds of hosts the recap names those where something happened', async (t) => {
  const hosts = Object.fromEntries(
    Array.from({ length: 300 }, (_, n) => [`h${n}`, n === 7 ? { changed: 2 } : { ok: 2 }]),
  );
  const shown = await lines({}, [recap(hosts)]);
  t.deepEqual(
    shown.filter((line) => line.includes('changed=')).map((line) => line.slice(0, 3)),
    ['h7 '],
  );
  t.true(shown.includes('299 other hosts: nothing to change'));
  t.is((await lines({ verbose: 1 }, [recap(hosts)])).filter((line) => line.includes('changed=')).length, 300);
});
