import test from 'ava';
import { signedLogins } from '../../../files/app/signed-logins.ts';

const HOUR = 3_600_000;

test('a login is known on every server with the same key, until it expires', async (t) => {
  let now = 1000;
  const clock = (): number => now;
  const [one, other, stranger] = ['key', 'key', 'another key'].map((key) =>
    signedLogins({ key, seconds: 3600 }, clock),
  );
  const { token, expiresAt } = await one!.begin('ada');
  t.is(expiresAt, 1000 + HOUR);
  t.deepEqual(await other!.find(token), { user: 'ada', expiresAt });
  t.is(await stranger!.find(token), undefined);
  now += HOUR - 1;
  t.truthy(await other!.find(token));
  now += 1;
  t.is(await other!.find(token), undefined);
});

test('a token with another user or a later end in it is nobody’s', async (t) => {
  const logins = signedLogins({ key: 'key', seconds: 60 });
  const { token } = await logins.begin('ada');
  const [text = '', mark = ''] = token.split('.');
  const said = JSON.parse(Buffer.from(text, 'base64url').toString()) as object;
  const forged = (change: object): string =>
    `${Buffer.from(JSON.stringify({ ...said, ...change })).toString('base64url')}.${mark}`;
  t.is((await logins.find(forged({})))?.user, 'ada');
  for (const change of [{ user: 'eve' }, { expiresAt: Number.MAX_SAFE_INTEGER }]) {
    t.is(await logins.find(forged(change)), undefined, JSON.stringify(change));
  }
  for (const nothing of [undefined, '', 'x', '.', `${text}.`, `.${mark}`]) {
    t.is(await logins.find(nothing), undefined, nothing);
  }
});

test('two logins of one user are two tokens', async (t) => {
  const logins = signedLogins({ key: 'key', seconds: 60 });
  t.not((await logins.begin('ada')).token, (await logins.begin('ada')).token);
});

test('what another key signed counts until its time, and nothing new is signed with it', async (t) => {
  let now = 1000;
  const clock = (): number => now;
  const before = signedLogins({ key: 'old', seconds: 60 }, clock);
  const logins = signedLogins({ key: 'new', otherKeys: [{ key: 'old', until: 2000 }], seconds: 60 }, clock);
  const old = await before.begin('ada');
  t.is((await logins.find(old.token))?.user, 'ada');
  const { token } = await logins.begin('ada');
  t.is(await before.find(token), undefined);
  now = 2000;
  t.is(await logins.find(old.token), undefined);
  t.is((await logins.find(token))?.user, 'ada');
});
