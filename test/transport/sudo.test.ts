import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import anyTest, { type TestFn } from 'ava';
import { Secret } from '../../src/lib/secret.ts';
import { sshTransport } from '../../src/transport/ssh.ts';
import { type Connection, TransportError } from '../../src/transport/transport.ts';
import { firstMissing, needsProgram, needsRoot, testWith } from '../needs.ts';
import { abandonedUsers, addUser, removeUser, sudoersOf } from './accounts.ts';
import { startSshd, type TestSshd } from './sshd.ts';

interface Context {
  readonly server: TestSshd;
  /** Three users of this machine: sudo asks the first for a password, not the second, and refuses the third. */
  readonly asked: string;
  readonly free: string;
  readonly refused: string;
  readonly password: string;
  readonly connect: (user: string) => Promise<Connection>;
}

const test = anyTest as TestFn<Context>;

// These tests make users.
const missing = firstMissing(needsRoot(), needsProgram('sudo', 'sudo'));
const run = testWith(missing, test);
/** For what changes the rights of a user that the other tests use too. */
const runAlone = testWith(missing, test.serial);

let cleanUp: (() => Promise<void>) | undefined;

test.before(async (t) => {
  if (missing !== undefined) return;
  const suffix = randomBytes(3).toString('hex');
  const [asked, free, refused] = ['ask', 'free', 'no'].map((name) => `us${name}${suffix}`) as [
    string,
    string,
    string,
  ];
  const password = `pass ${randomBytes(6).toString('hex')} 'quoted' \\ ü`;
  const users = [asked, free, refused];
  const server = await startSshd();
  const ssh = sshTransport();
  cleanUp = async () => {
    await ssh.close();
    await server.stop();
    for (const user of users) await removeUser(user);
  };
  for (const user of await abandonedUsers()) await removeUser(user);
  for (const user of users) await addUser(user, password);
  await writeFile(sudoersOf(asked), `${asked} ALL=(ALL) ALL\n`, { mode: 0o440 });
  await writeFile(sudoersOf(free), `${free} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
  const connect = async (user: string) => await ssh.connect(server.address({ user }));
  Object.assign(t.context as object, { server, asked, free, refused, password, connect });
});

test.after.always(async () => await cleanUp?.());

run('sudo without a password becomes root, and another user', async (t) => {
  const box = await t.context.connect(t.context.free);
  t.is((await box.run('id -un')).stdout.toString(), `${t.context.free}\n`);
  t.is(
    (await box.run('id -un; echo $HOME', { become: { user: 'root' } })).stdout.toString(),
    'root\n/root\n',
  );
  const become = { user: t.context.refused };
  t.is((await box.run('id -un', { become })).stdout.toString(), `${t.context.refused}\n`);
});

run('two users on one connection work at the same time', async (t) => {
  const box = await t.context.connect(t.context.free);
  const directory = `/tmp/understudy-meet-${randomBytes(4).toString('hex')}`;
  await box.run(`mkdir -m 777 ${directory}`);
  // Each waits for the other: one after the other, they would never be done.
  const meet = (mine: string, other: string) =>
    `: >${directory}/${mine}; while ! [ -e ${directory}/${other} ]; do sleep 0.05; done; id -un`;
  const [login, root] = await Promise.all([
    box.run(meet('a', 'b'), { timeoutMs: 20_000 }),
    box.run(meet('b', 'a'), { timeoutMs: 20_000, become: { user: 'root' } }),
  ]);
  t.is(login.stdout.toString(), `${t.context.free}\n`);
  t.is(root.stdout.toString(), 'root\n');
  await box.run(`rm -r ${directory}`, { become: { user: 'root' } });
});

run('sudo with a password is answered, and the password is in no argument list', async (t) => {
  const box = await t.context.connect(t.context.asked);
  const become = { user: 'root', password: new Secret(t.context.password) };
  const result = await box.run('id -un; cat /proc/[0-9]*/cmdline', { become });
  const text = result.stdout.toString();
  t.true(text.startsWith('root\n'));
  t.true(text.includes('sudo'));
  t.false(text.includes(t.context.password));
});

run('a password that sudo does not ask for does no harm', async (t) => {
  const box = await t.context.connect(t.context.free);
  const become = { user: 'root', password: new Secret('not needed') };
  t.is(
    (await box.run('cat; id -un', { become, stdin: Buffer.from('data ') })).stdout.toString(),
    'data root\n',
  );
});

run('without a password, sudo asking for one is told apart', async (t) => {
  const box = await t.context.connect(t.context.asked);
  const error = await t.throwsAsync(box.run('id', { become: { user: 'root' } }), {
    instanceOf: TransportError,
  });
  t.deepEqual(error?.failure, { kind: 'sudo-password-required', user: 'root' });
  t.is((await box.run('echo still here')).stdout.toString(), 'still here\n');
});

runAlone('a sudo that wants a terminal is said to want one', async (t) => {
  const user = t.context.asked;
  await writeFile(sudoersOf(user), `Defaults:${user} requiretty\n${user} ALL=(ALL) ALL\n`, { mode: 0o440 });
  t.teardown(async () => await writeFile(sudoersOf(user), `${user} ALL=(ALL) ALL\n`, { mode: 0o440 }));
  const box = await t.context.connect(user);
  for (const password of [undefined, new Secret(t.context.password)]) {
    const error = await t.throwsAsync(box.run('id', { become: { user: 'root', password } }), {
      instanceOf: TransportError,
      message: /wants a terminal \(requiretty\)/,
    });
    t.is(error?.failure.kind, 'sudo-requiretty');
  }
});

run('sudo works where sshd allows one session a connection', async (t) => {
  const server = await startSshd({ config: ['UsePAM no', 'MaxSessions 1'] });
  t.teardown(server.stop);
  const ssh = sshTransport();
  t.teardown(ssh.close);
  const box = await ssh.connect(server.address({ user: t.context.free }));
  const who = async (user?: string) =>
    (await box.run('id -un', user === undefined ? {} : { become: { user } })).stdout.toString();
  t.is(await who(), `${t.context.free}\n`);
  t.is(await who('root'), 'root\n');
  t.is(await who(t.context.refused), `${t.context.refused}\n`);
  const content = Buffer.alloc(2_000_000, 'understudy\0');
  const path = await box.upload(content, { become: { user: 'root' } });
  t.true((await box.download(path, { become: { user: 'root' } })).equals(content));
  await box.run(`rm -f ${path}`, { become: { user: 'root' } });
});

run('a wrong password is refused once, not three times', async (t) => {
  const box = await t.context.connect(t.context.asked);
  const become = { user: 'root', password: new Secret('wrong') };
  const error = await t.throwsAsync(box.run('id', { become }), { instanceOf: TransportError });
  t.deepEqual(error?.failure, { kind: 'sudo-refused', user: 'root', reason: 'the password is wrong' });
  const right = { user: 'root', password: new Secret(t.context.password) };
  t.is((await box.run('id -un', { become: right })).stdout.toString(), 'root\n');
});

run('a user whom sudo does not let is told what sudo said', async (t) => {
  const box = await t.context.connect(t.context.refused);
  const become = { user: 'root', password: new Secret(t.context.password) };
  const error = await t.throwsAsync(box.run('id', { become }), { instanceOf: TransportError });
  t.is(error?.failure.kind, 'sudo-refused');
  t.regex(error?.message ?? '', /not in the sudoers file|may not run sudo/);
});

run('to become a user who does not exist is refused', async (t) => {
  const box = await t.context.connect(t.context.free);
  const error = await t.throwsAsync(box.run('id', { become: { user: 'nobody-here' } }), {
    instanceOf: TransportError,
  });
  t.regex(error?.message ?? '', /did not let us become nobody-here: .*(unknown user|nobody-here)/);
});

run('a time limit ends what root was running', async (t) => {
  const box = await t.context.connect(t.context.asked);
  const become = { user: 'root', password: new Secret(t.context.password) };
  const result = await box.run('id -un; sleep 600 & echo $!; wait', { become, timeoutMs: 800 });
  t.true(result.timedOut);
  const [who, pid] = result.stdout.toString().split('\n');
  t.is(who, 'root');
  const state = await box.run(`sed 's/.*) //' /proc/${pid}/stat 2>/dev/null || echo gone`);
  t.regex(state.stdout.toString(), /^(gone|Z)/);
  t.is((await box.run('id -un', { become })).stdout.toString(), 'root\n');
});

run('files are written as the user that was asked for, large ones too', async (t) => {
  const box = await t.context.connect(t.context.free);
  for (const size of [1000, 2_000_000]) {
    for (const become of [undefined, { user: 'root' }, { user: t.context.refused }]) {
      const content = Buffer.alloc(size, 'understudy\0');
      const path = await box.upload(content, { become });
      t.true((await box.download(path, { become })).equals(content));
      const stat = await box.run(`stat -c '%U %a' ${path}; rm -f ${path}`, { become });
      t.is(stat.stdout.toString(), `${become?.user ?? t.context.free} 600\n`);
    }
  }
});

run('a login password is used when the server takes no key', async (t) => {
  const server = await startSshd({ config: ['UsePAM no', 'PubkeyAuthentication no'] });
  t.teardown(server.stop);
  const ssh = sshTransport();
  t.teardown(ssh.close);
  const box = await ssh.connect(
    server.address({ user: t.context.free, password: new Secret(t.context.password) }),
  );
  t.is((await box.run('id -un')).stdout.toString(), `${t.context.free}\n`);
  const error = await t.throwsAsync(
    sshTransport().connect(server.address({ user: t.context.free, password: new Secret('wrong') })),
    { instanceOf: TransportError },
  );
  t.is(error?.failure.kind, 'authentication');
  t.regex(error?.message ?? '', /tried .*the password/);
});
