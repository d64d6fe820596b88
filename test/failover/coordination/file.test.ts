import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { UserError } from '../../../src/lib/errors.ts';
import { fileCoordination } from '../../../src/failover/coordination/file.ts';
import { entry, keepsTheContract } from './contract.ts';

const SOURCE = new URL('../../../src/failover/coordination/', import.meta.url).pathname;

/** Long enough that writing it takes a while; the number of a last transaction follows. */
const LONG_SET = `3e11fa47-71ca-11e1-9e33-c80aa9429562:${Array.from({ length: 600 }, (_, index) => 2 * index + 1).join(':')}:`;

function temporary(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'understudy-coordination-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

keepsTheContract(test, async (t) => {
  const directory = temporary(t);
  return () => fileCoordination({ directory, cluster: 'shop' });
});

/** Another process with the coordination of `directory` as `one`. */
function processOf(directory: string, code: string) {
  return spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '-e',
      `import { fileCoordination } from ${JSON.stringify(join(SOURCE, 'file.ts'))};
       const one = fileCoordination({ directory: ${JSON.stringify(directory)}, cluster: 'shop', journalBytes: 20000 });
       ${code}`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
}

test('the lock of a process that was killed is taken over, with a larger epoch', async (t) => {
  const directory = temporary(t);
  const child = processOf(
    directory,
    `const lease = await one.acquire({ who: 'ann', purpose: 'promote db2' }); console.log(lease.epoch); setInterval(() => {}, 1000);`,
  );
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const here = fileCoordination({ directory, cluster: 'shop' });
  await t.throwsAsync(here.acquire({ who: 'bob', purpose: 'watch' }), { message: /ann is changing shop/ });
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.is(await here.holder(), undefined);
  const lease = await here.acquire({ who: 'bob', purpose: 'watch' });
  t.is(lease.epoch, Number(line.toString()) + 1);
});

test('the lock of a process that stands still is taken over, and it knows when it goes on', async (t) => {
  const directory = temporary(t);
  const child = processOf(
    directory,
    `const mine = fileCoordination({ directory: ${JSON.stringify(directory)}, cluster: 'shop', leaseMs: 1500 });
     const lease = await mine.acquire({ who: 'ann', purpose: 'promote db2' });
     lease.signal.addEventListener('abort', () => { console.log(lease.signal.reason.message); process.exit(); });
     console.log(lease.epoch); setInterval(() => {}, 1000);`,
  );
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const here = fileCoordination({ directory, cluster: 'shop' });
  await t.throwsAsync(here.acquire({ who: 'bob', purpose: 'watch' }), { message: /ann is changing shop/ });
  child.kill('SIGSTOP');
  const lease = await until(() => here.acquire({ who: 'bob', purpose: 'watch' }));
  t.is(lease.epoch, Number(line.toString()) + 1);
  const said = once(child.stdout, 'data') as Promise<[Buffer]>;
  child.kill('SIGCONT');
  t.regex((await said)[0].toString(), /the right to change shop was lost/);
  await lease.confirm();
  await lease.release();
});

/** The first result of what is tried again and again. */
async function until<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test('a lock that somebody removed by hand is lost: confirming it fails and its signal aborts', async (t) => {
  const directory = temporary(t);
  const one = fileCoordination({ directory, cluster: 'shop' });
  const lease = await one.acquire({ who: 'ann', purpose: 'promote' });
  rmSync(join(directory, 'shop', 'lock'));
  await t.throwsAsync(lease.confirm(), { instanceOf: UserError, message: /lost/ });
  t.true(lease.signal.aborted);
});

test('a process that is killed at any point leaves what the next one can read', async (t) => {
  t.timeout(120_000);
  const directory = temporary(t);
  let written = -1;
  let epoch = 0;
  for (let round = 0; round < 12; round++) {
    const child = processOf(
      directory,
      `for (let n = ${written + 1}; ; n++) {
         const lease = await one.acquire({ who: 'child', purpose: 'round' });
         await one.remember((memory) => ({ ...memory, epoch: lease.epoch, lastSeen: ${JSON.stringify(LONG_SET)} + (2000 + n) }));
         await one.write({ ...${JSON.stringify(entry(''))}, id: String(n), message: 'y'.repeat(n % 3000) });
         console.log(n + ' ' + lease.epoch);
         await lease.release();
       }`,
    );
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(child.stdout, 'data');
    // Somewhere in the middle of the writing, a little later each time.
    await new Promise((resolve) => setTimeout(resolve, 1 + round * 1.7));
    child.kill('SIGKILL');
    await once(child, 'close');
    const last = said
      .trimEnd()
      .split('\n')
      .filter((line) => /^\d+ \d+$/.test(line))
      .at(-1)!
      .split(' ')
      .map(Number);

    const here = fileCoordination({ directory, cluster: 'shop' });
    const memory = await here.memory();
    const history = await here.history(1000);
    const number = Number(memory.lastSeen?.split(':').at(-1)) - 2000;
    t.true(number >= last[0]!, 'what was remembered is there');
    t.true(
      history.some(({ id }) => id === String(last[0])),
      'what was written is there',
    );
    const lease = await here.acquire({ who: 'test', purpose: 'look' });
    t.true(lease.epoch > last[1]! && lease.epoch > epoch);
    epoch = lease.epoch;
    await here.write(entry(`after ${round}`));
    t.is((await here.history(1))[0]?.id, `after ${round}`);
    await lease.release();
    written = last[0]! + 1;
  }
});

test('several processes that write at once lose nothing', async (t) => {
  const directory = temporary(t);
  const children = ['a', 'b', 'c'].map((name) =>
    processOf(
      directory,
      `for (let n = 0; n < 15; n++) {
         await one.remember((memory) => ({ ...memory, epoch: memory.epoch + 1 }));
         await one.write({ ...${JSON.stringify(entry(''))}, id: '${name}' + n });
       }`,
    ),
  );
  for (const [code] of await Promise.all(children.map((child) => once(child, 'exit')))) t.is(code, 0);
  const here = fileCoordination({ directory, cluster: 'shop' });
  t.is((await here.memory()).epoch, 45);
  t.is(new Set((await here.history(100)).map(({ id }) => id)).size, 45);
});

test('the journal stays short, and keeps the newest', async (t) => {
  const directory = temporary(t);
  const one = fileCoordination({ directory, cluster: 'shop', journalBytes: 10_000 });
  for (let n = 0; n < 60; n++) await one.write(entry(String(n)));
  t.true(statSync(join(directory, 'shop', 'journal.ndjson')).size <= 10_000);
  const history = await one.history(100);
  t.is(history[0]?.id, '59');
  t.true(history.length >= 5 && history.length < 60);
});

test('a line that was cut off at the end of the journal is left out, also after the next one is written', async (t) => {
  const directory = temporary(t);
  const one = fileCoordination({ directory, cluster: 'shop' });
  await one.write(entry('a'));
  appendFileSync(join(directory, 'shop', 'journal.ndjson'), JSON.stringify(entry('b')).slice(0, 40));
  t.deepEqual(
    (await one.history(5)).map(({ id }) => id),
    ['a'],
  );
  await one.write(entry('c'));
  t.deepEqual(
    (await one.history(5)).map(({ id }) => id),
    ['c', 'a'],
  );
});

const BROKEN: readonly (readonly [file: string, text: string, message: RegExp])[] = [
  ['memory.json', '{"epoch":', /memory\.json cannot be read: it is not JSON/],
  ['memory.json', '[]', /memory\.json cannot be read: Invalid input: expected object, received array/],
  ['memory.json', 'null', /expected object, received null/],
  ['memory.json', '{"epoch":"7","downtimes":[],"rules":{}}', /epoch: Invalid input: expected/],
  ['memory.json', '{"epoch":1.5,"downtimes":[],"rules":{}}', /epoch: Invalid input: expected int/],
  ['memory.json', '{"epoch":7,"rules":{}}', /downtimes: Invalid input: expected array/],
  [
    'memory.json',
    '{"epoch":7,"downtimes":[{"instance":"db1"}],"rules":{}}',
    /downtimes\.0\.until: .*downtimes\.0\.reason: .*downtimes\.0\.by: /,
  ],
  [
    'memory.json',
    '{"epoch":7,"downtimes":[],"rules":{},"paused":{"by":"ann"}}',
    /paused\.reason: .*expected string/,
  ],
  // Each of these once passed, and meant something else to whoever asked.
  ['memory.json', '{"epoch":7,"downtimes":[],"rules":{},"fenced":"db1"}', /fenced: .*expected array/],
  ['memory.json', '{"epoch":7,"downtimes":[],"rules":{"db1":42}}', /rules\.db1: /],
  ['memory.json', '{"epoch":7,"downtimes":[],"rules":{"db1":"best"}}', /rules\.db1: .*"prefer"\|"neutral"/],
  ['memory.json', '{"epoch":7,"downtimes":[],"rules":{},"watchers":7}', /watchers: .*expected record/],
  ['memory.json', '{"epoch":7,"downtimes":[],"rules":{},"below":{"db3":["db1"]}}', /below\.db3: /],
  ['memory.json', '{"epoch":7,"downtimes":[],"rules":{},"lastSeen":"all"}', /lastSeen: expected GTIDs/],
  ['memory.json', '{"epoch":7,"downtimes":[],"rules":{},"primary":null}', /primary: .*expected string/],
  [
    'memory.json',
    '{"epoch":7,"downtimes":[],"rules":{},"unfinished":{"id":"a","kind":"move","from":"db1","to":"db2"}}',
    /unfinished\.kind: .*"switchover"/,
  ],
  ['memory.json', '{"version":"2","epoch":7,"downtimes":[],"rules":{}}', /version: expected a whole number/],
  ['epoch', '', /epoch cannot be read: it should hold one whole number/],
  ['epoch', 'seven', /epoch cannot be read/],
  ['epoch', '-1', /epoch cannot be read/],
  ['journal.ndjson', 'nonsense\n', /journal\.ndjson, line 1 cannot be read: it is not JSON/],
  ['journal.ndjson', '{"id":"a"}\n', /line 1 cannot be read: epoch: .*who: /],
  [
    'journal.ndjson',
    `${JSON.stringify({ ...entry('a'), outcome: 'perhaps' })}\n`,
    /line 1 cannot be read: outcome: /,
  ],
];
for (const [file, text, message] of BROKEN) {
  test(`a broken ${file} is a mistake with a name, not a crash: ${JSON.stringify(text)}`, async (t) => {
    const directory = temporary(t);
    mkdirSync(join(directory, 'shop'));
    writeFileSync(join(directory, 'shop', file), text);
    const one = fileCoordination({ directory, cluster: 'shop' });
    const work =
      file === 'memory.json'
        ? one.memory()
        : file === 'epoch'
          ? one.acquire({ who: 'ann', purpose: 'x' })
          : one.history(5);
    await t.throwsAsync(work, { instanceOf: UserError, message });
    // Whoever failed to begin does not keep the others out.
    t.is(await one.holder(), undefined);
    t.is(readFileSync(join(directory, 'shop', file), 'utf8'), text);
  });
}

test('a directory that cannot be made is a mistake with a name', async (t) => {
  const directory = temporary(t);
  writeFileSync(join(directory, 'file'), '');
  const one = fileCoordination({ directory: join(directory, 'file'), cluster: 'shop' });
  await t.throwsAsync(one.acquire({ who: 'ann', purpose: 'x' }), {
    instanceOf: UserError,
    message: /cannot keep the state of the failover in /,
  });
});

test('a cluster’s name never leads out of the directory, and two clusters do not meet', async (t) => {
  const directory = temporary(t);
  chmodSync(directory, 0o755);
  const inner = join(directory, 'inner');
  const names = ['..', 'a/b', '../x', 'a.b', 'shop', 'Größe'];
  for (const cluster of names) await fileCoordination({ directory: inner, cluster }).write(entry(cluster));
  t.deepEqual(readdirSync(directory), ['inner']);
  t.is(readdirSync(inner).length, names.length);
  for (const cluster of names) {
    t.deepEqual(
      (await fileCoordination({ directory: inner, cluster }).history(9)).map(({ id }) => id),
      [cluster],
    );
  }
});
