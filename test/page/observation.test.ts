import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';

import { observation, type ObservationOptions, type SiteWays } from '../../src/page/observation.ts';
import { type PageState, pageStateSchema } from '../../src/page/model/state.ts';
import { statusJson } from '../../src/failover/output/json.ts';
import { observe } from '../../src/failover/reach/observe.ts';
import { problems } from '../../src/failover/problems/problems.ts';
import { poll } from '../../src/lib/async.ts';
import { site, type Site } from '../failover/watch/world-ports.ts';
import { change } from './support.ts';

function seen(t: ExecutionContext, here: Site, options: Partial<ObservationOptions> = {}) {
  const looking = observation({
    from: 'lb1',
    databases: [{ cluster: here.cluster, ports: here.ports() }],
    ...options,
  });
  t.teardown(looking.close);
  const ended = new AbortController();
  t.teardown(() => ended.abort());
  return { looking, ended };
}

/** The first state that is as wanted. */
async function stateWith(
  states: AsyncIterable<PageState>,
  isWanted: (state: PageState) => boolean,
): Promise<PageState> {
  for await (const state of states) if (isWanted(state)) return state;
  throw new Error('no such state came');
}

const primaryOf = (state: PageState): string | null | undefined => state.databases[0]?.status?.primary;

test('it sends what `failover status --json` says', async (t) => {
  const here = site();
  here.world.live(40);
  const { looking, ended } = seen(t, here);
  const state = await stateWith(
    looking.states(ended.signal),
    ({ databases: [one] }) => one?.status?.balancers.length === 2,
  );
  t.notThrows(() => pageStateSchema.parse(JSON.parse(JSON.stringify(state))));
  const topology = await observe(here.cluster, here.ports());
  t.deepEqual(state.databases[0]?.status, statusJson(topology, problems(topology, here.cluster.settings), 0));
});

test('a failover is seen, with its steps', async (t) => {
  const here = site();
  here.world.live(40);
  const watcher = here.watch('watch@lb1');
  t.teardown(() => watcher.stop());
  const { looking, ended } = seen(t, here);
  const states = looking.states(ended.signal);
  const before = await stateWith(
    states,
    ({ databases: [one] }) => one?.status?.primary === 'db1' && here.world.memory.semiSync !== undefined,
  );
  t.is(before.databases[0]?.history.length, 0);
  here.crash('db1');
  const after = await stateWith(
    looking.states(ended.signal),
    (state) =>
      !['db1', null, undefined].includes(primaryOf(state)) &&
      state.databases[0]?.history[0]?.outcome === 'done',
  );
  const [entry] = after.databases[0]?.history ?? [];
  t.is(entry?.kind, 'failover');
  t.true((entry?.steps.length ?? 0) > 3);
  t.false(after.databases[0]?.status?.instances.find(({ name }) => name === 'db1')?.reachable);
});

test('who begins to look asks the servers no more often than the watch', async (t) => {
  const here = site({ pollMs: 250 });
  here.world.live(40);
  let reads = 0;
  const ports = here.ports();
  const db1 = ports.servers.get('db1');
  if (!db1) throw new Error('a server');
  const counting = new Proxy(db1, {
    get: (target, method) => {
      if (method === 'readState') reads++;
      return Reflect.get(target, method) as unknown;
    },
  });
  const servers = new Map([...ports.servers, ['db1', counting] as const]);
  const { looking, ended } = seen(t, here, {
    databases: [{ cluster: here.cluster, ports: { ...ports, servers } }],
  });
  await stateWith(looking.states(ended.signal), (state) => primaryOf(state) === 'db1');
  await new Promise((resolve) => setTimeout(resolve, 2000));
  // One a second; in a hurry it were ten.
  t.true(reads <= 4, `${reads} reads in two seconds`);
});

test('fifty who want to know cost one look, and nobody costs none', async (t) => {
  const here = site();
  here.world.live(40);
  let reads = 0;
  const ports = here.ports();
  const counting = {
    ...ports,
    coordination: { ...ports.coordination, memory: async () => (reads++, await ports.coordination.memory()) },
  };
  const looking = observation({
    from: 'lb1',
    databases: [{ cluster: here.cluster, ports: counting }],
    lingerMs: 0,
  });
  t.teardown(looking.close);
  t.is(reads, 0);
  const ended = new AbortController();
  const readsIn = async (ms: number): Promise<number> => {
    const before = reads;
    await new Promise((resolve) => setTimeout(resolve, ms));
    return reads - before;
  };
  const listen = async (): Promise<number> => {
    let states = 0;
    for await (const _ of looking.states(ended.signal)) states++;
    return states;
  };
  const one = [listen()];
  await poll(async () => (reads > 2 ? true : undefined), { everyMs: 10, withinMs: 5000 });
  const ofOne = await readsIn(1000);
  const all = [...one, ...Array.from({ length: 49 }, listen)];
  t.is(looking.watchers, 50);
  const ofFifty = await readsIn(1000);
  t.true(Math.abs(ofFifty - ofOne) <= 2, `${ofOne} reads for one, ${ofFifty} for fifty`);
  ended.abort();
  const heard = await Promise.all(all);
  t.true(heard.every((states) => states > 0));
  t.is(looking.watchers, 0);
  await poll(async () => ((await readsIn(400)) === 0 ? true : undefined), { everyMs: 1, withinMs: 5000 });
  t.is(await readsIn(700), 0);
});

test('a lost store is said, with what the servers say; so is its return', async (t) => {
  const here = site();
  here.world.live(40);
  const { looking, ended } = seen(t, here);
  await stateWith(looking.states(ended.signal), (state) => primaryOf(state) === 'db1');
  here.storeIsLost = true;
  const lost = await stateWith(
    looking.states(ended.signal),
    ({ databases: [one] }) => typeof one?.storeFailure === 'string',
  );
  t.is(lost.databases[0]?.status?.instances.length, 3);
  here.storeIsLost = false;
  await stateWith(looking.states(ended.signal), ({ databases: [one] }) => one?.storeFailure === null);
  t.pass();
});

test('a change that is under way is read again until its end', async (t) => {
  const here = site();
  here.world.live(40);
  const { looking, ended } = seen(t, here);
  await stateWith(looking.states(ended.signal), (state) => primaryOf(state) === 'db1');
  const entry = { ...change({ outcome: 'running' }), at: Date.now(), from: 'db1', message: undefined };
  const steps = entry.steps.map((step) => ({ ...step, instance: step.instance ?? undefined }));
  const { memory } = here.world;
  here.world.memory = {
    ...memory,
    epoch: memory.epoch + 1,
    unfinished: { id: 'one', kind: 'switchover', from: 'db1', to: 'db2' },
  };
  here.entries.set('one', { ...entry, kind: 'switchover', steps: steps.slice(0, 1) });
  const running = await stateWith(
    looking.states(ended.signal),
    ({ databases: [one] }) => one?.history.length === 1,
  );
  t.is(running.databases[0]?.history[0]?.steps.length, 1);
  here.entries.set('one', { ...entry, kind: 'switchover', outcome: 'done', steps });
  here.world.memory = { ...here.world.memory, unfinished: undefined };
  const done = await stateWith(
    looking.states(ended.signal),
    ({ databases: [one] }) => one?.history[0]?.outcome === 'done',
  );
  t.is(done.databases[0]?.history[0]?.steps.length, 2);
});

test('a cluster that cannot be opened does not hide the others', async (t) => {
  const here = site();
  here.world.live(40);
  const { looking, ended } = seen(t, here, {
    databases: [
      { name: 'orders', failure: 'its description is wrong' },
      { cluster: here.cluster, ports: here.ports() },
    ],
  });
  const { databases } = await stateWith(
    looking.states(ended.signal),
    (state) => state.databases[1]?.status?.primary === 'db1',
  );
  t.like(databases[0], { name: 'orders', status: null, failure: 'its description is wrong' });
});

test('what nobody may read is not sent, wherever somebody has said it', async (t) => {
  const here = site();
  here.world.live(40);
  const { looking, ended } = seen(t, here, { redact: (text) => text.replaceAll('so-secret', '[REDACTED]') });
  await stateWith(looking.states(ended.signal), (state) => primaryOf(state) === 'db1');
  here.storeIsLost = 'etcd said no to so-secret';
  const state = await stateWith(
    looking.states(ended.signal),
    ({ databases: [one] }) => typeof one?.storeFailure === 'string',
  );
  t.regex(state.databases[0]?.storeFailure ?? '', /etcd said no to \[REDACTED\]/);
  t.false(JSON.stringify(state).includes('so-secret'));
});

/** HAProxy's runtime API, as far as it is asked. */
async function haproxy(t: ExecutionContext) {
  const answers = {
    admin: 0,
    of(command: string): string {
      if (command === 'show backend') return '# name\nweb\nmysql_primary\nmysql_replicas\n';
      if (command.startsWith('show servers state ')) {
        const backend = command.slice('show servers state '.length);
        return `1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight\n4 ${backend} 1 web1 10.0.0.1 2 ${this.admin} 1\n`;
      }
      if (command.startsWith('show stat')) {
        const row = (backend: string) => `${backend},web1,0,5,UP,L7OK,200\n`;
        return `# pxname,svname,qcur,scur,status,check_status,check_code\n${row('web')}${row('mysql_replicas')}`;
      }
      return 'Unknown command.\n';
    },
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => {
      const said = String(request)
        .trim()
        .split('; ')
        .map((command) => `${answers.of(command)}\n`);
      socket.end(said.join(''));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const ways: SiteWays = {
    balancers: [
      {
        name: 'lb1',
        open: async () => {
          const socket = connect(address.port, '127.0.0.1');
          await once(socket, 'connect');
          return socket;
        },
        holds: async () => true,
        everyMs: 100,
      },
      {
        name: 'lb2',
        open: async () => await Promise.reject(new Error('connection refused')),
        holds: async () => false,
        everyMs: 100,
      },
    ],
    addresses: async () => ({ device: 'eth0', addresses: ['203.0.113.10'] }),
    drained: async () => [{ server: 'web1', by: 'anna@ops', since: 1, reason: 'new disk' }],
  };
  return { answers, ways };
}

test('a look that is under way at the end ends nothing else', async (t) => {
  const here = site();
  const { ways } = await haproxy(t);
  const [lb1] = ways.balancers;
  if (!lb1) throw new Error('a balancer');
  const asked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const open = async () => {
    asked.resolve();
    await goOn.promise;
    return await lb1.open();
  };
  const { looking, ended } = seen(t, here, { site: { ...ways, balancers: [{ ...lb1, open }] } });
  const first = stateWith(looking.states(ended.signal), () => true);
  await asked.promise;
  await first;
  looking.close();
  goOn.resolve();
  // What nobody catches fails the run; it would come with the answer, and the question after it.
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.pass();
});

test('each balancer says its servers and its addresses, or why it does not', async (t) => {
  const here = site();
  const { answers, ways } = await haproxy(t);
  const { looking, ended } = seen(t, here, { site: ways });
  const isAsked = ({ balancers: [lb1, lb2] }: PageState): boolean =>
    lb1?.servers.length === 2 && lb2?.silence !== null;
  const { balancers, drained } = await stateWith(looking.states(ended.signal), isAsked);
  t.deepEqual(balancers[0], {
    name: 'lb1',
    silence: null,
    addresses: [{ address: '203.0.113.10', held: true }],
    servers: [
      { name: 'web1', part: 'requests', isOut: false, passes: true, check: 'L7OK', current: 5 },
      { name: 'web1', part: 'reads', isOut: false, passes: true, check: 'L7OK', current: 5 },
    ],
  });
  t.regex(balancers[1]?.silence ?? '', /lb2: .*connection refused/);
  t.deepEqual(drained, [{ server: 'web1', by: 'anna@ops', since: 1, reason: 'new disk' }]);
  answers.admin = 8;
  await stateWith(looking.states(ended.signal), (state) => state.balancers[0]?.servers[0]?.isOut === true);
});
