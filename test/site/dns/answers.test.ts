import test from 'ava';

import { askScript, parseAnswers, parseServers, serversScript } from '../../../src/site/dns/answers.ts';

// As dig of BIND 9.18 wrote it beside a real BIND, without the lines in between.
const SAID = `== 127.0.0.1 www.foobar.test
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 15975
www.foobar.test.	60	IN	A	10.0.0.100
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 59012
www.foobar.test.	60	IN	AAAA	fd00::64
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 55157
www.foobar.test.	300	IN	CAA	0 issue "other.example"
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 6777
foobar.test.		300	IN	CAA	0 issuewild ";"
== 127.0.0.1 *.foobar.test
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 58925
*.foobar.test.		60	IN	A	10.0.0.7
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 15425
Foobar.test.		300	IN	CAA	0 Issue "letsencrypt.org; validationmethods=http-01"
== 127.0.0.9 www.foobar.test
;; Connection to 127.0.0.9#5353(127.0.0.9) for www.foobar.test. failed: connection refused.
silent
== 127.0.0.8 www.foobar.test
;; ->>HEADER<<- opcode: QUERY, status: REFUSED, id: 12388
`;

test('answers have addresses with their time, and the CAA records of the nearest name', (t) => {
  t.deepEqual(parseAnswers(SAID), [
    {
      name: 'www.foobar.test',
      server: '127.0.0.1',
      status: 'NOERROR',
      addresses: [
        { address: '10.0.0.100', ttl: 60 },
        { address: 'fd00::64', ttl: 60 },
      ],
      caa: [{ tag: 'issue', value: 'other.example' }],
    },
    {
      name: '*.foobar.test',
      server: '127.0.0.1',
      status: 'NOERROR',
      addresses: [{ address: '10.0.0.7', ttl: 60 }],
      caa: [{ tag: 'issue', value: 'letsencrypt.org; validationmethods=http-01' }],
    },
    { name: 'www.foobar.test', server: '127.0.0.9', status: undefined, addresses: [], caa: [] },
    { name: 'www.foobar.test', server: '127.0.0.8', status: 'REFUSED', addresses: [], caa: [] },
  ]);
});

test('each server is asked for each name, and for CAA records up to the last but one label', (t) => {
  const script = askScript(['*.a.foobar.test'], [{ server: 'fd00::53', port: 5353 }]);
  const [, line = ''] = script.split('\n');
  t.regex(line, / @fd00::53 -p 5353 /);
  t.deepEqual(
    [...line.replaceAll("'", '').matchAll(/(\S+)\. (A|AAAA|CAA)\b/g)].map(
      ([, name, type]) => `${name} ${type}`,
    ),
    ['*.a.foobar.test A', '*.a.foobar.test AAAA', 'a.foobar.test CAA', 'foobar.test CAA'],
  );
});

test('the responsible servers are those of the zone that the name is in', (t) => {
  t.regex(serversScript('*.foobar.test'), /SOA foobar\.test\. /);
  t.deepEqual(parseServers('ns2.foobar.test.\nns1.foobar.test.\n;; timed out\n\n'), [
    'ns2.foobar.test',
    'ns1.foobar.test',
  ]);
});
