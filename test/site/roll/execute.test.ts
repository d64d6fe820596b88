import test from 'ava';

import { UserError } from '../../../src/lib/errors.ts';
import { executeRoll, type RollOptions, type RollResult } from '../../../src/site/roll/execute.ts';
import { recorded, type RollRecord, stateOf } from '../../../src/site/roll/record.ts';
import { FakeSite, Killed, wish } from './support.ts';

/** Runs a roll from what a record says; what it has recorded is left there, also when the tool is killed. */
async function roll(
  site: FakeSite,
  kept: { record?: RollRecord | undefined },
  options: Partial<RollOptions> & { readonly wish?: ReturnType<typeof wish> } = {},
): Promise<RollResult> {
  return await executeRoll(options.wish ?? wish(), site, {
    id: 'one',
    purpose: 'roll kernel.yml',
    who: 'ann@desk',
    from:
      kept.record === undefined
        ? { done: new Set(), begun: new Set(), worked: new Set() }
        : stateOf(kept.record),
    timeoutMs: 0,
    settleMs: 0,
    signal: new AbortController().signal,
    // Who is killed writes nothing any more.
    emit: async (event) => void (site.isKilled || (kept.record = recorded(kept.record, event))),
    ...options,
  });
}

const WHOLE = [
  'drain web2',
  'work web2',
  'undrain web2',
  'drain web3',
  'work web3',
  'undrain web3',
  'move the primary from web1',
  'drain web1',
  'work web1',
  'undrain web1',
  'drain lb2',
  'work lb2',
  'undrain lb2',
  'drain lb1',
  'work lb1',
  'undrain lb1',
];

test('replicas go first, the primary after a switchover to one that is done, balancers last', async (t) => {
  const site = new FakeSite();
  const kept: { record?: RollRecord } = {};
  t.is((await roll(site, kept)).outcome, 'done');
  t.deepEqual(site.said, WHOLE);
  t.is(site.primary, 'db2');
  t.is(kept.record?.outcome, 'done');
  t.true(kept.record?.hosts.every(({ state }) => state === 'done'));
});

test('a tool that is killed at any step is followed by one that finishes, and nobody is left out', async (t) => {
  for (let at = 0; at < WHOLE.length; at++) {
    for (const moment of ['before', 'after'] as const) {
      const site = new FakeSite();
      const kept: { record?: RollRecord } = {};
      // After: it was done, and nobody has written that down.
      site[moment] = () => {
        if (site.said.length !== at + (moment === 'after' ? 1 : 0)) return;
        site.isKilled = true;
        throw new Killed();
      };
      await t.throwsAsync(roll(site, kept), { instanceOf: Killed });
      site[moment] = () => {};
      site.isKilled = false;
      const where = `killed ${moment} ${WHOLE[at] ?? ''}`;
      t.is((await roll(site, kept)).outcome, 'done', where);
      t.deepEqual([...site.out], [], where);
      t.true(site.fewest >= 2, `${where}: ${site.fewest} servers in service`);
      t.deepEqual([...site.worked.keys()].sort(), ['lb1', 'lb2', 'web1', 'web2', 'web3'], where);
      t.true([...site.worked.values()].filter((times) => times > 1).length <= 1, where);
    }
  }
});

test('a host that is not well stops the roll and stays out, and the others serve', async (t) => {
  const site = new FakeSite();
  const kept: { record?: RollRecord } = {};
  site.before = (call) => call === 'work web2' && site.sick.set('web2', 'its app says 503');
  const result = await roll(site, kept);
  t.is(result.outcome, 'stopped');
  t.regex(result.problems.map(({ message }) => message).join(), /web2: its app says 503/);
  t.deepEqual([...site.out], ['web2']);
  t.deepEqual(site.said, ['drain web2', 'work web2']);
  t.deepEqual(
    kept.record?.hosts.map(({ name, state }) => `${name} ${state}`),
    ['lb1 waiting', 'lb2 waiting', 'web1 waiting', 'web2 begun', 'web3 waiting'],
  );

  site.sick.clear();
  site.before = () => {};
  t.is((await roll(site, kept)).outcome, 'done');
  t.deepEqual([...site.out], []);
});

test('when one of two cannot leave, or fails, the other one comes back', async (t) => {
  const two = wish({
    hosts: ['web2', 'web3'],
    serial: { kind: 'number', number: 2 },
    minAvailable: { kind: 'number', number: 1 },
  });
  const site = new FakeSite();
  site.acksRequired = 0;
  site.members = [];
  const kept: { record?: RollRecord } = {};
  const drain = site.drain.bind(site);
  site.drain = async (host) => {
    if (host === 'web3') throw new UserError('3 requests run still');
    return await drain(host);
  };
  t.is((await roll(site, kept, { wish: two })).outcome, 'stopped');
  t.deepEqual([...site.out], []);
  t.deepEqual(
    kept.record?.hosts.map(({ state }) => state),
    ['waiting', 'waiting'],
  );

  site.drain = drain;
  site.before = (call) => call === 'work web2,web3' && site.sick.set('web3', 'its app says 503');
  t.is((await roll(site, {}, { wish: two })).outcome, 'stopped');
  t.deepEqual([...site.out], ['web3']);
});

test('what may pass by itself is waited for before a host goes', async (t) => {
  const site = new FakeSite();
  site.sick.set('web3', 'its receiver is connecting');
  let looks = 0;
  const { survey } = site;
  site.survey = async () => {
    if (++looks === 3) site.sick.clear();
    return await survey.call(site);
  };
  const told: string[] = [];
  const result = await roll(
    site,
    {},
    {
      wish: wish({ hosts: ['web2'] }),
      timeoutMs: 60_000,
      emit: async (event) =>
        void (
          event.type === 'phase' &&
          event.status === 'waiting' &&
          told.push(`${event.host}: ${event.message}`)
        ),
    },
  );
  t.is(result.outcome, 'done');
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /web2: .*db3 on web3: its receiver is connecting/);
});

test('what cannot pass is not waited for', async (t) => {
  const site = new FakeSite();
  site.members = ['web2'];
  const result = await roll(site, {}, { wish: wish({ hosts: ['web2'] }), timeoutMs: 3_600_000 });
  t.is(result.outcome, 'stopped');
  t.regex(result.problems[0]?.message ?? '', /only 0 of 1 members of etcd/);
  t.deepEqual(site.said, []);
});

test('a site that cannot be read for a moment is waited for', async (t) => {
  const site = new FakeSite();
  let looks = 0;
  const { survey } = site;
  site.survey = async () => {
    if (++looks % 3 === 0) throw new UserError('the balancers do not answer');
    return await survey.call(site);
  };
  t.is((await roll(site, {}, { timeoutMs: 60_000 })).outcome, 'done');
});

test('a failover in the middle changes who goes when, and not that all go once', async (t) => {
  const site = new FakeSite();
  site.before = (call) => {
    if (call === 'drain web3') site.primary = 'db2';
  };
  t.is((await roll(site, {})).outcome, 'done');
  t.deepEqual(
    site.said.filter((call) => call.startsWith('work')),
    ['work web2', 'work web3', 'work web1', 'work lb2', 'work lb1'],
    'web1 is a replica by then, and needs no switchover',
  );
});

test('an interruption finishes the host that is worked on and no other', async (t) => {
  const site = new FakeSite();
  const controller = new AbortController();
  const kept: { record?: RollRecord } = {};
  site.before = (call) => call === 'work web2' && controller.abort();
  t.is((await roll(site, kept, { signal: controller.signal })).outcome, 'interrupted');
  t.deepEqual(site.said, ['drain web2', 'work web2', 'undrain web2']);
  t.is(kept.record?.hosts.find(({ name }) => name === 'web2')?.state, 'done');
});

test('a primary that comes back to its host again and again stops the roll', async (t) => {
  const site = new FakeSite();
  site.move = async () => {
    site.said.push('move');
    return 'moved';
  };
  const result = await roll(site, {}, { wish: wish({ hosts: ['web1'] }) });
  t.is(result.outcome, 'stopped');
  t.regex(result.problems[0]?.message ?? '', /comes back again and again/);
});

test('a move that fails and was taken back is tried again, twice', async (t) => {
  const tried = async (failures: number): Promise<[RollResult, FakeSite]> => {
    const site = new FakeSite();
    let left = failures;
    site.before = (call) => {
      if (call.startsWith('move') && left-- > 0) throw new UserError('db3: no answer within 1500 ms');
    };
    return [await roll(site, {}), site];
  };
  const [second, site] = await tried(2);
  t.is(second.outcome, 'done');
  t.deepEqual(site.said, WHOLE);
  const [third] = await tried(3);
  t.is(third.outcome, 'stopped');
  t.regex(third.problems[0]?.message ?? '', /db3: no answer/);
});

test('a host that waited to go, and before which another goes, is not said to be looked at meanwhile', async (t) => {
  const site = new FakeSite();
  site.sick.set('lb1', 'down');
  const kept: { record?: RollRecord } = {};
  let checks: string[] = [];
  await roll(site, kept, {
    timeoutMs: 60_000,
    emit: async (event) => {
      kept.record = recorded(kept.record, event);
      if (event.type !== 'phase') return;
      if (event.status === 'waiting' && event.host === 'web2') {
        site.sick.delete('lb1');
        // One that serves nothing goes first.
        site.sick.set('web3', 'down');
      }
      if (event.host === 'web3' && event.phase === 'check' && event.status === 'done') {
        checks = (kept.record.hosts.find(({ name }) => name === 'web2')?.phases ?? []).map(
          ({ phase, status, message }) => `${phase} ${status}: ${message ?? ''}`,
        );
        site.sick.clear();
      }
    },
  });
  t.deepEqual(checks, ['check done: others go first']);
});
