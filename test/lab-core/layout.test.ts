import test from 'ava';
import fc from 'fast-check';
import { UserError } from '../../src/lib/errors.ts';
import {
  backAddress,
  checkLabName,
  frontAddress,
  DEFAULT_SERVERS,
  hostSpec,
  labHosts,
  labNames,
  labNetwork,
  macAddress,
  MAX_LABS,
  MAX_SERVERS,
  portName,
  sshAddress,
} from '../../src/lab/layout.ts';

const HOSTS = labHosts(MAX_SERVERS);
const index = fc.integer({ min: 0, max: MAX_LABS - 1 });

test('no two addresses of one lab are equal', (t) => {
  const network = labNetwork(3);
  const addresses = [
    network.operator,
    network.frontGateway,
    network.backGateway,
    network.client,
    network.vip,
    network.vip2,
    ...HOSTS.flatMap((host) => [frontAddress(network, host) ?? [], backAddress(network, host)].flat()),
  ];
  t.is(new Set(addresses).size, addresses.length);
});

test('labs of different indexes share no network', (t) => {
  fc.assert(
    fc.property(index, index, (a, b) => {
      fc.pre(a !== b);
      const [first, second] = [labNetwork(a), labNetwork(b)];
      const networks = [first.frontNetwork, first.backNetwork, second.frontNetwork, second.backNetwork];
      return new Set(networks).size === 4;
    }),
  );
  t.pass();
});

test('only balancers are on the front network, and SSH goes to them directly', (t) => {
  const network = labNetwork(0);
  for (const host of HOSTS) {
    const direct = sshAddress(network, host).startsWith('10.83.0.');
    t.is(direct, host.role === 'balancer', host.name);
  }
});

test('names of interfaces keep to the 15 characters that Linux allows', (t) => {
  const longest = checkLabName('a23456789012');
  t.true(labNames(longest).operatorInterface.length <= 15);
  for (const owner of [...HOSTS.map((host) => host.name), 'client', 'operator']) {
    t.true(portName(owner, 'front').length <= 15);
  }
});

for (const name of ['', 'Lab', '1st', 'a/b', '..', 'a b', 'a234567890123']) {
  test(`"${name}" is refused as a name of a lab`, (t) => {
    t.throws(() => checkLabName(name), { instanceOf: UserError });
  });
}

test('a host that does not exist is refused with the names of those that do', (t) => {
  const error = t.throws(() => hostSpec(labHosts(DEFAULT_SERVERS), 'web9'), { instanceOf: UserError });
  t.regex(error.message, /web1, web2, web3, mon1/);
});

test('a larger lab has the hosts of a smaller one, with the same addresses, and more servers', (t) => {
  const smaller = labHosts(DEFAULT_SERVERS);
  const larger = labHosts(5);
  for (const host of smaller) t.deepEqual(hostSpec(larger, host.name), host);
  t.deepEqual(
    larger.filter((host) => !smaller.some(({ name }) => name === host.name)).map((host) => host.instance),
    ['db4', 'db5'],
  );
});

test('MAC addresses are local, unicast, stable and different', (t) => {
  const addresses = ['lab', 'other'].flatMap((lab) =>
    HOSTS.flatMap((host) => [macAddress(lab, host.name, 'front'), macAddress(lab, host.name, 'back')]),
  );
  for (const address of addresses) t.regex(address, /^02(:[0-9a-f]{2}){5}$/);
  t.is(new Set(addresses).size, addresses.length);
  t.is(macAddress('lab', 'web1', 'back'), macAddress('lab', 'web1', 'back'));
});
