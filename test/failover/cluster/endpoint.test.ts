import test from 'ava';

import {
  endpointName,
  endpointSecrets,
  endpointsSchema,
  haproxiesOf,
} from '../../../src/failover/cluster/endpoint.ts';

const VIP = { kind: 'vip', name: 'db-vip', address: '10.0.0.50', interface: 'eth0' };
const DNS = {
  kind: 'dns',
  record: 'DB.example.com.',
  server: '10.0.0.53',
  key_name: 'failover',
  key_secret: 'c2VjcmV0',
};
const PROXYSQL = {
  kind: 'proxysql',
  name: 'p1',
  address: '10.0.0.31',
  password: 'secret',
  writer_hostgroup: 10,
};

test('what is left out has a default', (t) => {
  const [vip, dns, proxysql] = endpointsSchema.parse([VIP, DNS, PROXYSQL]);
  t.like(vip, { address: '10.0.0.50/32', moved_by: 'failover' });
  t.like(dns, { record: 'db.example.com', port: 53, ttl: 5, key_algorithm: 'hmac-sha256' });
  t.like(proxysql, { user: 'radmin', port: 6032 });
});

test('an IPv6 address is one address, and a given prefix length stays', (t) => {
  const address = (text: string): unknown => endpointsSchema.parse([{ ...VIP, address: text }])[0];
  t.like(address('fd00::50'), { address: 'fd00::50/128' });
  t.like(address('10.0.0.50/24'), { address: '10.0.0.50/24' });
});

test('secrets are known as such, and do not show', (t) => {
  const endpoints = endpointsSchema.parse([VIP, DNS, PROXYSQL]);
  t.deepEqual(
    endpointSecrets(endpoints).map((secret) => secret.reveal()),
    ['c2VjcmV0', 'secret'],
  );
  t.notRegex(JSON.stringify(endpoints), /c2VjcmV0|"secret"/);
});

test('a name is called after its record', (t) => {
  const [dns] = endpointsSchema.parse([DNS]);
  t.is(dns?.kind === 'dns' ? endpointName(dns) : undefined, 'db.example.com');
});

test('HAProxy counts only where it is one of the ways, or none is named', (t) => {
  const balancers = ['lb1', 'lb2'];
  t.deepEqual(haproxiesOf({ balancers }), balancers);
  t.deepEqual(
    haproxiesOf({ balancers, endpoints: endpointsSchema.parse([VIP, { kind: 'haproxy' }]) }),
    balancers,
  );
  t.deepEqual(haproxiesOf({ balancers, endpoints: endpointsSchema.parse([VIP]) }), []);
});

/** What would become a command of nsupdate, of ProxySQL, or of a shell is no value. */
const REFUSED: readonly (readonly [string, unknown])[] = [
  ['an unknown kind', { kind: 'consul' }],
  ['a key that the kind does not have', { ...VIP, ttl: 5 }],
  ['a record with a line feed', { ...DNS, record: 'db.example.com.\nupdate delete example.com.' }],
  ['a key’s name with a blank', { ...DNS, key_name: 'a b' }],
  ['a secret that is not base64', { ...DNS, key_secret: 'c2Vj cmV0' }],
  ['a server by name', { ...DNS, server: 'ns.example.com' }],
  ['a host with a quote', { ...PROXYSQL, address: "10.0.0.1' OR '1" }],
  ['an address that is none', { ...VIP, address: '10.0.0' }],
  ['a prefix length that is too long', { ...VIP, address: '10.0.0.50/33' }],
  ['an interface with a blank', { ...VIP, interface: 'eth0 up' }],
];

for (const [name, endpoint] of REFUSED) {
  test(`${name} is refused`, (t) => {
    t.false(endpointsSchema.safeParse([endpoint]).success);
  });
}

test('two of one name are refused', (t) => {
  const { error } = endpointsSchema.safeParse([VIP, { ...DNS, name: 'db-vip' }]);
  t.regex(error?.issues[0]?.message ?? '', /"db-vip" is there twice/);
});
