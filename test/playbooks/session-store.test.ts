import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import type { Logins } from '../../files/app/logins.ts';
import { storedLogins } from '../../files/app/stored-logins.ts';
import { testWith } from '../needs.ts';
import { MEMBERS, type Member, needsStore, SessionStore } from './support/session-store.ts';

const storeTest = testWith(needsStore(), test.serial);

// Another number for each run, so that none meets what another one left behind.
const NET = 20 + (process.pid % 200);
const store = new SessionStore(NET);
const SIGNED = { key: 'key', seconds: 600 };
let logins: Logins;

test.after.always('nothing is left', async () => {
  logins?.close();
  await store.close();
});

/** Visitors of a site: they log in and are known, all the time. */
function visitors(): {
  readonly over: () => Promise<{ errors: string[]; lost: number; all: number; longestMs: number }>;
} {
  const errors: string[] = [];
  const tokens: string[] = [];
  let longestMs = 0;
  const over = new AbortController();
  const timed = async <T>(work: Promise<T>): Promise<T> => {
    const from = performance.now();
    const answer = await work;
    longestMs = Math.max(longestMs, performance.now() - from);
    return answer;
  };
  const one = async (): Promise<void> => {
    while (!over.signal.aborted) {
      try {
        const { token } = await timed(logins.begin('ada'));
        tokens.push(token);
        if ((await timed(logins.find(token))) === undefined) errors.push('unknown right after the login');
      } catch (error) {
        errors.push(String(error));
      }
      await sleep(20);
    }
  };
  const running = [one(), one(), one()];
  return {
    async over() {
      over.abort();
      await Promise.all(running);
      const found = await Promise.all(tokens.map((token) => logins.find(token)));
      return {
        errors,
        lost: found.filter((login) => login === undefined).length,
        all: tokens.length,
        longestMs,
      };
    },
  };
}

async function settled(members: readonly Member[] = MEMBERS): Promise<void> {
  for (const member of members) {
    const outcome = await store.program(member, 'settle');
    if (outcome.status !== 0) throw new Error(`${member}: ${outcome.stdout}${outcome.stderr}`);
  }
}

storeTest('three members that begin together have one primary', async (t) => {
  await store.make();
  for (const member of MEMBERS) {
    const checked = await store.program(member, 'begin', 'check');
    t.true(checked.stdout.startsWith(`begins with 127.0.${NET}.1 6391 as the primary`), checked.stderr);
    t.regex((await store.program(member, 'begin', 'make')).stdout, /^begins with/);
    store.start(member, 'server');
    store.start(member, 'sentinel');
  }
  await settled();
  t.deepEqual(await store.primaries(), ['web1']);
  logins = storedLogins(store.config, SIGNED);
  const login = await logins.begin('ada');
  t.deepEqual(await logins.find(login.token), { user: 'ada', expiresAt: login.expiresAt });
  await logins.end(login.token);
  t.is(await logins.find(login.token), undefined);
});

storeTest('each account may do what it is for, over TLS, and nothing else', async (t) => {
  t.regex(await store.cli('web1', 'app', 'appSecret', 'SET', 'sess:x', '1', 'EX', '60'), /^OK$/);
  for (const words of [
    ['GET', 'other'],
    ['SET', 'other', '1'],
    ['FLUSHALL'],
    ['KEYS', '*'],
    ['CONFIG', 'GET', '*'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['ACL', 'LIST'],
    ['SHUTDOWN'],
  ]) {
    t.regex(await store.cli('web1', 'app', 'appSecret', ...words), /NOPERM/, words.join(' '));
  }
  t.regex(await store.cli('web1', 'manager', 'managerSecret', 'GET', 'sess:x'), /NOPERM/);
  t.regex(await store.cli('web1', 'app', 'wrong', 'GET', 'sess:x'), /WRONGPASS|NOAUTH/);
  t.regex(await store.cli('web1', '', 'x', 'GET', 'sess:x'), /NOAUTH|WRONGPASS/);
  t.notRegex(await store.cli('web1', '', '', 'PING'), /PONG/);
});

storeTest('accounts are loaded while everything goes on, and each password is tried', async (t) => {
  const load = visitors();
  const accounts = [
    ['app', 'appSecret'],
    ['app', 'next'],
    ['replica', 'replicaSecret'],
    ['manager', 'wrong'],
  ] as const;
  const seen = async (): Promise<string> => (await store.accepts('web2', accounts)).join(', ');
  const rest = '3 valkey yes, 4 valkey no, 4 sentinel no';
  await store.secondPassword('next');
  t.is(await seen(), `1 valkey yes, 1 sentinel yes, 2 valkey yes, 2 sentinel yes, ${rest}`);
  await store.secondPassword(undefined);
  t.is(await seen(), `1 valkey yes, 1 sentinel yes, 2 valkey no, 2 sentinel no, ${rest}`);
  const { errors, lost } = await load.over();
  t.deepEqual(errors, []);
  t.is(lost, 0);
});

storeTest(
  'a primary that is stopped hands over first: nobody is logged out, and nobody waits long',
  async (t) => {
    const [primary] = await store.primaries();
    const load = visitors();
    const left = await store.program(primary!, 'leave');
    t.regex(left.stdout, /another one is the primary/, left.stderr);
    await store.end(primary!, 'server', 'SIGTERM');
    const seen = await load.over();
    t.log(seen);
    t.deepEqual(seen.errors, []);
    t.is(seen.lost, 0);
    t.true(seen.all > 0);
    t.deepEqual((await store.primaries()).length, 1);
    store.start(primary!, 'server');
    await settled();
  },
);

storeTest('a login that was answered survives the death of the primary', async (t) => {
  const [primary] = await store.primaries();
  const load = visitors();
  await sleep(500);
  await Promise.all(['server', 'sentinel'].map((what) => store.end(primary!, what as 'server', 'SIGKILL')));
  for (let now = await store.primaries(); now.length !== 1; now = await store.primaries()) await sleep(200);
  const seen = await load.over();
  t.log(seen);
  t.deepEqual(seen.errors, []);
  t.is(seen.lost, 0);
  t.true(seen.longestMs < 20_000);
  // What comes back follows the new one, and beginning again changes nothing.
  const [now] = await store.primaries();
  const before = MEMBERS.map((member) => store.state(member, 'replication.conf'));
  for (const member of MEMBERS) t.is((await store.program(member, 'begin', 'make')).stdout, '');
  t.deepEqual(
    MEMBERS.map((member) => store.state(member, 'replication.conf')),
    before,
  );
  store.start(primary!, 'server');
  store.start(primary!, 'sentinel');
  await settled();
  t.deepEqual(await store.primaries(), [now!]);
});
