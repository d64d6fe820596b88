import { setTimeout as wait } from 'node:timers/promises';

import test from 'ava';

import { FAULTS } from '../../../src/failover/drill/faults.ts';
import { specOf } from '../../../src/failover/drill/ground.ts';
import { type HandicapName, HANDICAPS } from '../../../src/failover/drill/handicaps.ts';
import { client, lookAt } from '../../../src/failover/drill/look.ts';
import { restore } from '../../../src/failover/drill/restore.ts';
import { eventually, type FailoverLab, isSound, lastLine, promoteUntilDone } from './failover.ts';

/*
 * Situations in which a failover goes wrong when it takes a cluster for better than it is; short ones only. `npm run
 * test:long` has those that need more instances or more time.
 */

export function hardCases(open: () => Promise<FailoverLab>): void {
  /** The watch looks on: an operator does what there is to do. */
  const paused = async (): Promise<FailoverLab> => {
    const at = await open();
    await at.ok('pause', 'an operator decides');
    return at;
  };

  const names: readonly HandicapName[] = ['applier-stopped', 'delayed', 'two-acks'];
  for (const name of names) {
    test.serial(`a dead primary is replaced although a replica ${HANDICAPS[name].description}`, async (t) => {
      const at = await paused();
      const [from, to, other] = await at.roles();
      const report = await at.during(
        async (stage) => {
          await HANDICAPS[name].impose(at.site, other);
          await at.cause('kill', from);
          stage.mark();
          t.like(lastLine(await promoteUntilDone(t, at, to)), { to, outcome: 'done', lostGtids: '' });
          await stage.acceptedElsewhere();
        },
        {
          writerHosts: [specOf(at.site, other).host],
          heal: async () => await HANDICAPS[name].lift(at.site, other),
        },
      );
      await resumed(at);
      isSound(t, report);
    });
  }

  test.serial('Ctrl-C while the primary cannot become read-only leaves it writable for good', async (t) => {
    const at = await paused();
    const [from, to, other] = await at.roles();
    const spec = specOf(at.site, from);
    const report = await at.during(
      async (stage) => {
        let locking: Promise<void> | undefined;
        const ended = await at.failover.watched(
          (line, send) => {
            // Not before it has looked for sessions that hold locks.
            locking ??= at.site.ground.start(spec.host, client(at.site), {
              input: `LOCK TABLES ${at.site.app.database}.messages WRITE; DO SLEEP(5);`,
              onLine: () => {},
            }).ended;
            if (isStep(line, 'make-read-only', 'running')) setTimeout(() => send('SIGINT'), 500);
          },
          'promote',
          to,
          '--yes',
          '--json',
        );
        t.log(`promote ended with ${ended.status}: ${ended.stdout.split('\n').at(-1)?.slice(0, 200)}`);
        await stage.accepted(20_000);
        await locking;
        // A statement that was left behind would come through now.
        await wait(1500);
        if (lastLine(ended)['outcome'] === 'undone') t.false((await lookAt(at.site, spec)).readOnly);
        await stage.accepted(20_000);
      },
      { changes: 1, writerHosts: [specOf(at.site, other).host] },
    );
    await resumed(at);
    isSound(t, report);
  });

  test.serial('a primary that dies while a replica is being copied is replaced', async (t) => {
    const at = await paused();
    const [from, to, copied] = await at.roles();
    const report = await at.during(
      async (stage) => {
        const copying = Promise.withResolvers<void>();
        const ended = at.failover.watched(
          (line) => {
            if (isStep(line, 'clone', 'running')) copying.resolve();
          },
          'rejoin',
          copied,
          '--clone',
          '--yes',
          '--json',
        );
        await Promise.race([copying.promise, ended]);
        await at.cause('kill', from);
        stage.mark();
        t.like(lastLine(await promoteUntilDone(t, at, to)), { to, outcome: 'done', lostGtids: '' });
        // Nobody acknowledges before one of the two others is back, and the copy of a primary waits for its commits.
        t.deepEqual((await restore(at.site, at.failover)).violations, []);
        await ended;
      },
      { writerHosts: [specOf(at.site, to).host], limitMs: 120_000 },
    );
    await resumed(at);
    isSound(t, report);
    t.is(report.to, to);
  });

  test.serial('an instance whose data directory is a mount point is copied', async (t) => {
    const at = await paused();
    const [, copied] = await at.roles();
    await FAULTS['full-disk'].prepare?.(at.site, copied);
    try {
      t.like(lastLine(await at.ok('rejoin', copied, '--clone', '--yes', '--json')), { outcome: 'done' });
      const { host } = specOf(at.site, copied);
      await at.site.ground.sh(host, 'mountpoint --quiet /var/lib/mysql');
    } finally {
      await FAULTS['full-disk'].restore?.(at.site, copied);
    }
    t.deepEqual((await restore(at.site, at.failover)).violations, []);
    await resumed(at);
  });
}

async function resumed(at: FailoverLab): Promise<void> {
  await eventually('the watch acts again', async () => (await at.failover('resume')).status === 0);
}

function isStep(line: string, name: string, status: string): boolean {
  return line.includes(`"name":"${name}"`) && line.includes(`"status":"${status}"`);
}
