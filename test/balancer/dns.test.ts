import test from 'ava';

import { dnsBalancer, type RunScript } from '../../src/balancer/dns.ts';
import { EXIT, type ExitCode, UserError } from '../../src/lib/errors.ts';
import { Secret } from '../../src/lib/secret.ts';
import { SECRET, TARGETS } from './support/worlds.ts';

/* What nsupdate and dig of BIND 9.18 said beside a real BIND and a real Knot. */

function balancerOn(run: RunScript, more: { readonly zone?: string } = {}): ReturnType<typeof dnsBalancer> {
  return dnsBalancer({
    name: 'db.foobar.test',
    record: 'db.foobar.test',
    zone: more.zone,
    server: '10.0.0.53',
    port: 53,
    ttl: 5,
    key: { name: 'failover', algorithm: 'hmac-sha256', secret: new Secret(SECRET) },
    targets: [...TARGETS, { host: 'web6', address: 'fd00::6', port: 3306 }],
    run,
    timeoutMs: 1000,
  });
}

interface Refusal {
  readonly name: string;
  readonly status: number;
  readonly said: string;
  readonly message: RegExp;
  readonly exitCode: ExitCode;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: 'a wrong key',
    status: 2,
    said: '; TSIG error with server: tsig indicates error\nupdate failed: NOTAUTH(BADSIG)\n',
    message: /10\.0\.0\.53:53 refuses: .*NOTAUTH\(BADSIG\)$/,
    exitCode: EXIT.failed,
  },
  {
    name: 'a record that the key may not change',
    status: 2,
    said: 'update failed: REFUSED\n',
    message: /refuses: update failed: REFUSED$/,
    exitCode: EXIT.failed,
  },
  {
    name: 'a name server that does not answer',
    status: 2,
    said: '; Communication with 10.0.0.53#53 failed: operation canceled\n',
    message: /does not answer/,
    exitCode: EXIT.unreachable,
  },
  {
    name: 'a name server that hangs',
    status: 124,
    said: '',
    message: /does not answer/,
    exitCode: EXIT.unreachable,
  },
  {
    name: 'a balancer without the programs',
    status: 127,
    said: "timeout: failed to run command 'nsupdate': No such file or directory\n",
    message: /package bind9-dnsutils/,
    exitCode: EXIT.failed,
  },
];

for (const { name, status, said, message, exitCode } of REFUSALS) {
  test(`${name} is named as such, and the key is not`, async (t) => {
    const balancer = balancerOn(() => Promise.resolve({ status, stdout: '', stderr: said }));
    const error = await t.throwsAsync<UserError>(balancer.expect('web2'), { instanceOf: UserError });
    t.regex(error?.message ?? '', message);
    t.is(error?.exitCode, exitCode);
    t.false(error?.message.includes(SECRET));
  });
}

test('an answer that is neither yes nor no is no answer', async (t) => {
  const stdout = ';; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: REFUSED, id: 1\n';
  const balancer = balancerOn(() => Promise.resolve({ status: 0, stdout, stderr: '' }));
  await t.throwsAsync(balancer.writers(), { message: /answers with REFUSED for db\.foobar\.test/ });
});

test('a name that is not there leads to nobody', async (t) => {
  const stdout = ';; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1\n';
  const balancer = balancerOn(() => Promise.resolve({ status: 0, stdout, stderr: '' }));
  t.deepEqual(await balancer.writers(), []);
});

test('both addresses are replaced in one message, and the key is in no command line', async (t) => {
  const scripts: string[] = [];
  const balancer = balancerOn(
    (script) => {
      scripts.push(script);
      const stdout =
        ';; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\ndb.foobar.test.\t5\tIN\tAAAA\tfd00:0::6\n';
      return Promise.resolve({ status: 0, stdout, stderr: '' });
    },
    { zone: 'foobar.test' },
  );
  await balancer.pointWriters('web6');
  const [update = ''] = scripts;
  const [program, ...lines] = update.split('\n');
  t.notRegex(program ?? '', new RegExp(SECRET));
  t.deepEqual(lines, [
    'server 10.0.0.53 53',
    'zone foobar.test.',
    `key hmac-sha256:failover ${SECRET}`,
    'update delete db.foobar.test. A',
    'update delete db.foobar.test. AAAA',
    'update add db.foobar.test. 5 AAAA fd00::6',
    'send',
    'END',
    '',
  ]);
});
