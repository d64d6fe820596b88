import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { randomBytes } from 'node:crypto';

import test, { type ExecutionContext } from 'ava';

import type { Coordination } from '../../../src/failover/coordination/coordination.ts';
import { etcdCoordination, type EtcdCoordinationOptions } from '../../../src/failover/coordination/etcd.ts';
import { UserError } from '../../../src/lib/errors.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { entry, keepsTheContract } from './contract.ts';
import { direct, etcdMember, etcdTrio, path, type EtcdMember } from './etcd-member.ts';

const SOURCE = new URL('../../../src/failover/coordination/etcd.ts', import.meta.url).pathname;

// One member serves all tests that do not stop it: each of them is a cluster of its own there.
let shared: EtcdMember;
test.before(async () => {
  shared = await etcdMember();
});
test.after.always(async () => {
  await shared?.remove();
});

// Those that wait for a lease to end run one after the other: etcd is slow enough on a busy disk.
let clusters = 0;

interface Opening extends Partial<EtcdCoordinationOptions> {
  readonly member?: EtcdMember;
}

function opener(t: ExecutionContext, always: Opening = {}): (more?: Opening) => Coordination {
  const unique = `test ${++clusters}`;
  return (more = {}) => {
    const { member = shared, ...options } = { ...always, ...more };
    const coordination = etcdCoordination({
      endpoints: [member.endpoint],
      dial: direct,
      cluster: unique,
      ttlSeconds: 20,
      // On a busy machine etcd may take long to reach its disk.
      timeoutMs: 30_000,
      ...options,
    });
    t.teardown(() => coordination.close());
    return coordination;
  };
}

keepsTheContract(test, async (t) => {
  // The messages name the cluster, so each of these has a member's keys for itself by another way.
  const member = await ownMember(t);
  return opener(t, { member, cluster: 'shop' });
});

async function ownMember(t: ExecutionContext, options: { tls?: boolean } = {}): Promise<EtcdMember> {
  const member = await etcdMember(options);
  t.teardown(() => member.remove());
  return member;
}

const ANN = { who: 'ann', purpose: 'promote db2' };
const BOB = { who: 'bob', purpose: 'watch' };

/** Tries until the lock is free. */
async function acquireWhenFree(coordination: Coordination) {
  for (;;) {
    try {
      return await coordination.acquire(BOB);
    } catch (error) {
      if (!/right now/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test.serial('a lease is kept for as long as its owner lives', async (t) => {
  const open = opener(t, { ttlSeconds: 5 });
  const [one, two] = [open(), open()];
  const lease = await one.acquire(ANN);
  const until = Date.now() + 7000;
  while (Date.now() < until) {
    await t.throwsAsync(two.acquire(BOB), { message: /ann is changing/ });
    await lease.confirm();
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  t.false(lease.signal.aborted);
  await lease.release();
});

test.serial(
  'an owner who is cut off knows that the lease is lost before anybody else can have it',
  async (t) => {
    const open = opener(t, { ttlSeconds: 5 });
    const cuttable = path();
    const [one, two] = [open({ dial: cuttable.dial }), open()];
    const lease = await one.acquire(ANN);
    let abortedAt: number | undefined;
    lease.signal.addEventListener('abort', () => (abortedAt = performance.now()));
    cuttable.cut();
    const next = await acquireWhenFree(two);
    const acquiredAt = performance.now();
    t.truthy(abortedAt);
    t.true(abortedAt! < acquiredAt, `lost at ${abortedAt}, given away at ${acquiredAt}`);
    t.true(next.epoch > lease.epoch);
    cuttable.mend();
    await t.throwsAsync(lease.confirm(), { instanceOf: UserError, message: /was lost/ });
    // What the old owner still tries does not touch the new one's lease.
    await lease.release();
    await next.confirm();
    await next.release();
  },
);

test.serial('an owner that slept through its lease is refused by the very first question', async (t) => {
  const two = opener(t)();
  const child = spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '-e',
      `import { connect } from 'node:net';
       import { etcdCoordination } from ${JSON.stringify(SOURCE)};
       const one = etcdCoordination({
         endpoints: [${JSON.stringify(shared.endpoint)}],
         cluster: ${JSON.stringify(`test ${clusters}`)},
         timeoutMs: 30_000,
         dial: async (host, port) => connect({ host, port }),
       });
       const lease = await one.acquire({ who: 'ann', purpose: 'promote db2' });
       process.stdin.once('data', () =>
         lease.confirm().then(
           () => console.log('confirmed'),
           (error) => console.log('refused: ' + error.message),
         ).finally(() => process.exit()),
       );
       console.log('acquired');`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  const next = await acquireWhenFree(two);
  child.stdin.write('go on\n');
  child.kill('SIGCONT');
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  t.regex(said.toString(), /^refused: the right to change test \d+ was lost/);
  await next.confirm();
  await next.release();
});

test('a lock that somebody removed by hand is lost', async (t) => {
  const open = opener(t);
  const key = `understudy/${encodeURIComponent(`test ${clusters}`)}/lock`;
  const [one, two] = [open(), open()];
  const lease = await one.acquire(ANN);
  shared.etcdctl(['del', key]);
  const next = await two.acquire(BOB);
  await t.throwsAsync(lease.confirm(), {
    instanceOf: UserError,
    message: /somebody else may have it by now/,
  });
  t.true(lease.signal.aborted);
  await lease.release();
  await next.confirm();
});

test.serial('without etcd nothing can be acquired or confirmed, and a healthy lease ends', async (t) => {
  const member = await ownMember(t);
  const open = opener(t, { member, ttlSeconds: 5 });
  const [one, two] = [open(), open()];
  const lease = await one.acquire(ANN);
  await member.stop();
  const refused = {
    instanceOf: UserError,
    message: /etcd does not answer \(127\.0\.0\.1:\d+: .*ECONNREFUSED/,
  };
  await t.throwsAsync(lease.confirm(), { instanceOf: UserError });
  await t.throwsAsync(two.acquire(BOB), refused);
  await t.throwsAsync(two.holder(), refused);
  await t.throwsAsync(two.memory(), refused);
  await t.throwsAsync(
    two.remember((memory) => memory),
    refused,
  );
  await t.throwsAsync(two.write(entry('a')), refused);
  await t.throwsAsync(two.history(1), refused);
  if (!lease.signal.aborted) {
    await new Promise((resolve) => lease.signal.addEventListener('abort', resolve));
  }
  t.true(lease.signal.reason instanceof UserError);

  await member.start();
  const next = await acquireWhenFree(two);
  t.true(next.epoch > lease.epoch, 'the epoch survives the restart');
  await next.release();
});

test('a restart that is shorter than the lease does not end it', async (t) => {
  const member = await ownMember(t);
  const open = opener(t, { member, ttlSeconds: 30 });
  const one = open();
  const lease = await one.acquire(ANN);
  await one.write(entry('a'));
  await member.stop('SIGTERM');
  await member.start();
  await lease.confirm();
  t.false(lease.signal.aborted);
  t.is((await one.history(5))[0]?.id, 'a');
  await lease.release();
});

test.serial('an etcd that hangs is no answer either, and says nothing twice when it goes on', async (t) => {
  const member = await ownMember(t);
  const open = opener(t, { member, ttlSeconds: 5 });
  const lease = await open().acquire(ANN);
  await member.signal('SIGSTOP');
  await t.throwsAsync(open({ timeoutMs: 500 }).acquire(BOB), {
    instanceOf: UserError,
    message: /silent for 500 ms/,
  });
  await t.throwsAsync(lease.confirm(), { instanceOf: UserError });
  await new Promise((resolve) => {
    if (lease.signal.aborted) resolve(undefined);
    lease.signal.addEventListener('abort', resolve);
  });
  await member.signal('SIGCONT');
  const next = await acquireWhenFree(open());
  t.true(next.epoch > lease.epoch);
  await next.release();
});

test('a member that takes requests and never answers costs nothing but a moment: each counts once', async (t) => {
  const deaf = path({ deaf: true });
  const open = opener(t, {
    endpoints: [`127.0.0.2:${shared.port}`, shared.endpoint],
    dial: (address, port) => (address === '127.0.0.2' ? deaf.dial('127.0.0.1', port) : direct(address, port)),
    hedgeMs: 100,
  });
  for (let round = 1; round <= 3; round++) {
    // A new handle each time: it asks the deaf one first.
    const one = open();
    const lease = await one.acquire(ANN);
    t.is(lease.epoch, round);
    await lease.confirm();
    await lease.release();
    await open().remember((memory) => ({ ...memory, epoch: memory.epoch + 1 }));
    t.is((await open().memory()).epoch, round);
    await open().write(entry(`entry ${round}`));
    t.is((await one.history(10)).length, round);
    await one.remember((memory) => ({ ...memory, epoch: memory.epoch - 1 + 1 }));
  }
});

test('the first question does not wait for a member that is silent, because no other one is known to live', async (t) => {
  const deaf = path({ deaf: true });
  const open = opener(t, {
    endpoints: [`127.0.0.2:${shared.port}`, shared.endpoint],
    dial: (address, port) => (address === '127.0.0.2' ? deaf.dial('127.0.0.1', port) : direct(address, port)),
    // Longer than a request may take.
    hedgeMs: 60_000,
  });
  t.deepEqual(await open().history(1), []);
});

test('what a slow member carries out late does not undo what was written since', async (t) => {
  const slow = path({ deaf: true, delayMs: 600 });
  const quick = opener(t);
  const cluster = `test ${clusters}`;
  const open = opener(t, {
    cluster,
    endpoints: [`127.0.0.2:${shared.port}`, shared.endpoint],
    dial: (address, port) => (address === '127.0.0.2' ? slow.dial('127.0.0.1', port) : direct(address, port)),
    hedgeMs: 30,
  });
  const one = open();
  const two = open();
  await one.write(entry('a', { outcome: 'running' }));
  await one.write(entry('a', { outcome: 'done' }));
  await two.remember((memory) => ({ ...memory, primary: 'db1' }));
  await quick().remember((memory) => ({ ...memory, primary: 'db2' }));
  const three = open();
  await (await three.acquire(ANN)).release();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  t.is((await quick().history(5))[0]?.outcome, 'done');
  t.is((await quick().memory()).primary, 'db2');
  t.is(await quick().holder(), undefined, 'a late request took the lock for nobody');
});

test('members that are down are left out, in any order', async (t) => {
  for (const endpoints of [
    ['127.0.0.1:1', shared.endpoint],
    [shared.endpoint, '127.0.0.1:1'],
    ['127.0.0.1:1', '127.0.0.1:2', `http://${shared.endpoint}`],
  ]) {
    const one = opener(t, { endpoints })();
    const lease = await one.acquire(ANN);
    await lease.confirm();
    await lease.release();
  }
  t.pass();
});

test.serial('a minority proves nothing: neither who holds the lock nor what is remembered', async (t) => {
  const members = await etcdTrio();
  t.teardown(() => Promise.all(members.map((member) => member.remove())));
  const open = opener(t, { endpoints: members.map((member) => member.endpoint), ttlSeconds: 60 });
  const lease = await open({ timeoutMs: 8000 }).acquire(ANN);
  await lease.confirm();
  await Promise.all(members.slice(1).map((member) => member.stop()));
  const refused = { instanceOf: UserError, message: /etcd does not answer/ };
  const two = open({ timeoutMs: 1000 });
  await Promise.all([
    t.throwsAsync(two.acquire(BOB), refused),
    t.throwsAsync(two.holder(), refused),
    t.throwsAsync(two.memory(), refused),
    t.throwsAsync(two.history(1), refused),
    // Its own view still says that the lock is ours, and is not asked.
    t.throwsAsync(lease.confirm(), refused),
  ]);
  await Promise.all(members.slice(1).map((member) => member.start()));
  await lease.confirm();
  await lease.release();
  const next = await open().acquire(BOB);
  t.true(next.epoch > lease.epoch);
  await next.release();
});

test.serial('a lease outlives any one member, the leader among them, whether it dies or hangs', async (t) => {
  const members = await etcdTrio();
  t.teardown(() => Promise.all(members.map((member) => member.remove())));
  const open = opener(t, { endpoints: members.map((member) => member.endpoint), ttlSeconds: 60 });
  const lease = await open().acquire(ANN);
  for (const member of members) {
    await member.signal('SIGSTOP');
    await lease.confirm();
    await t.throwsAsync(open().acquire(BOB), { message: /ann is changing/ });
    await member.signal('SIGCONT');
    await lease.confirm();
    await member.stop();
    await lease.confirm();
    await member.start();
  }
  t.false(lease.signal.aborted);
  await lease.release();
});

test('the journal in etcd keeps the newest 500', async (t) => {
  const open = opener(t);
  const one = open();
  for (let n = 0; n < 503; n++) await one.write(entry(String(n)));
  const history = await one.history(1000);
  t.is(history.length, 500);
  t.is(history[0]?.id, '502');
  t.is(history.at(-1)?.id, '3');
});

test('what somebody else put there is a mistake with a name', async (t) => {
  const open = opener(t);
  const prefix = `understudy/${encodeURIComponent(`test ${clusters}`)}/`;
  const one = open();
  shared.etcdctl(['put', `${prefix}memory`, 'nonsense']);
  await t.throwsAsync(one.memory(), { instanceOf: UserError, message: /memory in etcd cannot be read/ });
  shared.etcdctl(['del', `${prefix}memory`]);
  shared.etcdctl(['put', `${prefix}epoch`, 'seven']);
  await t.throwsAsync(one.acquire(ANN), { instanceOf: UserError, message: /epoch in etcd cannot be read/ });
  shared.etcdctl(['del', `${prefix}epoch`]);
  shared.etcdctl(['put', `${prefix}journal/x`, '{}']);
  await t.throwsAsync(one.history(1), {
    instanceOf: UserError,
    message: /journal\/x in etcd cannot be read/,
  });
  shared.etcdctl(['put', `${prefix}lock`, 'by hand']);
  await t.throwsAsync(one.acquire(ANN), { instanceOf: UserError, message: /somebody is changing/ });
});

for (const endpoint of ['', 'db1', 'db1:', ':2379', '10.0.0.1:99999', 'ftp://db1:1', 'a b:1']) {
  test(`"${endpoint}" is not the address of a member`, (t) => {
    t.throws(() => etcdCoordination({ endpoints: [endpoint], dial: direct, cluster: 'x' }), {
      instanceOf: UserError,
      message: /is not the address of an etcd member/,
    });
  });
}

test('without any members there is nothing to ask', (t) => {
  t.throws(() => etcdCoordination({ endpoints: [], dial: direct, cluster: 'x' }), {
    message: /no etcd members/,
  });
});

test('accounts and TLS: only its own keys, only with its password, only the right authority', async (t) => {
  const member = await ownMember(t, { tls: true });
  const root = 'root:secret';
  const before = opener(t, {
    member,
    cluster: 'shop',
    tls: { ca: member.ca! },
    account: { user: 'failover', password: new Secret('pässword') },
  });
  // Accounts that are not switched on yet: what the role does in between.
  await before().write(entry('before'));
  member.etcdctl(['user', 'add', 'root', '--interactive=false'], 'secret\n');
  member.etcdctl(['user', 'grant-role', 'root', 'root']);
  member.etcdctl(['user', 'add', 'failover', '--interactive=false'], 'pässword\n');
  member.etcdctl(['role', 'add', 'failover']);
  member.etcdctl(['role', 'grant-permission', 'failover', '--prefix=true', 'readwrite', 'understudy/shop/']);
  member.etcdctl(['user', 'grant-role', 'failover', 'failover']);
  const early = before();
  await early.memory();
  member.etcdctl(['auth', 'enable']);
  // A handle from before the change goes on: it asks for a new token.
  t.is((await early.history(1))[0]?.id, 'before');

  const one = before();
  const lease = await one.acquire(ANN);
  await lease.confirm();
  await one.write(entry('during'));
  // Every change of the accounts ends all tokens.
  member.etcdctl(['user', 'add', 'another', '--interactive=false'], 'other\n', root);
  await lease.confirm();
  await one.remember((memory) => ({ ...memory, primary: 'db2' }));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await lease.confirm();
  await lease.release();
  t.is(await one.holder(), undefined);

  const refusals: readonly (readonly [Partial<EtcdCoordinationOptions>, RegExp])[] = [
    [
      { account: { user: 'failover', password: new Secret('wrong') } },
      /etcd does not let failover in: .*invalid user ID or password/,
    ],
    [{ account: undefined }, /etcd refuses: user name is empty/],
    [{ cluster: 'other shop' }, /etcd refuses: permission denied/],
    [
      { tls: { ca: (await ownMember(t, { tls: true })).ca! } },
      /etcd does not answer .*(certificate|signature)/,
    ],
    [{ endpoints: [`localhost:${member.port}`] }, /etcd does not answer .*(altnames|certificate)/],
    [{ tls: undefined }, /etcd does not answer/],
  ];
  for (const [options, message] of refusals) {
    await t.throwsAsync(before({ ...options, timeoutMs: 10_000 }).acquire(ANN), {
      instanceOf: UserError,
      message,
    });
  }
});

test('sets of GTIDs with many gaps are kept, although etcd takes no request above 1.5 MiB', async (t) => {
  const one = opener(t)();
  const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
  const set = (last: number): string =>
    `${uuid}:${Array.from({ length: 60_000 }, (_, index) => 7 * index + (index % 3) + 1).join(':')}:${last}`;
  const [began, lastSeen] = [set(1_000_000), set(2_000_000)];
  await one.remember((memory) => ({ ...memory, began, lastSeen }));
  t.like(await one.memory(), { began, lastSeen });
  const gtids = { db1: lastSeen, db2: lastSeen, db3: began };
  await one.write(entry('large', { gtids }));
  await one.write(entry('large', { gtids, outcome: 'done' }));
  t.like((await one.history(1))[0], { outcome: 'done', gtids });
});

test('what of an entry is too large for etcd is shortened, and the change goes on', async (t) => {
  const one = opener(t)();
  // Nothing packs what is random.
  const noise = randomBytes(1_500_000).toString('hex');
  await one.write(entry('noise', { gtids: { db1: noise, db2: 'short' } }));
  const [found] = await one.history(1);
  t.regex(found?.gtids['db1'] ?? '', /^[0-9a-f]{2000}… \(3000000 characters\)$/);
  t.is(found?.gtids['db2'], 'short');
});
