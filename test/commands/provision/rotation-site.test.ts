import test from 'ava';

import { storeRefusals } from '../../../src/commands/provision/rotation-site.ts';
import { UserError } from '../../../src/lib/errors.ts';

const shell = async (): Promise<never> => {
  throw new UserError('nobody answers');
};
const sessionStore = ['web1', 'web2', 'web3'].map((host) => ({ host, address: host }));

test('a member of the store that is not there stands in the way of its own passwords, and of no other', async (t) => {
  const found = await storeRefusals({ sessionStore, shell }, ['backup', 'valkey_app']);
  t.true(found.some(({ message }) => message === 'the store of sessions on web2: nobody answers'));
  t.deepEqual(await storeRefusals({ sessionStore, shell }, ['backup', 'session_key']), []);
});

test('where there is no store, nothing of it is in the way', async (t) => {
  t.deepEqual(await storeRefusals({ sessionStore: [], shell }, ['valkey_app']), []);
});
