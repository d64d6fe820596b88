import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UserError } from '../../src/lib/errors.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { TransportFailure } from '../../src/transport/failure.ts';
import { ForwardError } from '../../src/transport/forward.ts';
import { sshTransport, type SshTransportOptions } from '../../src/transport/ssh.ts';
import { type Connection, type HostAddress, TransportError } from '../../src/transport/transport.ts';
import { freePort, keygen, type SshdOptions, startSshd, type TestSshd } from './sshd.ts';

async function sshd(t: ExecutionContext, options: SshdOptions = {}): Promise<TestSshd> {
  const server = await startSshd(options);
  t.teardown(server.stop);
  return server;
}

function transport(t: ExecutionContext, options: SshTransportOptions = {}) {
  const ssh = sshTransport(options);
  t.teardown(ssh.close);
  return ssh;
}

async function failure(t: ExecutionContext, host: HostAddress, options: SshTransportOptions = {}) {
  const error = await t.throwsAsync(transport(t, options).connect(host), { instanceOf: TransportError });
  if (!error) throw new Error('it did not fail');
  t.log(error.message);
  return error;
}

/** A member of the union may stand for several kinds. */
type Failure<Kind> = TransportFailure extends infer One
  ? One extends { readonly kind: infer Kinds }
    ? Kind extends Kinds
      ? One
      : never
    : never
  : never;

function is<Kind extends TransportFailure['kind']>(
  t: ExecutionContext,
  error: TransportError,
  kind: Kind,
): Failure<Kind> {
  t.is(error.failure.kind, kind);
  return error.failure as Failure<Kind>;
}

test('a script runs over one connection, a hundred times', async (t) => {
  const server = await sshd(t);
  const box = await transport(t).connect(server.address());
  for (let number = 0; number < 100; number++) {
    const result = await box.run(`echo ${number}; echo e${number} >&2; exit ${number}`);
    t.is(result.stdout.toString(), `${number}\n`);
    t.is(result.stderr.toString(), `e${number}\n`);
    t.is(result.status, number);
  }
  t.is(server.log().match(/Accepted publickey/g)?.length, 1);
});

// First and alone, for the sake of the memory it measures.
test.serial('large output is streamed, and not kept', async (t) => {
  const server = await sshd(t);
  const box = await transport(t).connect(server.address());
  const size = 300 * 1024 * 1024;
  let received = 0;
  let wrong = 0;
  const before = process.memoryUsage.rss();
  let peak = before;
  const result = await box.run(`head -c ${size} /dev/zero; head -c 1000000 /dev/zero >&2`, {
    onStdout: (chunk) => {
      received += chunk.length;
      if (chunk[0] !== 0 || chunk.at(-1) !== 0) wrong++;
      peak = Math.max(peak, process.memoryUsage.rss());
    },
  });
  t.is(received, size);
  t.is(wrong, 0);
  t.is(result.stdout.length, 0);
  t.is(result.stderr.length, 1_000_000);
  t.true(peak - before < size * 0.75, `memory grew by ${peak - before} bytes`);
});

test('files travel by the shell and by SFTP', async (t) => {
  const server = await sshd(t);
  const box = await transport(t).connect(server.address());
  for (const size of [0, 1000, 400_000, 5_000_000]) {
    const content = Buffer.alloc(size, 'understudy\0');
    const path = await box.upload(content);
    t.teardown(async () => await rm(path, { force: true }));
    t.true((await box.download(path)).equals(content));
    const copy = await box.upload({ localFile: path });
    t.teardown(async () => await rm(copy, { force: true }));
    t.true((await readFile(copy)).equals(content));
  }
});

test('a time limit ends the processes on the host, and the connection stays', async (t) => {
  const server = await sshd(t);
  const box = await transport(t).connect(server.address());
  const result = await box.run('echo $$; sleep 700 & echo $!; wait', { timeoutMs: 500 });
  t.true(result.timedOut);
  const child = Number(result.stdout.toString().split('\n')[1]);
  t.false(alive(child));
  t.is((await box.run('echo works')).stdout.toString(), 'works\n');
});

test('a connection lost in the middle of a script is reported, and the script runs to its end', async (t) => {
  const server = await sshd(t);
  const ssh = transport(t);
  const box = await ssh.connect(server.address());
  const proof = join(server.directory, 'finished');
  const lost = join(server.directory, 'lost');
  const pid = Promise.withResolvers<number>();
  const running = box.run(
    `echo $$; until [ -e '${lost}' ]; do sleep 0.05; done; echo more; echo more >&2; echo yes >'${proof}'`,
    { onStdout: (chunk) => pid.resolve(Number.parseInt(chunk.toString(), 10)) },
  );
  process.kill(sessionOf(await pid.promise, server), 'SIGKILL');
  const error = await t.throwsAsync(running, { instanceOf: TransportError });
  t.is(error?.failure.kind, 'lost');
  t.regex(error?.message ?? '', /box: the connection was lost while a script was running/);
  t.true(box.closed);
  await t.throwsAsync(box.run('true'), { instanceOf: TransportError });
  await writeFile(lost, '');
  while (!(await readFile(proof).catch(() => undefined)))
    await new Promise((resolve) => setTimeout(resolve, 25));
  const again = await ssh.connect(server.address());
  t.is((await again.run('echo back')).stdout.toString(), 'back\n');
});

test('a host that hangs counts as lost after some keepalives', async (t) => {
  const server = await sshd(t);
  const box = await transport(t, { keepaliveIntervalMs: 100, keepaliveCountMax: 2 }).connect(
    server.address(),
  );
  const pid = Number((await box.run('echo $$')).stdout.toString());
  const session = sessionOf(pid, server);
  process.kill(session, 'SIGSTOP');
  t.teardown(() => process.kill(session, 'SIGKILL'));
  const error = await t.throwsAsync(box.run('true'), { instanceOf: TransportError });
  t.is(error?.failure.kind, 'lost');
  t.regex(error?.message ?? '', /Keepalive timeout/);
});

/** A zombie that nobody collects is dead as well. */
function alive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The sshd process that serves the session in which the process `pid` runs. */
function sessionOf(pid: number, server: TestSshd): number {
  for (let at = pid; at > 1;) {
    const stat = readFileSync(`/proc/${at}/stat`, 'utf8');
    const parent = Number(/\) \S (\d+)/.exec(stat)?.[1]);
    if (parent === server.process.pid) return at;
    at = parent;
  }
  throw new Error('not below sshd');
}

test('who is still connecting when the transport is closed gets no connection, and leaves none behind', async (t) => {
  const server = await sshd(t);
  const ssh = sshTransport();
  await ssh.connect(server.address());
  // It shares the first one's session, so nothing is left to be given up.
  const late = ssh.connect(server.address());
  await ssh.close();
  await t.throwsAsync(late, { message: 'the transport is closed' });
  for (;;) {
    if (/Disconnected from|Connection closed by/.test(server.log())) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.pass();
});

test('a name that does not exist is unresolved', async (t) => {
  const error = await failure(t, { name: 'box', address: 'no-such-host.invalid', sshConfigFile: 'none' });
  is(t, error, 'unresolved');
  t.is(error.exitCode, 4);
});

test('a port on which nobody listens is refused', async (t) => {
  const port = await freePort();
  const error = await failure(t, { name: 'box', address: '127.0.0.1', port, sshConfigFile: 'none' });
  t.is(is(t, error, 'refused').port, port);
});

test('a server that accepts and stays silent times out in the handshake', async (t) => {
  const { port } = await server(t, () => {});
  const error = await failure(t, {
    name: 'box',
    address: '127.0.0.1',
    port,
    connectTimeoutMs: 300,
    sshConfigFile: 'none',
  });
  t.is(is(t, error, 'timeout').phase, 'handshake');
});

test('a server that is no sshd fails in the handshake', async (t) => {
  const { port } = await server(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const error = await failure(t, {
    name: 'box',
    address: '127.0.0.1',
    port,
    connectTimeoutMs: 60_000,
    sshConfigFile: 'none',
  });
  is(t, error, 'handshake');
});

test('a server that drops connections before the handshake is tried again', async (t) => {
  const real = await sshd(t);
  let drops = 0;
  const { port } = await server(t, (socket) => {
    if (drops++ < 2) {
      socket.resetAndDestroy();
      return;
    }
    forward(socket, real.port);
  });
  await appendFile(
    real.knownHosts,
    (await readFile(real.knownHosts, 'utf8')).replace(`:${real.port}`, `:${port}`),
  );
  const box = await transport(t).connect(real.address({ port }));
  t.is((await box.run('echo in')).stdout.toString(), 'in\n');
  t.is(drops, 3);
});

async function server(t: ExecutionContext, onSocket: (socket: Socket) => void) {
  const listener = createServer((socket) => {
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  t.teardown(() => listener.close());
  await once(listener, 'listening');
  return listener.address() as { port: number };
}

function forward(socket: Socket, port: number): void {
  const other = connect(port, '127.0.0.1');
  other.on('error', () => {});
  socket.on('close', () => other.destroy());
  socket.pipe(other).pipe(socket);
}

test('an unknown host key is refused with its fingerprint and the command that trusts it', async (t) => {
  const target = await sshd(t);
  await writeFile(target.knownHosts, '');
  const error = await failure(t, target.address());
  const unknown = is(t, error, 'host-key-unknown');
  const expected = execFileSync('ssh-keygen', ['-lf', join(target.directory, 'host_ed25519.pub')]).toString();
  t.true(expected.includes(unknown.fingerprint));
  t.regex(error.message, /provision trust box/);
  t.is(await readFile(target.knownHosts, 'utf8'), '');
});

test('accept-new learns a key once, also for hosts that connect at the same time', async (t) => {
  const target = await sshd(t);
  await writeFile(target.knownHosts, '# mine\n');
  const ssh = transport(t);
  const address = target.address({ hostKeyChecking: 'accept-new' });
  await Promise.all(['root', 'other'].map((name) => ssh.connect({ ...address, name })));
  const text = await readFile(target.knownHosts, 'utf8');
  t.regex(text, new RegExp(`^# mine\n\\[127\\.0\\.0\\.1\\]:${target.port} ssh-ed25519 \\S+\n$`));
  await transport(t).connect(target.address());
});

test('a changed host key is refused, even with accept-new, naming the line', async (t) => {
  const target = await sshd(t);
  keygen(join(target.directory, 'old'), 'ed25519');
  const old = await readFile(join(target.directory, 'old.pub'), 'utf8');
  await writeFile(target.knownHosts, `# comment\n[127.0.0.1]:${target.port} ${old}`);
  for (const hostKeyChecking of ['strict', 'accept-new'] as const) {
    const error = await failure(t, target.address({ hostKeyChecking }));
    t.is(is(t, error, 'host-key-changed').known.line, 2);
    t.true(error.message.includes(`${target.knownHosts}:2`));
    t.regex(error.message, /provision trust --replace box/);
  }
});

test('a revoked host key is refused though it is known', async (t) => {
  const target = await sshd(t);
  const known = await readFile(target.knownHosts, 'utf8');
  await appendFile(target.knownHosts, `@revoked ${known}`);
  is(t, await failure(t, target.address()), 'host-key-revoked');
});

test('hashed names are understood', async (t) => {
  const target = await sshd(t);
  execFileSync('ssh-keygen', ['-q', '-H', '-f', target.knownHosts], { stdio: 'ignore' });
  t.regex(await readFile(target.knownHosts, 'utf8'), /^\|1\|/);
  await t.notThrowsAsync(transport(t).connect(target.address()));
});

test('of several host keys, the kind that is known is asked for', async (t) => {
  const target = await sshd(t, { hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
  const lines = (await readFile(target.knownHosts, 'utf8')).trim().split('\n');
  t.is(lines.length, 3);
  for (const line of lines) {
    await writeFile(target.knownHosts, `${line}\n`);
    await t.notThrowsAsync(transport(t).connect(target.address()), line);
  }
});

test('a key that the server does not accept fails the authentication, and says what was tried', async (t) => {
  const target = await sshd(t);
  const other = join(target.directory, 'stranger');
  keygen(other, 'ed25519');
  const error = await failure(t, target.address({ privateKeyFile: other }), { home: target.directory });
  const refused = is(t, error, 'authentication');
  t.deepEqual(refused.tried, [`the key ${other}`]);
  t.true(refused.accepted.includes('publickey'));
});

test('a key file that is missing is named', async (t) => {
  const target = await sshd(t);
  const error = await failure(t, target.address({ privateKeyFile: '/nowhere/key' }), {
    home: target.directory,
  });
  t.regex(error.message, /the key \/nowhere\/key does not exist/);
});

test('an encrypted key needs its passphrase', async (t) => {
  const target = await sshd(t, { passphrase: 'open sesame' });
  const without = await failure(t, target.address());
  t.regex(without.message, /user is encrypted: give its passphrase, or add it to the agent/);
  const wrong = await failure(t, target.address({ passphrase: new Secret('wrong') }));
  t.regex(wrong.message, /the given passphrase does not open it/);
  const box = await transport(t).connect(target.address({ passphrase: new Secret('open sesame') }));
  t.is((await box.run('echo in')).stdout.toString(), 'in\n');
});

test('the agent opens an encrypted key, even when it holds more keys than the server lets try', async (t) => {
  const target = await sshd(t, { passphrase: 'open sesame', config: ['UsePAM no', 'MaxAuthTries 3'] });
  const socket = join(target.directory, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => agent.kill());
  await once(agent.stdout, 'data');
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  for (const name of ['one', 'two', 'three', 'four']) {
    keygen(join(target.directory, name), 'ed25519');
    execFileSync('ssh-add', ['-q', join(target.directory, name)], { env });
  }
  const askpass = join(target.directory, 'askpass');
  await writeFile(askpass, '#!/bin/sh\necho open sesame\n', { mode: 0o755 });
  execFileSync('ssh-add', ['-q', target.userKey], {
    env: { ...env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: 'none' },
    stdio: 'ignore',
  });
  const config = join(target.directory, 'config');
  await writeFile(config, `Host 127.0.0.1\n  IdentityAgent ${socket}\n`);
  const box = await transport(t).connect(target.address({ sshConfigFile: config }));
  t.is((await box.run('echo in')).stdout.toString(), 'in\n');
});

test('the ssh configuration fills in what the inventory leaves out', async (t) => {
  const target = await sshd(t);
  const config = join(target.directory, 'config');
  await writeFile(
    config,
    [
      'Host web*',
      '  HostName 127.0.0.1',
      `  Port ${target.port}`,
      `  User ${target.address().user}`,
      `  IdentityFile ${target.userKey}`,
      `  UserKnownHostsFile ${target.knownHosts}`,
      '',
    ].join('\n'),
  );
  const box = await transport(t).connect({ name: 'web1', address: 'web1', sshConfigFile: config });
  t.is((await box.run('echo in')).stdout.toString(), 'in\n');
});

test('a target is reached through two jump hosts, whose connections are shared', async (t) => {
  const [first, second, target] = await Promise.all([sshd(t), sshd(t), sshd(t)]);
  const everyone = (
    await Promise.all([first, second, target].map((one) => readFile(one.knownHosts, 'utf8')))
  ).join('');
  const keys = (
    await Promise.all([first, second, target].map((one) => readFile(`${one.userKey}.pub`, 'utf8')))
  ).join('');
  for (const one of [first, second, target]) {
    await writeFile(one.knownHosts, everyone);
    await writeFile(join(one.directory, 'authorized_keys'), keys);
  }
  const user = target.address().user;
  const jumps = [`${user}@127.0.0.1:${first.port}`, `${user}@127.0.0.1:${second.port}`];
  const ssh = transport(t);
  const boxes: Connection[] = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      ssh.connect(target.address({ name, address: `localhost`, jumps, hostKeyChecking: 'accept-new' })),
    ),
  );
  const peers = await Promise.all(boxes.map((box) => box.run('echo $SSH_CONNECTION')));
  for (const peer of peers) t.regex(peer.stdout.toString(), new RegExp(` ${target.port}\n$`));
  t.is(first.log().match(/Accepted publickey/g)?.length, 1);
  t.is(second.log().match(/Accepted publickey/g)?.length, 1);

  const port = await freePort();
  const refused = await failure(t, target.address({ name: 'down', port, jumps }));
  t.regex(is(t, refused, 'refused').via ?? '', /127/);
  const unresolved = await failure(
    t,
    target.address({ name: 'nobody', address: 'no-such-host.invalid', jumps }),
  );
  is(t, unresolved, 'unresolved');
});

test('a jump host that fails is blamed, with its own reason', async (t) => {
  const target = await sshd(t);
  const port = await freePort();
  const error = await failure(t, target.address({ jumps: [`127.0.0.1:${port}`] }));
  t.is(is(t, error, 'jump').cause.kind, 'refused');
});

test('a host that ends only its half of a connection through a jump host is lost, and nobody waits for it', async (t) => {
  const [target, jump] = [await sshd(t), await sshd(t)];
  const ways: { readonly near: Socket; readonly far: Socket }[] = [];
  // In the place of a host whose kernel said goodbye before it went down: what is sent to it afterwards is never answered.
  const proxy = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect(target.port, '127.0.0.1');
    near.on('data', (chunk) => far.write(chunk)).on('error', () => {});
    far.on('data', (chunk) => near.write(chunk)).on('error', () => {});
    ways.push({ near, far });
  });
  t.teardown(() => {
    proxy.close();
    for (const { near } of ways) near.destroy();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as { readonly port: number };
  const jumps = new Map([['lb1', jump.address({ name: 'lb1' })]]);
  const ssh = transport(t, { hosts: (name) => jumps.get(name) });
  const box = await ssh.connect(
    target.address({ port, jumps: ['lb1'], knownHostsFile: undefined, hostKeyChecking: 'accept-new' }),
  );
  t.is((await box.run('echo hello')).stdout.toString(), 'hello\n');
  const waiting = box.run('sleep 600');
  for (const { near, far } of ways) {
    near.removeAllListeners('data').pause();
    far.destroy();
    near.end();
  }
  await t.throwsAsync(waiting, { instanceOf: TransportError });
});

test('a connection attempt can be aborted', async (t) => {
  const { port } = await server(t, () => {});
  const abort = new AbortController();
  const connecting = transport(t).connect(
    { name: 'box', address: '127.0.0.1', port, sshConfigFile: 'none' },
    abort.signal,
  );
  abort.abort(new Error('enough'));
  await t.throwsAsync(connecting, { message: 'enough' });
});

test('a user without a usable login shell is told what it said', async (t) => {
  const target = await sshd(t, {
    config: ['UsePAM no', 'ForceCommand echo This account is not available.; exit 1'],
  });
  const box = await transport(t).connect(target.address());
  const error = await t.throwsAsync(box.run('true'), { instanceOf: TransportError });
  t.is(error?.failure.kind, 'shell');
  t.regex(error?.message ?? '', /This account is not available/);
});

/** A jump host that hangs: its kernel accepts, and nothing ever answers. */
async function silentServer(t: ExecutionContext): Promise<{ port: number; connections: () => number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, connections: () => sockets.length };
}

test('the second jump host is taken when the first hangs, and then right away', async (t) => {
  const [target, jump] = [await sshd(t), await sshd(t)];
  const hung = await silentServer(t);
  const ssh = transport(t, {
    hosts: (name) =>
      name === 'lb1'
        ? jump.address({ name, port: hung.port, connectTimeoutMs: 120_000 })
        : name === 'lb2'
          ? jump.address({ name })
          : undefined,
  });
  const alternatives = [['lb1'], ['lb2']];
  const timed = async (names: readonly string[]): Promise<number> => {
    const startedAt = performance.now();
    const connections = await Promise.all(
      names.map((name) => ssh.connect(target.address({ name, alternatives }))),
    );
    const ms = performance.now() - startedAt;
    for (const connection of connections) {
      t.is((await connection.run('echo hello')).stdout.toString(), 'hello\n');
      await connection.close();
    }
    return ms;
  };
  t.true((await timed(['web1', 'web2', 'web3'])) < 60_000, 'the time limit of the first was not waited for');
  const before = hung.connections();
  t.is(before, 1, 'three hosts share one attempt');
  await timed(['web4']);
  t.is(hung.connections(), before, 'a later host does not try the dead one first');
});

test('a second jump host is taken when the first cannot reach the host', async (t) => {
  const [target, jump] = [await sshd(t), await sshd(t)];
  const closed = await sshd(t, { config: ['UsePAM no', 'AllowTcpForwarding no'] });
  const jumps = new Map([
    ['lb1', closed.address({ name: 'lb1' })],
    ['lb2', jump.address({ name: 'lb2' })],
  ]);
  const ssh = transport(t, { hosts: (name) => jumps.get(name) });
  const box = await ssh.connect(target.address({ alternatives: [['lb1'], ['lb2']] }));
  t.is((await box.run('echo hello')).stdout.toString(), 'hello\n');
  const shown = await ssh.hostKeys(target.address({ alternatives: [['lb1'], ['lb2']] }));
  t.deepEqual(
    shown.keys.map((key) => key.verdict.kind),
    ['known'],
  );
});

test('when no jump host can be used, each is named with its reason', async (t) => {
  const server = await sshd(t);
  const [one, two] = [await freePort(), await freePort()];
  const error = await failure(
    t,
    server.address({ alternatives: [[`127.0.0.1:${one}`], [`localhost:${two}`]] }),
  );
  const { others } = is(t, error, 'jump');
  t.is(others?.length, 1);
  t.true(
    error.message.includes(`127.0.0.1:${one} refused`) && error.message.includes(`localhost:${two} refused`),
  );
});

test('a key that the host itself refuses is not tried through every jump host', async (t) => {
  const [target, jump] = [await sshd(t), await sshd(t)];
  keygen(join(jump.directory, 'stranger'), 'ed25519');
  const ssh = transport(t, { hosts: (name) => (name === 'lb1' ? jump.address({ name }) : undefined) });
  const error = await t.throwsAsync(
    ssh.connect(
      target.address({
        alternatives: [['lb1'], ['lb2.invalid']],
        privateKeyFile: join(jump.directory, 'stranger'),
      }),
    ),
    { instanceOf: TransportError },
  );
  t.is(error?.failure.kind, 'authentication');
});

for (const [what, config] of [
  ['no SFTP', ['UsePAM no', 'Subsystem sftp /bin/false']],
  ['an SFTP server that cannot write', ['UsePAM no', 'Subsystem sftp internal-sftp -R']],
  ['one session a connection', ['UsePAM no', 'MaxSessions 1']],
  ['one session a connection, and no SFTP', ['UsePAM no', 'MaxSessions 1', 'Subsystem sftp /bin/false']],
] as const) {
  test(`large files reach a host with ${what}`, async (t) => {
    const server = await sshd(t, { config });
    const box = await transport(t).connect(server.address());
    const content = Buffer.alloc(1_500_000, "understudy\0'");
    const path = await box.upload(content);
    t.teardown(async () => await rm(path, { force: true }));
    t.true((await readFile(path)).equals(content));
    const copy = await box.upload({ localFile: path });
    t.teardown(async () => await rm(copy, { force: true }));
    t.true((await readFile(copy)).equals(content));
  });
}

test('a time limit ends a script where sshd allows one session a connection', async (t) => {
  const server = await sshd(t, { config: ['UsePAM no', 'MaxSessions 1'] });
  const box = await transport(t).connect(server.address());
  const result = await box.run('echo $$; sleep 700', { timeoutMs: 300 });
  t.true(result.timedOut);
  t.is((await box.run('echo works')).stdout.toString(), 'works\n');
});

test('a server that allows no session at all is named', async (t) => {
  const server = await sshd(t, { config: ['UsePAM no', 'MaxSessions 0'] });
  const box = await transport(t).connect(server.address());
  await t.throwsAsync(box.run('true'), { instanceOf: TransportError, message: /MaxSessions/ });
});

test('many logins at a time succeed though sshd takes one after the other', async (t) => {
  const server = await sshd(t, { config: ['UsePAM no', 'MaxStartups 1'] });
  const logins = Array.from({ length: 5 }, async () => {
    const box = await transport(t).connect(server.address({ connectTimeoutMs: 100_000 }));
    return (await box.run('echo in')).stdout.toString();
  });
  t.deepEqual(
    await Promise.all(logins),
    logins.map(() => 'in\n'),
  );
});

test('a file here that cannot be read is no fault of the host', async (t) => {
  const server = await sshd(t);
  const box = await transport(t).connect(server.address());
  await t.throwsAsync(box.upload({ localFile: '/nowhere/at/all' }), {
    instanceOf: UserError,
    message: /cannot read \/nowhere\/at\/all on this machine: ENOENT/,
  });
  t.is((await box.run('echo works')).stdout.toString(), 'works\n');
});

for (const [what, config] of [
  ['sshd', ['UsePAM no']],
  ['the host’s own programs, where sshd may not', ['UsePAM no', 'AllowTcpForwarding no']],
] as const) {
  test(`a connection from the host is opened by ${what}, and one that was refused is told`, async (t) => {
    const { port } = await server(t, (socket) => {
      socket.on('data', (chunk) => {
        socket.write(chunk);
        if (chunk.includes('!')) socket.end();
      });
    });
    const remote = await sshd(t, { config });
    const box = await transport(t).connect(remote.address());
    const stream = await box.forward('127.0.0.1', port);
    const content = randomBytes(300_000).map((byte) => (byte === 0x21 ? 0x20 : byte));
    stream.write(content);
    stream.write('!');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    t.true(Buffer.concat(chunks).equals(Buffer.concat([content, Buffer.from('!')])));
    const error = await t.throwsAsync(box.forward('127.0.0.1', await freePort()), {
      instanceOf: ForwardError,
      message: /^127\.0\.0\.1:\d+: connection refused$/i,
    });
    t.is(error?.kind, 'closed');
  });
}

test('a public key file stands for the private one that the agent holds', async (t) => {
  const target = await sshd(t, { config: ['UsePAM no', 'MaxAuthTries 2'] });
  const socket = join(target.directory, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => agent.kill());
  await once(agent.stdout, 'data');
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  for (const name of ['one', 'two', 'three']) {
    keygen(join(target.directory, name), 'ed25519');
    execFileSync('ssh-add', ['-q', join(target.directory, name)], { env });
  }
  execFileSync('ssh-add', ['-q', target.userKey], { env });
  await rm(target.userKey);
  const config = join(target.directory, 'config');
  const lines = [`IdentityAgent ${socket}`, `IdentityFile ${target.userKey}.pub`, 'IdentitiesOnly yes'];
  await writeFile(config, `Host 127.0.0.1\n  ${lines.join('\n  ')}\n`);
  const host = target.address({ sshConfigFile: config, privateKeyFile: undefined });
  const box = await transport(t).connect(host);
  t.is((await box.run('echo in')).stdout.toString(), 'in\n');
  execFileSync('ssh-add', ['-q', '-D'], { env, stdio: 'ignore' });
  const error = await failure(t, host);
  t.regex(error.message, /user\.pub is a public key, and the agent does not hold the private one/);
});

test('a command leads to the host, as ProxyCommand says', async (t) => {
  const target = await sshd(t);
  const program = 'process.stdin.pipe(require("net").connect(%p, "127.0.0.1")).pipe(process.stdout)';
  const relay = `${process.execPath} -e '${program}'`;
  const through = target.address({ address: 'no-such-host.invalid', sshOptions: { proxycommand: [relay] } });
  await writeFile(
    target.knownHosts,
    (await readFile(target.knownHosts, 'utf8')).replace('127.0.0.1', 'no-such-host.invalid'),
  );
  const box = await transport(t).connect(through);
  t.is((await box.run('echo in')).stdout.toString(), 'in\n');
  const error = await failure(t, {
    ...through,
    sshOptions: { proxycommand: ['ls /no-such-file'] },
  });
  t.regex(error.message, /the ProxyCommand ended with status 2: .*no-such-file/);
});
