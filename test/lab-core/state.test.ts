import test from 'ava';
import { UserError } from '../../src/lib/errors.ts';
import { MAX_LABS } from '../../src/lab/layout.ts';
import { freeIndex } from '../../src/lab/state.ts';

const ROUTES = 'default via 192.168.1.1 dev eth0\n192.168.1.0/24 dev eth0 proto kernel src 192.168.1.7\n';

test('the default lab has the first networks, and others leave them to it', (t) => {
  t.is(freeIndex('lab', [], ROUTES), 0);
  t.is(freeIndex('second', [], ROUTES), 1);
  t.is(freeIndex('third', [0, 1], ROUTES), 2);
});

test('a network that this machine uses otherwise is passed over', (t) => {
  t.is(freeIndex('lab', [], `${ROUTES}10.83.0.0/24 dev tun0 scope link\n`), 1);
  t.is(freeIndex('lab', [], `${ROUTES}unreachable 10.83.1.0/24\n`), 1);
  t.is(freeIndex('lab', [], `${ROUTES}10.83.10.0/24 dev tun0 scope link\n`), 0);
});

test('no free network is an error that says so', (t) => {
  const all = Array.from({ length: MAX_LABS }, (_, index) => index);
  t.throws(() => freeIndex('lab', all, ROUTES), { instanceOf: UserError, message: /10\.83\.0\.0\/16/ });
});
