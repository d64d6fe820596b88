import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import test from 'ava';
import { withLock } from '../../src/lab/lock.ts';
import { testWith } from '../needs.ts';

const nobody = (): void => {};

// Abstract sockets are Linux's, and so is the lab.
const linux = testWith(process.platform === 'linux' ? undefined : 'it needs Linux', test);

linux('holders of one lock take turns', async (t) => {
  const name = randomUUID();
  let inside = 0;
  const turns = Array.from({ length: 8 }, () =>
    withLock(name, nobody, async () => {
      t.is(++inside, 1);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    }),
  );
  await Promise.all(turns);
});

linux('who waits is told for whom', async (t) => {
  const name = randomUUID();
  const release = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const first = withLock(name, nobody, () => {
    held.resolve();
    return release.promise;
  });
  await held.promise;
  const owners: string[] = [];
  await Promise.all([
    first,
    withLock(
      name,
      (owner) => {
        owners.push(owner);
        release.resolve();
      },
      () => Promise.resolve(),
    ),
  ]);
  t.deepEqual(owners, [String(process.pid)]);
});

linux('a failure releases the lock', async (t) => {
  const name = randomUUID();
  await t.throwsAsync(
    withLock(name, nobody, () => Promise.reject(new Error('failed'))),
    { message: 'failed' },
  );
  t.is(await withLock(name, nobody, () => Promise.resolve('again')), 'again');
});

linux('the death of its owner releases the lock', async (t) => {
  const name = randomUUID();
  const script = `
    import { withLock } from ${JSON.stringify(import.meta.resolve('../../src/lab/lock.ts'))};
    await withLock(${JSON.stringify(name)}, () => {}, () => {
      process.stdout.write('held');
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const owners: string[] = [];
  const got = withLock(
    name,
    (owner) => {
      owners.push(owner);
      child.kill('SIGKILL');
    },
    () => Promise.resolve('mine'),
  );
  t.is(await got, 'mine');
  t.deepEqual(owners, [String(child.pid)]);
});
