import test, { type ExecutionContext } from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import type { AddressBalancer } from '../../src/site/address.ts';
import type { AddressStatus } from '../../src/site/address-status.ts';
import { handOver } from '../../src/site/hand-over.ts';

const VIP = '10.83.0.100';
const VIP2 = '10.83.0.101';

type Verb = 'addresses' | 'expect' | 'yield' | 'stay' | 'finish';

/** Two balancers in memory, and what keepalived makes of what they are told. */
class Site {
  readonly holder = new Map([[VIP, 'lb1']]);
  readonly yields = new Set<string>();
  readonly connections = new Map([
    ['lb1', 3],
    ['lb2', 0],
  ]);
  /** Everything but questions, in order. */
  readonly said: string[] = [];
  /** Called before each verb: throws what goes wrong then. */
  before: (balancer: string, verb: Verb) => void = () => {};
  /** How many connections `finish` leaves. */
  left = 0;
  moves = true;
  longestFinish: number | undefined = 900;

  balancer(name: string): AddressBalancer {
    const status = (): AddressStatus => ({
      balancer: name,
      addresses: [...this.holder].map(([address, holder]) => ({
        address,
        held: holder === name,
        passes: [],
      })),
      yields: this.yields.has(name),
      longestFinish: this.longestFinish,
      connections: this.connections.get(name) ?? 0,
      open: [],
    });
    const act = async (verb: Verb, text: string, work: () => void): Promise<AddressStatus> => {
      if (verb !== 'addresses') this.said.push(`${name} ${text}`);
      this.before(name, verb);
      work();
      this.keepalived();
      return status();
    };
    return {
      name,
      addresses: async () => await act('addresses', '', () => {}),
      expect: async (peer, seconds) => await act('expect', `expects ${peer} ${seconds}`, () => {}),
      yieldAddresses: async () => await act('yield', 'yields', () => this.yields.add(name)),
      stay: async () => await act('stay', 'stays', () => this.yields.delete(name)),
      finish: async (seconds) =>
        await act('finish', `finishes ${seconds}`, () => this.connections.set(name, this.left)),
    };
  }

  private keepalived(): void {
    if (!this.moves) return;
    for (const [address, holder] of this.holder) {
      const other = holder === 'lb1' ? 'lb2' : 'lb1';
      if (this.yields.has(holder) && !this.yields.has(other)) this.holder.set(address, other);
    }
  }

  async handOver(signal = new AbortController().signal): ReturnType<typeof handOver> {
    return await handOver(this.balancer('lb1'), this.balancer('lb2'), { timeoutMs: 4500, signal });
  }
}

const WHOLE = ['lb2 expects lb1 35', 'lb1 yields', 'lb1 finishes 5', 'lb2 expects lb1 0'];

test('the new holder expects packets before the old one yields, and until it has finished', async (t) => {
  const site = new Site();
  const { moved, left } = await site.handOver();
  t.deepEqual(moved, [VIP]);
  t.is(left, 0);
  t.deepEqual(site.said, WHOLE);
  t.deepEqual([...site.holder], [[VIP, 'lb2']]);
});

test('all addresses move that it holds, and those that it does not stay where they are', async (t) => {
  const site = new Site();
  site.holder.set(VIP2, 'lb2');
  t.deepEqual((await site.handOver()).moved, [VIP]);
  t.deepEqual([...site.holder.values()], ['lb2', 'lb2']);
});

test('a balancer that holds nothing yields and finishes all the same', async (t) => {
  const site = new Site();
  site.holder.set(VIP, 'lb2');
  t.deepEqual((await site.handOver()).moved, []);
  t.deepEqual(site.said, WHOLE);
});

test('what is left when the time is over is said, and its packets are passed on', async (t) => {
  const site = new Site();
  site.left = 2;
  t.is((await site.handOver()).left, 2);
  t.deepEqual(site.said, WHOLE.slice(0, 3));
});

test('nothing is handed to a balancer that yields itself', async (t) => {
  const site = new Site();
  site.yields.add('lb2');
  await t.throwsAsync(site.handOver(), { message: /^lb2 gives the site's addresses away itself/ });
  t.deepEqual(site.said, []);
});

const FAILURES: readonly (readonly [string, Verb, readonly string[]])[] = [
  ['lb2', 'expect', ['lb2 expects lb1 35', 'lb1 stays']],
  ['lb1', 'yield', ['lb2 expects lb1 35', 'lb1 yields', 'lb1 stays']],
];

/** What fails, once. */
function failing(site: Site, name: string, verb: Verb): void {
  site.before = (balancer, said) => {
    if (balancer !== name || said !== verb) return;
    site.before = () => {};
    throw new UserError(`${name}: no answer`);
  };
}

for (const [name, verb, said] of FAILURES) {
  test(`when ${name} fails at ${verb}, it is taken back`, async (t) => {
    const site = new Site();
    failing(site, name, verb);
    await t.throwsAsync(site.handOver(), { message: `${name}: no answer` });
    t.deepEqual(site.said, said);
    isAsBefore(t, site);
  });
}

test('when the new holder cannot be asked any more, it is taken back', async (t) => {
  const site = new Site();
  site.moves = false;
  let looks = 0;
  site.before = (balancer, verb) => {
    if (balancer === 'lb2' && verb === 'addresses' && ++looks === 3) throw new UserError('lb2: no answer');
  };
  await t.throwsAsync(site.handOver(), { message: 'lb2: no answer' });
  t.deepEqual(site.said, ['lb2 expects lb1 35', 'lb1 yields', 'lb1 stays']);
  isAsBefore(t, site);
});

test('an interruption before the addresses have moved is taken back', async (t) => {
  const site = new Site();
  site.moves = false;
  const controller = new AbortController();
  site.before = (_, verb) => {
    if (verb === 'yield') setImmediate(() => controller.abort());
  };
  await t.throwsAsync(site.handOver(controller.signal), { name: 'AbortError' });
  t.deepEqual(site.said, ['lb2 expects lb1 35', 'lb1 yields', 'lb1 stays']);
  isAsBefore(t, site);
});

test('one that yielded before goes on to do so', async (t) => {
  const site = new Site();
  site.moves = false;
  site.yields.add('lb1');
  failing(site, 'lb1', 'yield');
  await t.throwsAsync(site.handOver(), { message: 'lb1: no answer' });
  t.deepEqual(site.said, ['lb2 expects lb1 35', 'lb1 yields']);
  t.true(site.yields.has('lb1'));
});

test('what could not be taken back is said beside the reason', async (t) => {
  const site = new Site();
  site.before = (_, verb) => {
    if (verb === 'yield' || verb === 'stay') throw new UserError(`lb1: ${verb} is lost`);
  };
  const error = await t.throwsAsync(site.handOver(), { instanceOf: UserError });
  t.deepEqual(
    error.problems.map(({ message }) => message),
    ['lb1: yield is lost', 'lb1 could not be told to keep its addresses'],
  );
});

test('a failure after the addresses have moved moves nothing back', async (t) => {
  const site = new Site();
  failing(site, 'lb1', 'finish');
  await t.throwsAsync(site.handOver(), { message: 'lb1: no answer' });
  t.deepEqual(site.said, WHOLE.slice(0, 3));
  t.deepEqual([...site.holder], [[VIP, 'lb2']]);
});

function isAsBefore(t: ExecutionContext, site: Site): void {
  t.deepEqual([...site.holder], [[VIP, 'lb1']]);
  t.deepEqual([...site.yields], []);
}

test('a time that HAProxy does not give is refused before anything is said to a balancer', async (t) => {
  const site = new Site();
  const hand = async (timeoutMs: number): Promise<unknown> =>
    await handOver(site.balancer('lb1'), site.balancer('lb2'), {
      timeoutMs,
      signal: new AbortController().signal,
    });
  await t.throwsAsync(hand(901_000), { instanceOf: UserError, message: /cannot be given 901 s/ });
  t.deepEqual(site.said, []);
  await t.notThrowsAsync(hand(900_000));
});
