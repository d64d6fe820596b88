import test from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import { clientKey, mergeLimited, parseLimited } from '../../src/site/limits.ts';

// As HAProxy 2.6 and 3.0 wrote it.
const SAID = `# table: balancers/path_login, type: ipv6, size:51200, used:1
0x564277cd61f0: key=::ffff:127.0.0.12 use=0 exp=118661 gpc0=4 gpc0_rate(60000)=4 http_req_rate(60000)=14

# table: balancers/clients, type: ipv6, size:204800, used:3
0x7f62ce3a93b8: key=2001:db8:0:7:: use=1 exp=591780 shard=0 gpc0=10 gpc0_rate(60000)=0 http_req_rate(10000)=16 http_err_rate(60000)=0 bytes_in_rate(10000)=1365

# table: balancers/connections, type: ipv6, size:204800, used:3
0x7f12: key=::ffff:10.0.0.1 use=0 exp=59 gpc0=20 gpc0_rate(60000)=20 conn_rate(10000)=30 conn_cur=3

`;

test('what HAProxy has counted is read: client, table, what was refused and what it does', (t) => {
  t.deepEqual(parseLimited('lb1', SAID), [
    { client: '127.0.0.12', table: 'path_login', refused: 4, refusedInMinute: 4, rates: { requests: 14 } },
    {
      client: '2001:db8:0:7::/64',
      table: 'clients',
      refused: 10,
      refusedInMinute: 0,
      rates: { requests: 16, errors: 0, uploadedBytes: 1365 },
    },
    {
      client: '10.0.0.1',
      table: 'connections',
      refused: 20,
      refusedInMinute: 20,
      rates: { connections: 3, newConnections: 30 },
    },
  ]);
  t.deepEqual(parseLimited('lb1', '# table: balancers/clients, type: ipv6, size:204800, used:0\n\n'), []);
});

for (const text of [
  'No such table',
  '0x1: key=::ffff:10.0.0.1 gpc0=1',
  '# table: other, type: ip\n0x1: key=x',
]) {
  test(`what is no table of clients is not believed: ${text.slice(0, 20)}`, (t) => {
    const error = t.throws(() => parseLimited('lb1', text), { instanceOf: UserError });
    t.regex(error?.message ?? '', /^lb1: expected what HAProxy has counted/);
  });
}

const KEYS: readonly (readonly [string, string | undefined])[] = [
  ['203.0.113.7', '::ffff:203.0.113.7'],
  ['203.0.113.7/32', '::ffff:203.0.113.7'],
  ['203.0.113.0/24', undefined],
  ['2001:db8:0:7::/64', '2001:db8:0:7:0:0:0:0'],
  ['2001:db8:0:7:1:2:3:4', '2001:db8:0:7:0:0:0:0'],
  ['2001:db8::/32', undefined],
  ['lb1', undefined],
];

for (const [text, key] of KEYS) {
  test(`the client ${text} is ${key ?? 'none'} in the tables`, (t) => t.is(clientKey(text), key));
}

test('balancers count together, but for connections at once, which are added up', (t) => {
  const one = {
    client: '10.0.0.1',
    table: 'connections',
    refused: 3,
    refusedInMinute: 3,
    rates: { connections: 2, newConnections: 9 },
  };
  const busier = { ...one, client: '10.0.0.2', refusedInMinute: 5 };
  const later = { ...one, refused: 4, rates: { connections: 5, newConnections: 11 } };
  t.deepEqual(mergeLimited([[one, busier], [later]]), [
    busier,
    { ...later, rates: { connections: 7, newConnections: 11 } },
  ]);
});
