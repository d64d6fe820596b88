import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';

import test, { type ExecutionContext } from 'ava';

import type { Memory } from '../../../src/failover/cluster/memory.ts';
import type { Coordination } from '../../../src/failover/coordination/coordination.ts';
import { EMPTY_MEMORY } from '../../../src/failover/coordination/empty-memory.ts';
import { fileCoordination } from '../../../src/failover/coordination/file.ts';
import { RECORD_VERSION } from '../../../src/failover/coordination/record-version.ts';
import { remoteCoordination } from '../../../src/failover/coordination/remote.ts';
import { serveCoordination } from '../../../src/failover/coordination/serve.ts';
import { UserError } from '../../../src/lib/errors.ts';
import { entry } from './contract.ts';
import { entryOfFormat1, memoryOfFormat1, serveAsFormat1 } from './release-1.ts';

// Two releases side by side: the records of the one that knew no version, recorded as it wrote them, and those of one
// that comes after this one.

const RECORDED = new URL('records/format-1/', import.meta.url).pathname;
const NEWER = RECORD_VERSION + 1;
const SENTENCE = /was written by a newer release of failover \(format 2; this one reads formats up to 1\)/;
const ANN = { who: 'ann', purpose: 'promote db2' };

function directoryOf(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'understudy-releases-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  mkdirSync(join(path, 'servers'));
  return path;
}

function files(directory: string): Coordination {
  return fileCoordination({ directory, cluster: 'servers' });
}

/** The two ends of a line between an operator and the keeper of the files. */
function line(): readonly [Duplex, Duplex] {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const ends = [
    Duplex.from({ readable: back, writable: there }),
    Duplex.from({ readable: there, writable: back }),
  ] as const;
  // Whoever closes an end destroys the streams below it.
  for (const end of ends) end.on('error', () => {});
  return ends;
}

function operatorAt(t: ExecutionContext, end: Duplex): Coordination {
  const coordination = remoteCoordination({
    open: async () => end,
    where: 'lb1',
    cluster: 'servers',
    isOnly: true,
  });
  t.teardown(() => coordination.close());
  return coordination;
}

test('the files of the release before versions are read whole', async (t) => {
  const directory = directoryOf(t);
  for (const file of ['memory.json', 'journal.ndjson', 'epoch'])
    copyFileSync(join(RECORDED, file), join(directory, 'servers', file));
  const one = files(directory);
  const recorded = JSON.parse(readFileSync(join(RECORDED, 'memory.json'), 'utf8')) as Memory;
  t.deepEqual(await one.memory(), { ...EMPTY_MEMORY, ...recorded });
  const [first] = await one.history(5);
  t.like(first, { kind: 'switchover', from: 'db1', to: 'db2', outcome: 'done', epoch: 1 });
  t.is(first?.steps.length, 22);
  const lease = await one.acquire(ANN);
  t.is(lease.epoch, 8, 'larger than the epoch file and the memory');
  await lease.release();
});

test('what this release writes, the release before versions reads', async (t) => {
  const directory = directoryOf(t);
  const one = files(directory);
  await one.remember((memory) => ({
    ...memory,
    epoch: 3,
    primary: 'db2',
    rules: { db3: 'must_not' },
    fenced: ['db1'],
    unfinished: { id: 'x', kind: 'failover', from: 'db1', to: 'db2' },
  }));
  await one.write(entry('a', { outcome: 'done' }));
  const memory = memoryOfFormat1(readFileSync(join(directory, 'servers', 'memory.json'), 'utf8'));
  t.like(memory, { epoch: 3, primary: 'db2', rules: { db3: 'must_not' }, fenced: ['db1'] });
  const written = readFileSync(join(directory, 'servers', 'journal.ndjson'), 'utf8').trim();
  t.like(entryOfFormat1(written), entry('a', { outcome: 'done' }));
  t.is((JSON.parse(written) as { version: number }).version, RECORD_VERSION);
});

test('a memory of a newer release is refused with what to upgrade, and nothing is written over it', async (t) => {
  const directory = directoryOf(t);
  const file = join(directory, 'servers', 'memory.json');
  const text = JSON.stringify({ version: NEWER, epoch: 9, leaders: ['db2'] });
  writeFileSync(file, text);
  const one = files(directory);
  const refusal = await t.throwsAsync(one.memory(), { instanceOf: UserError, message: SENTENCE });
  t.regex(refusal.message, /memory\.json was written.*\n.*hint: nothing was done; upgrade this one/);
  t.is(refusal.exitCode, 1);
  await t.throwsAsync(
    one.remember((memory) => ({ ...memory, epoch: 10 })),
    { message: SENTENCE },
  );
  await t.throwsAsync(one.acquire(ANN), { message: SENTENCE });
  t.is(await one.holder(), undefined, 'and the lock is free');
  t.is(readFileSync(file, 'utf8'), text);
});

test('keys that nobody here knows survive a change of what is known', async (t) => {
  const directory = directoryOf(t);
  const file = join(directory, 'servers', 'memory.json');
  const downtime = { instance: 'db3', until: 5, reason: 'disk', by: 'ann', ticket: 17 };
  writeFileSync(
    file,
    JSON.stringify({ version: 1, epoch: 9, downtimes: [downtime], rules: {}, canary: { of: 'later' } }),
  );
  await files(directory).remember((memory) => ({ ...memory, primary: 'db2' }));
  t.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
    version: 1,
    epoch: 9,
    primary: 'db2',
    downtimes: [downtime],
    rules: {},
    canary: { of: 'later' },
  });
});

test('an entry of a newer release is named, and stays in the journal when that is shortened', async (t) => {
  const directory = directoryOf(t);
  const file = join(directory, 'servers', 'journal.ndjson');
  const newer = JSON.stringify({ version: NEWER, id: 'later', plan: 'as a graph' });
  writeFileSync(file, `${JSON.stringify(entry('a', { reason: 'x'.repeat(2000) }))}\n${newer}\n`);
  const one = fileCoordination({ directory, cluster: 'servers', journalBytes: 1000 });
  await t.throwsAsync(one.history(5), { message: /journal\.ndjson, line 2 was written by a newer release/ });
  await one.write(entry('b'));
  t.true(readFileSync(file, 'utf8').split('\n').includes(newer));
});

test('the lock of a newer release is respected, whatever is written in it', async (t) => {
  const directory = directoryOf(t);
  const holding = await files(directory).acquire(ANN);
  const file = join(directory, 'servers', 'lock');
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { command: string; user: string };
  writeFileSync(file, JSON.stringify({ ...lock, command: JSON.stringify({ version: NEWER, by: 'bob' }) }));
  await t.throwsAsync(files(directory).acquire({ who: 'me', purpose: 'x' }), { message: /right now/ });
  await holding.release();
});

test('an operator of this release works with a keeper of the release before versions', async (t) => {
  const directory = directoryOf(t);
  for (const file of ['memory.json', 'journal.ndjson'])
    copyFileSync(join(RECORDED, file), join(directory, 'servers', file));
  const [here, there] = line();
  serveAsFormat1(there, join(directory, 'servers'));
  const one = operatorAt(t, here);
  t.like(await one.memory(), { epoch: 7, primary: 'db2' });
  await one.remember((memory) => ({ ...memory, primary: 'db3' }));
  // And again, now that this release has written its version there.
  await one.remember((memory) => ({ ...memory, epoch: 8 }));
  t.like(await one.memory(), { epoch: 8, primary: 'db3' });
  t.is((await one.history(1))[0]?.outcome, 'done');
});

test('an operator of the release before versions works with a keeper of this release', async (t) => {
  const directory = directoryOf(t);
  const [here, there] = line();
  void serveCoordination(async () => ({ cluster: 'servers', coordination: files(directory) }), there, there);
  const replies: string[] = [];
  here.setEncoding('utf8');
  here.on('data', (chunk: string) => replies.push(...chunk.trim().split('\n')));
  const ask = async (question: object): Promise<{ value?: unknown; problems?: { message: string }[] }> => {
    const seen = replies.length;
    here.write(`${JSON.stringify(question)}\n`);
    while (replies.length === seen) await new Promise((resolve) => setTimeout(resolve, 2));
    return JSON.parse(replies[seen] ?? '') as { value?: unknown };
  };
  await files(directory).remember((memory) => ({ ...memory, epoch: 4 }));
  const memory = memoryOfFormat1(JSON.stringify((await ask({ id: 1, call: 'memory' })).value));
  t.is(memory['epoch'], 4);
  const was = sorted(memory);
  t.like(await ask({ id: 2, call: 'swap', was, next: { ...memory, primary: 'db2' } }), { value: true });
  t.like(await ask({ id: 3, call: 'swap', was, next: { ...memory, primary: 'db3' } }), { value: false });
  t.is((await files(directory).memory()).primary, 'db2');
  t.like(await ask({ id: 4, call: 'write', entry: entry('a') }), { id: 4 });
  t.is((await files(directory).history(1))[0]?.id, 'a');
  // What a later release asks is refused in words that its operator sees.
  const refused = await ask({ version: NEWER, id: 5, call: 'elect', candidate: 'db2' });
  t.regex(refused.problems?.[0]?.message ?? '', SENTENCE);
  const nonsense = await ask({ id: 6, call: 'swap', was, next: { epoch: 'x' } });
  t.regex(nonsense.problems?.[0]?.message ?? '', /next\.epoch/);
  here.destroy();
});

test('with several clusters, a keeper of the release before is not taken for one of the right cluster', async (t) => {
  const [here, there] = line();
  there.setEncoding('utf8');
  there.on('data', (chunk: string) => {
    for (const line of chunk.trim().split('\n'))
      there.write(`${JSON.stringify({ id: (JSON.parse(line) as { id: number }).id })}\n`);
  });
  const coordination = remoteCoordination({
    open: async () => here,
    where: 'lb1',
    cluster: 'orders',
    isOnly: false,
  });
  t.teardown(() => coordination.close());
  await t.throwsAsync(coordination.memory(), { instanceOf: UserError, message: /keeps one cluster only/ });
});

test('a keeper of several clusters serves the one that is asked for, and no other one on the same line', async (t) => {
  const directory = directoryOf(t);
  const of = (cluster: string): Coordination => fileCoordination({ directory, cluster });
  await of('orders').remember((memory) => ({ ...memory, primary: 'db7' }));
  await of('servers').remember((memory) => ({ ...memory, primary: 'db2' }));
  const [here, there] = line();
  void serveCoordination(async (cluster = '') => ({ cluster, coordination: of(cluster) }), there, there);
  const coordination = remoteCoordination({
    open: async () => here,
    where: 'lb1',
    cluster: 'orders',
    isOnly: false,
  });
  t.teardown(() => coordination.close());
  t.is((await coordination.memory()).primary, 'db7');
});

test('a keeper that was not told of a cluster lends it nothing of another one', async (t) => {
  const directory = directoryOf(t);
  const [here, there] = line();
  void serveCoordination(async () => ({ cluster: 'servers', coordination: files(directory) }), there, there);
  const coordination = remoteCoordination({
    open: async () => here,
    where: 'lb1',
    cluster: 'orders',
    isOnly: false,
  });
  t.teardown(() => coordination.close());
  await t.throwsAsync(coordination.acquire({ who: 'ann', purpose: 'promote' }), {
    message: /keeps the cluster servers, and not orders/,
  });
});

test('a keeper of a newer release is refused with what to upgrade', async (t) => {
  const [here, there] = line();
  there.setEncoding('utf8');
  there.on('data', (chunk: string) => {
    const { id } = JSON.parse(chunk.split('\n')[0] ?? '') as { id: number };
    there.write(`${JSON.stringify({ version: NEWER, id, found: {} })}\n`);
  });
  await t.throwsAsync(operatorAt(t, here).memory(), { instanceOf: UserError, message: SENTENCE });
});

/** A memory as the release before versions compared it. */
function sorted(memory: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(memory, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}
