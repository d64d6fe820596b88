import { createConnection, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { haproxyBalancer } from '../../src/balancer/haproxy.ts';
import { UserError } from '../../src/lib/errors.ts';

/*
 * What a real HAProxy does is seen on the lab's hosts. Here are the answers that a real one cannot be made to give, in
 * the framing that 3.0 has: each answer ends with an empty line.
 */

const HELD = 'held 0 until 0\n';
const HEADER =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change';

/** The answer to `show servers state`: each server with its operational and its administrative state. */
function states(
  servers: Readonly<Record<string, readonly [operation: number, administration: number]>>,
): string {
  const rows = Object.entries(servers).map(
    ([name, [operation, administration]], index) =>
      `6 mysql_primary ${index + 1} ${name} 10.0.0.${index + 1} ${operation} ${administration} 1 1 76`,
  );
  return `1\n${HEADER}\n${rows.join('\n')}\n`;
}

const ONE = states({ web1: [2, 0], web2: [0, 0], web3: [0, 0] });

type Reply = (request: string, socket: Socket, turn: number) => void;

/** Listens, and gives the way to it. */
async function haproxy(t: ExecutionContext, reply: Reply): Promise<() => Promise<Duplex>> {
  let turn = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let request = '';
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('end', () => {
      if (request === '' || !server.listening) socket.end();
    });
    socket.on('data', (chunk) => {
      request += chunk.toString();
      if (request.endsWith('\n')) reply(request.trim(), socket, ++turn);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as { port: number };
  return async () =>
    await new Promise((resolve, reject) => {
      const socket = createConnection(port, '127.0.0.1', () => resolve(socket));
      socket.once('error', reject);
    });
}

/** Answers each command of a request from a table; what it does not name is carried out in silence. */
function answering(table: Readonly<Record<string, string>>, log: string[] = []): Reply {
  return (request, socket) => {
    const commands = request.split('; ');
    log.push(...commands);
    const text = commands.map((command) => {
      const known = Object.keys(table).find((prefix) => command.startsWith(prefix));
      if (known !== undefined) return `${table[known]}\n`;
      if (command.startsWith('writers ')) return `${HELD}\n`;
      return command.startsWith('show ') ? `${ONE}\n` : '\n';
    });
    socket.end(text.join(''));
  };
}

const WRITERS: readonly (readonly [string, string, readonly string[]])[] = [
  ['one that runs', ONE, ['web1']],
  ['two that run', states({ web1: [2, 0], web2: [2, 0] }), ['web1', 'web2']],
  ['none', states({ web1: [0, 0], web2: [0, 0] }), []],
  ['one that starts slowly', states({ web1: [1, 0] }), ['web1']],
  ['one that stops softly', states({ web1: [3, 0] }), []],
  ['one in maintenance', states({ web1: [0, 1] }), []],
  ['one that is drained', states({ web1: [2, 8] }), []],
  ['one that was in maintenance by the configuration and is not now', states({ web1: [2, 4] }), ['web1']],
];

for (const [title, answer, expected] of WRITERS) {
  test(`the writers are known: ${title}`, async (t) => {
    const open = await haproxy(t, answering({ 'show servers state': answer }));
    const balancer = haproxyBalancer({ name: 'lb1', open });
    t.deepEqual(await balancer.writers(), expected);
    await balancer.close();
  });
}

test('pointing counts every other server as down, and lets go only then', async (t) => {
  const log: string[] = [];
  const balancer = haproxyBalancer({
    name: 'lb1',
    open: await haproxy(
      t,
      answering({ 'show servers state': states({ web1: [0, 0], web2: [2, 0], web3: [0, 0] }) }, log),
    ),
  });
  await balancer.writers();
  log.length = 0;
  await balancer.pointWriters('web2');
  await balancer.close();
  t.deepEqual(log, [
    'set server mysql_primary/web1 health down',
    'shutdown sessions server mysql_primary/web1',
    'set server mysql_primary/web3 health down',
    'shutdown sessions server mysql_primary/web3',
    'set server mysql_primary/web2 state ready',
    'set server mysql_primary/web2 health up',
    'writers release',
    'writers show',
    'show servers state mysql_primary',
  ]);
});

test("another cluster's backend is named in every command, and no other one is touched", async (t) => {
  const log: string[] = [];
  const balancer = haproxyBalancer({
    name: 'lb1',
    backend: 'orders_primary',
    open: await haproxy(t, answering({ 'show servers state': states({ web1: [0, 0], web2: [2, 0] }) }, log)),
  });
  await balancer.hold(500);
  await balancer.endWriters('web1');
  await balancer.pointWriters('web2');
  await balancer.release();
  await balancer.close();
  t.true(log.length > 10);
  t.deepEqual(
    log.filter((command) => !command.includes('orders_primary')),
    [],
  );
  t.true(log.includes('writers hold 500 orders_primary'));
});

test('a balancer that counts another writer after it was pointed is an error', async (t) => {
  const balancer = haproxyBalancer({ name: 'lb1', open: await haproxy(t, answering({})) });
  const error = await t.throwsAsync(balancer.pointWriters('web2'), { instanceOf: UserError });
  t.is(error?.message, 'lb1: HAProxy counts web1 as the writer instead of web2');
  await balancer.close();
});

const SILENCE = 'silence has a limit';
const WRONG: readonly (readonly [string, Reply, RegExp])[] = [
  [
    'an error is named with its command',
    answering({ 'set server': 'Permission denied.\n' }),
    /^lb1: HAProxy answered 'set server mysql_primary\/web1 health down' with 'Permission denied\.'$/,
  ],
  [
    'a HAProxy without our Lua is named',
    answering({ 'writers show': "Unknown command: 'writers', but maybe one of the following …\n  show …\n" }),
    /^lb1: HAProxy answered 'writers show' with 'Unknown command: 'writers'/,
  ],
  [
    'states that are none are named',
    answering({ 'show servers state': "Can't find backend.\n" }),
    /^lb1: HAProxy answered 'show servers state mysql_primary' with 'Can't find backend\.'$/,
  ],
  [
    'states of another version are refused',
    answering({ 'show servers state': `2\n${HEADER}\n` }),
    /answered 'show servers state mysql_primary' with '2'/,
  ],
  [
    'states without a number are refused',
    answering({ 'show servers state': `1\n${HEADER}\n6 mysql_primary 1 web1 10.0.0.1 UP 0 1 1 76\n` }),
    /answered 'show servers state mysql_primary' with '1'/,
  ],
  ['an answer that is cut off is refused', (_, socket) => socket.end('held 0 unt'), /with 'held 0 unt'/],
  ['silence and an end are refused', (_, socket) => socket.end(), /^lb1: HAProxy answered .* with nothing/],
  [
    'a connection that breaks is told',
    (_, socket) => socket.resetAndDestroy(),
    /^lb1: .* broke off: .*ECONNRESET/,
  ],
  [SILENCE, () => {}, /^lb1: HAProxy's runtime API did not answer within 300 ms/],
];

for (const [title, reply, message] of WRONG) {
  test(title, async (t) => {
    // Who answers may take its time on a busy machine; only silence is waited for to its end.
    const timeoutMs = title === SILENCE ? 300 : 20_000;
    const balancer = haproxyBalancer({ name: 'lb1', open: await haproxy(t, reply), timeoutMs });
    const error = await t.throwsAsync(balancer.endWriters('web1'), { instanceOf: UserError });
    t.regex(error?.message ?? '', message);
    await balancer.close();
  });
}

test('a connection that was opened ahead and leads to a process that ends is not believed', async (t) => {
  const log: number[] = [];
  const balancer = haproxyBalancer({
    name: 'lb1',
    open: await haproxy(t, (request, socket, turn) => {
      log.push(turn);
      answering(turn === 2 ? { 'writers ': 'this process ends\n' } : {})(request, socket, turn);
    }),
  });
  await balancer.writers();
  await balancer.hold(1000);
  t.deepEqual(log, [1, 2, 3]);
  await balancer.close();
});

test('a server that the balancer does not have is named, with those that it has', async (t) => {
  const balancer = haproxyBalancer({ name: 'lb1', open: await haproxy(t, answering({})) });
  const error = await t.throwsAsync(balancer.endWriters('web9'), { instanceOf: UserError });
  t.regex(error?.message ?? '', /no server 'web9' in backend mysql_primary\n.*web1, web2, web3/);
  await balancer.close();
});

test('a balancer that cannot be reached is told as unreachable', async (t) => {
  const balancer = haproxyBalancer({
    name: 'lb1',
    open: async () => await Promise.reject(new Error('connect ECONNREFUSED')),
  });
  const error = await t.throwsAsync(balancer.writers(), { instanceOf: UserError });
  t.regex(error?.message ?? '', /^lb1: HAProxy's runtime API cannot be reached: connect ECONNREFUSED/);
  t.is(error instanceof UserError ? error.exitCode : 0, 4);
  await balancer.close();
});
