import { setTimeout as wait } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { specOf } from '../../src/failover/drill/ground.ts';
import type { FaultName } from '../../src/failover/drill/faults.ts';
import { primaryName } from '../../src/failover/drill/look.ts';
import { describe, startWriter } from '../../src/failover/drill/writer.ts';
import { failoverLab, type FailoverLab, lastLine } from './support/failover.ts';
import { must, testLab } from './support/site.ts';

/*
 * Real servers, a writer whose every acknowledged row is looked for afterwards on every instance, and one fault after
 * the other. A lab that is provisioned already may be named: UNDERSTUDY_TEST_LAB=NAME.
 */

const given = process.env['UNDERSTUDY_TEST_LAB'];
const lab = testLab(given ?? 'test-fo');
let at: FailoverLab;

test.before('a site with its database', async () => {
  if (given === undefined) {
    await lab.lab('up');
    await lab.lab('reset');
    must(await lab.provision('up', '--yes'), 'provision up');
  }
  at = await failoverLab(lab);
  // What an operator's command does is tested first, without the watch's help.
  await at.ok('pause', 'the tests promote by hand');
});

test.after.always('nothing is left', async () => {
  if (given === undefined && process.env['KEEP_LAB'] === undefined) await lab.lab('down', '--yes');
});

type Report = Awaited<ReturnType<FailoverLab['during']>>;

/** No acknowledged write is missing anywhere, and the cluster is whole. */
function isSound(t: ExecutionContext, report: Report): void {
  t.log(
    `${report.from} → ${report.to}: ${describe(report.tally)}${report.recoveredMs === undefined ? '' : `, accepted again after ${Math.round(report.recoveredMs)} ms`}${report.actions.length === 0 ? '' : `; then ${report.actions.join(', ')}`}`,
  );
  t.deepEqual(report.violations, []);
  t.true(report.tally.acknowledged > 50, 'the writer wrote');
}

test.serial('a switchover loses no write, refuses no request and is verified', async (t) => {
  const [, to, other] = await at.roles();
  const posts = await startWriter(at.site, {
    host: 'client',
    node: process.execPath,
    url: `http://${at.site.vip}/api/messages`,
    perSecond: 20,
    seconds: 120,
    number: 9,
  });
  await posts.begun;
  const report = await at.during(
    async () => {
      const ended = await at.ok('promote', to, '--yes', '--json');
      t.like(lastLine(ended), { kind: 'switchover', to, outcome: 'done', verified: true, lostGtids: '' });
    },
    { writerHosts: [specOf(at.site, other).host] },
  );
  const answers = await posts.stop();
  isSound(t, report);
  t.is(report.to, to);
  t.is(answers.refused + answers.unknown, 0, describe(answers));
});

const DEATHS: readonly (readonly [FaultName, string])[] = [
  ['kill', 'a primary whose process was killed, and which systemd starts again in the middle, is replaced'],
  ['power', 'a primary whose host lost its power is replaced'],
  ['freeze', 'a primary whose host hangs is replaced, and acknowledges nothing when it goes on'],
  ['isolate', 'a primary that is cut from everyone is replaced'],
];

for (const [fault, title] of DEATHS) {
  test.serial(title, async (t) => {
    const [from, to, other] = await at.roles();
    const report = await at.during(
      async (stage) => {
        await at.cause(fault, from);
        stage.mark();
        const ended = await promoteUntilDone(t, to);
        t.like(lastLine(ended), { to, outcome: 'done' });
        await stage.acceptedElsewhere();
      },
      { writerHosts: [specOf(at.site, other).host], heal: async () => await at.heal(fault, from) },
    );
    isSound(t, report);
    t.is(report.to, to);
  });
}

/** At once after a fault nobody may know yet that the primary is dead: a refusal says so, and to ask again is right. */
async function promoteUntilDone(t: ExecutionContext, to: string): ReturnType<FailoverLab['failover']> {
  for (let attempt = 1; ; attempt++) {
    const ended = await at.failover('promote', to, '--yes', '--json');
    if (lastLine(ended)['outcome'] === 'done' || attempt === 5) return ended;
    t.log(`attempt ${attempt}: ${ended.stderr.trim().split('\n').slice(0, 3).join(' ').slice(0, 300)}`);
    await wait(500);
  }
}

test.serial('an acknowledging replica that dies changes nothing, and writes go on', async (t) => {
  const [primary, one, other] = await at.roles();
  const report = await at.during(
    async (stage) => {
      await at.cause('stop', one);
      stage.mark();
      await stage.accepted(10_000);
      t.is(await primaryName(at.site), primary);
    },
    {
      changes: 0,
      writerHosts: [specOf(at.site, other).host],
      heal: async () => await at.heal('stop', one),
    },
  );
  isSound(t, report);
});
