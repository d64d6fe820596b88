import test, { type ExecutionContext } from 'ava';

import { EMPTY_MEMORY } from '../../../src/failover/coordination/empty-memory.ts';
import type { Memory } from '../../../src/failover/cluster/memory.ts';
import type { WatchEvent } from '../../../src/failover/watch/log.ts';
import { watchNames } from '../../../src/failover/watch/names.ts';
import type { Notification } from '../../../src/failover/watch/notify.ts';
import { UserError } from '../../../src/lib/errors.ts';
import { run } from '../../../src/lib/process.ts';
import { siteDnsSchema } from '../../../src/site/dns/spec.ts';
import { testWith } from '../../needs.ts';
import {
  NAME_SERVERS,
  type NameServer,
  type NameServerKind,
  startNameServer,
} from '../../site/dns/support/name-server.ts';

// A watch beside a real name server. Time is the test's: ten seconds from one look to the next.

const ZONE = 'foobar.test';
const WWW = `www.${ZONE}`;
const [ONE, TWO] = ['203.0.113.100', '203.0.113.101'] as const;
const STEP_MS = 10_000;

const withKnot = testWith(NAME_SERVERS.Knot, test);

/** The addresses that are held at a look; `unknown` when it fails. */
type Held = readonly string[] | 'unknown';

function times(count: number, held: Held): readonly Held[] {
  return Array.from({ length: count }, () => held);
}

interface Watched {
  /** Those of the log that people read about. */
  readonly events: readonly WatchEvent[];
  readonly notifications: readonly Notification[];
}

async function startZone(t: ExecutionContext, kind: NameServerKind = 'Knot'): Promise<NameServer> {
  const server = await startNameServer(kind, ZONE, [`www 60 A ${ONE}`, `www 60 A ${TWO}`]);
  t.teardown(async () => await server.close());
  return server;
}

function present(...names: readonly string[]): Memory {
  return { ...EMPTY_MEMORY, watchers: Object.fromEntries(names.map((name) => [name, Date.now()])) };
}

/** Looks as often as it is said, and stops. */
async function watch(
  { update }: NameServer,
  looks: readonly Held[],
  {
    memory = () => Promise.resolve(present('watch@lb1', 'watch@lb2')),
    secret = update.key_secret,
  }: { readonly memory?: () => Promise<Memory>; readonly secret?: string } = {},
): Promise<Watched> {
  const events: WatchEvent[] = [];
  const notifications: Notification[] = [];
  const over = new AbortController();
  let now = 0;
  const left = [...looks];
  const dns = siteDnsSchema.parse({
    names: [WWW],
    ttl: 30,
    withdraw_after: 30,
    update: { ...update, key_secret: secret },
  });
  await watchNames({
    dns: { ...dns, addresses: [ONE, TWO] },
    who: 'watch@lb1',
    cluster: 'servers',
    coordination: { memory },
    see: async () => {
      const held = left.shift();
      if (held === undefined) over.abort();
      if (held === 'unknown' || held === undefined) throw new UserError('nobody can look');
      return new Map([ONE, TWO].map((address) => [address, held.includes(address)]));
    },
    run: async (script, timeoutMs) => await run(['sh'], { input: script, timeoutMs }),
    log: (event) => void events.push(event),
    notify: async (notification) => void notifications.push(notification),
    signal: over.signal,
    clock: () => (now += STEP_MS),
    lookEveryMs: 1,
    askEveryMs: STEP_MS,
  });
  return { events, notifications };
}

for (const kind of ['Knot', 'BIND'] as const) {
  testWith(NAME_SERVERS[kind], test)(
    `${kind}: an address that nobody holds leaves the name, and comes back`,
    async (t) => {
      const server = await startZone(t, kind);
      const gone = await watch(server, [...times(2, [ONE, TWO]), ...times(3, [ONE])]);
      t.deepEqual(await server.lookUp(WWW), [ONE, TWO], 'a move takes less than that');
      t.deepEqual(gone.events, []);
      const both = await watch(server, [...times(4, [ONE]), ...times(3, [ONE]), ...times(7, [ONE, TWO])]);
      t.deepEqual(await server.lookUp(WWW), [ONE, TWO]);
      t.deepEqual(
        both.events.map(({ event, message }) => `${event}: ${message}`),
        [
          `step: ${WWW} leads to ${TWO} no longer`,
          `problem: no balancer holds ${TWO}; ${WWW} leads to it no longer`,
          `step: ${WWW} leads to ${TWO} again`,
          `solved: ${TWO} is held again, and ${WWW} leads to it`,
        ],
      );
      t.deepEqual(
        both.notifications.map(({ event, level, code }) => [event, level, code]),
        [
          ['problem', 'critical', 'AddressNotHeld'],
          ['solved', 'info', 'AddressNotHeld'],
        ],
      );
    },
  );

  testWith(NAME_SERVERS[kind], test)(`${kind}: of two who differ, the name server refuses one`, async (t) => {
    const server = await startZone(t, kind);
    // As halves of a network that is cut would see it, with the store on both sides.
    await Promise.all([watch(server, times(12, [ONE])), watch(server, times(12, [TWO]))]);
    t.is((await server.lookUp(WWW)).length, 1);
  });
}

withKnot('the last address stays, and people are told', async (t) => {
  const server = await startZone(t);
  const { notifications } = await watch(server, times(8, []));
  t.deepEqual(await server.lookUp(WWW), [ONE, TWO]);
  t.deepEqual(
    notifications.map(({ message }) => message),
    [ONE, TWO].map(
      (address) =>
        `no balancer holds ${address}, and ${WWW} leads to it still: none of its other addresses is held`,
    ),
  );
});

const IDLE: Readonly<Record<string, () => Promise<Memory>>> = {
  'another watch comes before it': () => Promise.resolve(present('watch@lb0', 'watch@lb1')),
  'it is not present itself': () => Promise.resolve(present('watch@lb2')),
  'the store does not answer': () => Promise.reject(new UserError('etcd does not answer')),
  'recoveries are paused': () =>
    Promise.resolve({ ...present('watch@lb1'), paused: { by: 'ann', reason: 'a move', at: Date.now() } }),
};

for (const [what, memory] of Object.entries(IDLE)) {
  withKnot(`a watch changes no name and says nothing when ${what}`, async (t) => {
    const server = await startZone(t);
    const { events } = await watch(server, times(8, [ONE]), { memory });
    t.deepEqual(await server.lookUp(WWW), [ONE, TWO]);
    t.deepEqual(events, []);
  });
}

withKnot('a look that failed is told once, and proves nothing', async (t) => {
  const server = await startZone(t);
  const { events } = await watch(server, [...times(2, [ONE]), ...times(3, 'unknown'), ...times(2, [ONE])]);
  t.deepEqual(await server.lookUp(WWW), [ONE, TWO]);
  t.deepEqual(
    events.map(({ event, code, message }) => [event, code, message]),
    [['failed', 'NamesNotUpdated', "the site's names: nobody can look"]],
  );
});

withKnot('a key that is refused is told once, and not shown', async (t) => {
  const server = await startZone(t);
  const secret = Buffer.from('another key').toString('base64');
  const { events, notifications } = await watch(server, times(8, [ONE]), { secret });
  t.deepEqual(await server.lookUp(WWW), [ONE, TWO]);
  t.is(notifications.length, 1);
  t.regex(notifications[0]?.message ?? '', /BADSIG|BADKEY|NOTAUTH/);
  t.false(JSON.stringify(events).includes(secret));
  t.false(JSON.stringify(events).includes(server.update.key_secret));
});
