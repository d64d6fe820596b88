import { setTimeout as wait } from 'node:timers/promises';

import test from 'ava';

import { specOf } from '../../src/failover/drill/ground.ts';
import { FAULTS, type FaultName } from '../../src/failover/drill/faults.ts';
import { lookAt, primaryName, service, sql } from '../../src/failover/drill/look.ts';
import { restore } from '../../src/failover/drill/restore.ts';
import { describe, startWriter } from '../../src/failover/drill/writer.ts';
import {
  eventually,
  failoverLab,
  type FailoverLab,
  isSound,
  lastLine,
  promoteUntilDone,
} from './support/failover.ts';
import { holderOf } from './support/hand-over.ts';
import { jsonLines } from './support/cli.ts';
import { hardCases } from './support/hard-cases.ts';
import { endpointTests } from './support/endpoints.ts';
import { sessionsInTheWay } from './support/sessions.ts';
import { must, testLab, vipOf } from './support/site.ts';

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
  ['hang', 'a primary that hangs is replaced, and acknowledges nothing when it goes on'],
  ['freeze', 'a primary whose host hangs is replaced, and acknowledges nothing when it goes on'],
  ['isolate', 'a primary that is cut from everyone is replaced'],
  ['cut', 'a primary whose port is cut off is replaced'],
  ['replication-cut', 'a primary that no replica reaches is replaced, and its waiting writes are not lost'],
];

for (const [fault, title] of DEATHS) {
  test.serial(title, async (t) => {
    const [from, to, other] = await at.roles();
    const report = await at.during(
      async (stage) => {
        await at.cause(fault, from);
        stage.mark();
        const ended = await promoteUntilDone(t, at, to, fault === 'replication-cut');
        t.like(lastLine(ended), { to, outcome: 'done' });
        await stage.acceptedElsewhere();
      },
      { writerHosts: [specOf(at.site, other).host], heal: async () => await at.heal(fault, from) },
    );
    isSound(t, report);
    t.is(report.to, to);
  });
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

test.serial('a tool that is killed at any step of a switchover is finished by the next one', async (t) => {
  const [from, to] = await at.roles();
  const planned = jsonLines((await at.ok('promote', to, '--dry-run', '--json')).stdout).at(-1) as unknown as {
    readonly steps: readonly { readonly name: string; readonly instance: string | null }[];
  };
  t.true(planned.steps.length > 5);
  let changes = 0;
  const report = await at.during(
    async () => {
      for (const step of planned.steps) {
        const [primary, next] = (await primaryName(at.site)) === from ? [from, to] : [to, from];
        // The other way round the same steps have the other's name.
        const instance = primary === from ? step.instance : swapped(step.instance, from, to);
        const killed = await at.failover.killedWhen(
          (line) => {
            const event = JSON.parse(line) as { name?: string; instance?: string; status?: string };
            return event.name === step.name && event.instance === instance && event.status === 'running';
          },
          'promote',
          next,
          '--yes',
          '--json',
        );
        changes++;
        if (killed.status !== 137) continue;
        const finished = await whenFree('promote', '--yes', '--json');
        t.is(
          finished.status,
          0,
          `killed at ${step.name} ${instance}: ${finished.stdout.slice(-800)} ${finished.stderr.slice(-800)}`,
        );
        changes++;
      }
    },
    { changes: planned.steps.length * 2 },
  );
  t.true(changes > planned.steps.length);
  isSound(t, report);
});

/** The lock of a tool that died is free a few seconds later. */
async function whenFree(...args: readonly string[]): ReturnType<FailoverLab['failover']> {
  for (let attempt = 1; ; attempt++) {
    const ended = await at.failover(...args);
    // Somebody else's, or a store that was too slow for it: both say that it is to be run again.
    if (!/right now|was lost/.test(ended.stderr) || attempt === 40) return ended;
    await wait(250);
  }
}

function swapped(instance: string | null, one: string, other: string): string | null {
  return instance === one ? other : instance === other ? one : instance;
}

test.serial('of two operators at once one is told who was faster', async (t) => {
  const [, one, other] = await at.roles();
  const report = await at.during(
    async () => {
      const ended = await Promise.all([
        at.failover('promote', one, '--yes', '--json'),
        at.failover('promote', other, '--yes', '--json'),
      ]);
      const done = ended.filter((each) => each.status === 0);
      t.true(done.length >= 1, ended.map((each) => each.stderr).join('\n'));
      for (const each of ended) if (each.status !== 0) t.regex(each.stderr, /@/, 'it names who has the lock');
    },
    { changes: 2 },
  );
  isSound(t, report);
});

test.serial('sessions in the way of a switchover are named, and ended on request', async (t) => {
  await sessionsInTheWay(t, at);
});

test.serial(
  'a preferred candidate that is behind catches up from the other replica before it is promoted',
  async (t) => {
    const [from, preferred, other] = await at.roles();
    await at.ok('set-rule', preferred, 'prefer');
    const report = await at.during(
      async (stage) => {
        await sql(at.site, specOf(at.site, preferred), 'STOP REPLICA IO_THREAD;');
        await wait(1500);
        await at.cause('power', from);
        stage.mark();
        const ended = await promoteUntilDone(t, at, preferred);
        t.like(lastLine(ended), { to: preferred, outcome: 'done', lostGtids: '' });
        await stage.acceptedElsewhere();
      },
      { writerHosts: [specOf(at.site, other).host], heal: async () => await at.heal('power', from) },
    );
    await at.ok('set-rule', preferred, 'inventory');
    isSound(t, report);
    t.is(report.to, preferred);
  },
);

test.serial(
  'an instance with errant transactions is refused by name, another one is chosen, and it can be repaired',
  async (t) => {
    const [from, errant, other] = await at.roles();
    await sql(
      at.site,
      specOf(at.site, errant),
      `SET GLOBAL super_read_only = OFF; SET GTID_NEXT = '11111111-2222-3333-4444-${String(Date.now()).slice(-12)}:1';
       CREATE DATABASE IF NOT EXISTS stray; SET GTID_NEXT = AUTOMATIC; SET GLOBAL super_read_only = ON;`,
    );
    const refused = await at.failover('promote', errant, '--yes', '--json');
    t.is(refused.status, 2, refused.stdout);
    t.regex(JSON.stringify(lastLine(refused)), /rrant/);
    const report = await at.during(
      async (stage) => {
        await at.cause('kill', from);
        stage.mark();
        const ended = await at.failover('promote', '--yes', '--json');
        t.is(ended.status, 0, ended.stdout + ended.stderr);
        t.is(lastLine(ended)['to'], other);
        await stage.acceptedElsewhere();
      },
      {
        writerHosts: [specOf(at.site, errant).host],
        heal: async () => {
          // An empty transaction is a commit: somebody must acknowledge it.
          await eventually(
            'the killed one is back',
            async () => (await at.failover('rejoin', from, '--yes')).status === 0,
          );
          await at.ok('rejoin', errant, '--inject-empty', '--yes');
          await sql(at.site, specOf(at.site, other), 'DROP DATABASE IF EXISTS stray;');
        },
      },
    );
    isSound(t, report);
    t.is(report.to, other);
  },
);

test.serial(
  'a switchover while the balancer with the virtual address loses its power is complete',
  async (t) => {
    const [, to, other] = await at.roles();
    const holder = await holderOf(lab, await vipOf(lab));
    const report = await at.during(
      async (stage) => {
        await at.site.ground.lab?.cutPower(holder);
        stage.mark();
        await promoteUntilDone(t, at, to);
        await stage.acceptedElsewhere();
      },
      { writerHosts: [specOf(at.site, other).host] },
    );
    isSound(t, report);
    t.is(report.to, to);
  },
);

const DISKS: readonly (readonly [FaultName, string])[] = [
  ['full-disk', 'a primary whose disk is full is replaced'],
  ['stalled-disk', 'a primary whose disk stands still is replaced'],
];

for (const [fault, title] of DISKS) {
  test.serial(title, async (t) => {
    const [, from, other] = await at.roles();
    await FAULTS[fault].prepare?.(at.site, from);
    t.deepEqual((await restore(at.site, at.failover)).violations, []);
    await at.ok('promote', from, '--yes');
    const to =
      at.site.instances.map((spec) => spec.name).find((name) => name !== from && name !== other) ?? '';
    const exercised = at.during(
      async (stage) => {
        await at.cause(fault, from);
        stage.mark();
        // Writes stand still a moment later: until then a switchover would be right.
        await wait(2000);
        await promoteUntilDone(t, at, to, true);
        await stage.acceptedElsewhere();
      },
      { writerHosts: [specOf(at.site, other).host], heal: async () => await at.heal(fault, from) },
    );
    // Its disk is taken away again whatever came of it: the next test cuts its power.
    await exercised.catch(() => {});
    await FAULTS[fault].restore?.(at.site, from);
    t.deepEqual((await restore(at.site, at.failover)).violations, []);
    const report = await exercised;
    isSound(t, report);
    t.is(report.to, to);
  });
}

test.serial(
  'with a minority of etcd lost everything works; with the majority lost nothing is demoted',
  async (t) => {
    const [from, to] = await at.roles();
    const etcd = async (host: string, verb: string): Promise<string> =>
      await lab.sh(host, `systemctl ${verb} etcd`);
    await etcd('web3', 'stop');
    const report = await at.during(
      async (stage) => {
        await at.ok('promote', to, '--yes');
        await etcd('web2', 'stop');
        stage.mark();
        await wait(3000);
        await stage.accepted(10_000);
        t.is(await primaryName(at.site), to);
        const refused = await at.failover('promote', from, '--yes');
        t.not(refused.status, 0, 'without a store nothing is promoted unless it is said');
        t.is(await primaryName(at.site), to);
      },
      {
        heal: async () => {
          await Promise.all(['web2', 'web3'].map(async (host) => await etcd(host, 'start')));
          await eventually('the store answers', async () => (await at.failover('history')).status === 0);
        },
      },
    );
    isSound(t, report);
  },
);

hardCases(async () => await Promise.resolve(at));

// From here on the watch acts, and nobody else.

endpointTests(test, lab, () => at);

async function watching(): Promise<void> {
  await at.ok('resume');
  await at.failover('ack');
}

const WATCHED: readonly (readonly [FaultName, string, number])[] = [
  ['kill', 'the watch replaces a killed primary by itself', 15_000],
  ['freeze', 'the watch replaces a primary whose host hangs', 25_000],
  ['isolate', 'the watch replaces a primary that is cut from everyone', 25_000],
];

for (const [fault, title, limitMs] of WATCHED) {
  test.serial(title, async (t) => {
    await watching();
    const [from, one, other] = await at.roles();
    const report = await at.during(
      async (stage) => {
        await at.cause(fault, from);
        stage.mark();
        await stage.acceptedElsewhere(limitMs);
      },
      {
        // Which one it chooses is its own affair.
        writerHosts: [specOf(at.site, one).host, specOf(at.site, other).host],
        heal: async () => await at.heal(fault, from),
      },
    );
    isSound(t, report);
    t.not(report.to, from);
  });
}

test.serial('a watch that is cut from the servers promotes nobody', async (t) => {
  await watching();
  const [primary, one] = await at.roles();
  const before = await lookAt(at.site, specOf(at.site, primary));
  const report = await at.during(
    async (stage) => {
      await at.site.ground.lab?.isolate('lb2', ['web1', 'web2', 'web3']);
      stage.mark();
      await wait(12_000);
      await stage.accepted(10_000);
      t.is(await primaryName(at.site), primary);
    },
    { changes: 0, writerHosts: [specOf(at.site, one).host] },
  );
  isSound(t, report);
  t.is((await lookAt(at.site, specOf(at.site, primary))).gtid.split(':')[0], before.gtid.split(':')[0]);
});

test.serial('a second death within the hour waits for somebody who has seen the first', async (t) => {
  await watching();
  const [from, one, other] = await at.roles();
  const report = await at.during(
    async (stage) => {
      await at.cause('power', from);
      stage.mark();
      await stage.acceptedElsewhere(25_000);
      const second = await primaryName(at.site);
      await lab.sh(specOf(at.site, second).host, `systemctl stop --no-block ${service(at.site)}`);
      await wait(8000);
      const looks = await Promise.all(
        [one, other]
          .filter((name) => name !== second)
          .map(async (name) => await lookAt(at.site, specOf(at.site, name))),
      );
      t.true(
        looks.every((look) => look.readOnly),
        'nobody was promoted without an acknowledgement',
      );
      await lab.sh(specOf(at.site, second).host, `systemctl start ${service(at.site)}`);
      await at.ok('ack');
      await at.failover('promote', '--yes');
    },
    {
      changes: 3,
      writerHosts: [specOf(at.site, one).host, specOf(at.site, other).host],
      limitMs: 90_000,
      heal: async () => await at.heal('power', from),
    },
  );
  isSound(t, report);
});

test.serial('after all this provisioning finds nothing to do', async (t) => {
  const again = await lab.provision('up', '--json', '--yes');
  t.is(again.status, 0, again.stderr.slice(-2000));
  const changed = jsonLines(again.stdout).filter(
    (line) => line.type === 'result' && line.status === 'changed',
  );
  t.deepEqual(
    changed.map((line) => `${line.host}: ${line.task}`),
    [],
  );
});
