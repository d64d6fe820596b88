import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';

import test, { type ExecutionContext } from 'ava';

import { fileCoordination } from '../../../src/failover/coordination/file.ts';
import { remoteCoordination } from '../../../src/failover/coordination/remote.ts';
import { UserError } from '../../../src/lib/errors.ts';
import { entry, keepsTheContract } from './contract.ts';

// One after the other: each starts processes, and all at once would keep each other from being in time.
const SOURCE = new URL('../../../src/failover/coordination/', import.meta.url).pathname;
const ANN = { who: 'ann', purpose: 'promote db2' };
const BOB = { who: 'bob', purpose: 'watch' };

function temporary(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'understudy-remote-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The command that SSH would start on the machine with the files. */
function serving(t: ExecutionContext, directory: string, silenceMs = 5000) {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '-e',
      `import { fileCoordination } from ${JSON.stringify(join(SOURCE, 'file.ts'))};
       import { serveCoordination } from ${JSON.stringify(join(SOURCE, 'serve.ts'))};
       const files = fileCoordination({ directory: ${JSON.stringify(directory)}, cluster: 'shop' });
       await serveCoordination(async () => ({ cluster: 'shop', coordination: files }), process.stdin, process.stdout, ${silenceMs});
       process.exit(0);`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

function remote(t: ExecutionContext, directory: string, silenceMs = 5000) {
  const child = serving(t, directory, silenceMs);
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  const coordination = remoteCoordination({
    open: async () => stream,
    where: 'lb1',
    cluster: 'shop',
    isOnly: true,
    silenceMs,
    pingMs: silenceMs / 5,
    timeoutMs: 20_000,
  });
  t.teardown(() => coordination.close());
  return { child, stream, coordination };
}

keepsTheContract(test.serial, async (t) => {
  const directory = temporary(t);
  return () => remote(t, directory).coordination;
});

test.serial('an operator elsewhere and the daemon beside the files keep each other out', async (t) => {
  const directory = temporary(t);
  const daemon = fileCoordination({ directory, cluster: 'shop' });
  const { coordination } = remote(t, directory);
  const lease = await coordination.acquire(ANN);
  await t.throwsAsync(daemon.acquire(BOB), { message: /ann is changing shop/ });
  await coordination.write(entry('by hand'));
  t.is((await daemon.history(1))[0]?.id, 'by hand');
  await lease.release();
  const own = await daemon.acquire(BOB);
  t.is(own.epoch, lease.epoch + 1);
  await t.throwsAsync(coordination.acquire(ANN), {
    instanceOf: UserError,
    message: /bob is changing shop .*\n.*hint: wait/,
  });
});

test.serial('the lock is given back when the operator’s connection ends', async (t) => {
  const directory = temporary(t);
  const { child, stream, coordination } = remote(t, directory);
  const lease = await coordination.acquire(ANN);
  stream.destroy();
  await once(child, 'exit');
  await t.throwsAsync(lease.confirm(), { instanceOf: UserError });
  t.true(lease.signal.aborted);
  await (await fileCoordination({ directory, cluster: 'shop' }).acquire(BOB)).release();
});

test.serial('when the machine with the files is lost, the lease ends', async (t) => {
  const { child, coordination } = remote(t, temporary(t));
  const lease = await coordination.acquire(ANN);
  child.kill('SIGKILL');
  if (!lease.signal.aborted) await once(lease.signal, 'abort');
  await t.throwsAsync(lease.confirm(), { instanceOf: UserError, message: /lost/ });
  await t.throwsAsync(coordination.memory(), {
    instanceOf: UserError,
    message: /connection to lb1 has ended/,
  });
});

test.serial(
  'an operator whose line is dead has lost the lease by the time another has the lock',
  async (t) => {
    const directory = temporary(t);
    const { child, coordination } = remote(t, directory, 2000);
    const daemon = fileCoordination({ directory, cluster: 'shop' });
    const lease = await coordination.acquire(ANN);
    // Neither side is told: what is written goes nowhere.
    child.stdin.write = () => true;
    for (;;) {
      try {
        await daemon.acquire(BOB);
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    await t.throwsAsync(lease.confirm(), {
      instanceOf: UserError,
      message: /lb1 has not answered for too long/,
    });
    t.true(lease.signal.aborted);
  },
);

test.serial('a lease is kept while nothing else is asked', async (t) => {
  const { coordination } = remote(t, temporary(t));
  const lease = await coordination.acquire(ANN);
  await new Promise((resolve) => setTimeout(resolve, 7000));
  t.false(lease.signal.aborted);
  await lease.confirm();
});

test.serial('something else at the other end is a mistake with a name', async (t) => {
  const stream = new Duplex({ read: () => {}, write: (_, __, done) => done() });
  const coordination = remoteCoordination({
    open: async () => stream,
    where: 'lb1',
    cluster: 'shop',
    isOnly: true,
  });
  const asked = coordination.memory();
  stream.push('sudo: a password is required\n');
  await t.throwsAsync(asked, { instanceOf: UserError, message: /something else answers: sudo: a password/ });
  await coordination.close();
});
