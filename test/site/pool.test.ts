import { readFileSync } from 'node:fs';

import test from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import { parsePool } from '../../src/site/pool.ts';

// What `haproxy-drain list` printed on a balancer with HAProxy 3.0: web3 is out, and the site carries a few requests.
const RECORDED = readFileSync(new URL('recorded/haproxy-3.0.txt', import.meta.url), 'utf8');

test('a balancer says who is out, who is healthy, and what each one works on', (t) => {
  const pool = parsePool('lb1', RECORDED);
  t.deepEqual(
    pool.servers.map(
      ({ part, name, isOut, passes, check, current }) =>
        `${part} ${name}: ${isOut ? 'out' : 'in'}, ${passes ? 'healthy' : 'sick'} (${check}), ${current}`,
    ),
    [
      'requests web1: in, healthy (L7OK), 2',
      'requests web2: in, sick (L4CON), 0',
      'requests web3: out, healthy (L7OK), 3',
      'reads web1: in, sick (L7STS 503), 0',
      'reads web2: in, healthy (L7OK), 0',
      'reads web3: out, healthy (L7OK), 4',
      'reads web1: in, sick (L7STS 503), 0',
      'reads web2: in, healthy (L7OK), 0',
      'reads web3: out, healthy (L7OK), 0',
    ],
  );
  t.deepEqual(
    [...pool.drained],
    [['web3', { by: 'ann@desk', since: 1_795_902_999_121, reason: 'new disk' }]],
  );
});

test('a note that cannot be read does not hide that a server is out', (t) => {
  const pool = parsePool('lb1', RECORDED.replace(/^out web3 .*$/m, 'out web3 {"by":'));
  t.is(pool.drained.get('web3')?.by, 'somebody');
});

test('an answer of something else is an error that says what was found', (t) => {
  for (const text of ['', 'Permission denied.\n', RECORDED.replace(/^# pxname.*$/m, '# something')]) {
    const error = t.throws(() => parsePool('lb1', text), { instanceOf: UserError });
    t.regex(error?.message ?? '', /^lb1: expected what HAProxy says of its servers; found/);
  }
});

test('what a process finishes that a reload has replaced counts, too', (t) => {
  const old = 'old,web,web1,0,0,5,0,,0,\nold,mysql_replicas,web2,0,0,1,0,,0,\n';
  const pool = parsePool('lb1', `${RECORDED.trimEnd()}\n\n${old}`);
  t.deepEqual(
    pool.servers.map(({ current }) => current),
    [7, 0, 3, 0, 1, 4, 0, 0, 0],
  );
});
