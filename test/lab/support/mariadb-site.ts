import test from 'ava';

import type { FaultName } from '../../../src/failover/drill/faults.ts';
import { closingFor } from '../../../src/database/mariadb/server.ts';
import { parseVersion } from '../../../src/database/version.ts';
import { specOf } from '../../../src/failover/drill/ground.ts';
import { sql } from '../../../src/failover/drill/look.ts';
import { jsonLines, waitFor } from './cli.ts';
import {
  eventually,
  failoverLab,
  type FailoverLab,
  isSound,
  lastLine,
  promoteUntilDone,
} from './failover.ts';
import { handsOver } from './hand-over.ts';
import { nothingIsLost, requestIsFollowed } from './logs.ts';
import { allIsWell, balancerStops, changesNothing, forget, isTold, turnOn } from './monitoring.ts';
import { restartsInTurn } from './roll.ts';
import { sessionsInTheWay } from './sessions.ts';
import type { Debian } from '../../../src/lab/release.ts';
import { request, siteIsUp, testLab, vipOf } from './site.ts';

const FLAVOUR = ['-e', 'mysql_flavour=mariadb'];
const REPLICAS = ['web2', 'web3'];

const WATCHED: readonly (readonly [FaultName, string, number])[] = [
  ['kill', 'the watch replaces a killed primary by itself', 15_000],
  [
    'isolate',
    'the watch replaces a primary that is cut from everyone, and closes it when it is back',
    25_000,
  ],
];

export interface MariadbSite {
  /** The name of the test's own lab. */
  readonly name: string;
  readonly debian: Debian;
  /** The MariaDB that this Debian has. */
  readonly version: string;
}

/** The site on MariaDB, and its primary moved about: the tests of one release of Debian. */
export function mariadbSite({ name, debian, version }: MariadbSite): void {
  const lab = testLab(name);
  let opened: Promise<FailoverLab> | undefined;
  /** The site that the first test has made. */
  const failover = async (): Promise<FailoverLab> => await (opened ??= failoverLab(lab, FLAVOUR));

  test.before('bare hosts', async () => {
    await lab.lab('up', '--debian', debian);
    await lab.lab('reset');
  });

  test.after.always('nothing is left', async () => {
    if (process.env['KEEP_LAB'] === undefined) await lab.lab('down', '--yes');
  });

  test.serial('up makes the same site on MariaDB', async (t) => {
    const up = await lab.provision('up', ...FLAVOUR);
    t.is(up.status, 0, up.stdout.slice(-4000) + up.stderr.slice(-2000));
    await siteIsUp(lab, await vipOf(lab));
    t.regex(await lab.sh('web1', "mariadb -NBe 'select version()'"), new RegExp(`^${version}\\..*MariaDB`));
  });

  test.serial('one instance may be written, and the others replicate from it by GTID', async (t) => {
    t.is(await lab.sh('web1', "mariadb -NBe 'select @@read_only'"), '0');
    for (const replica of REPLICAS) {
      t.is(await lab.sh(replica, "mariadb -NBe 'select @@read_only'"), '1');
      const status = await lab.sh(replica, "mariadb -e 'show replica status\\G'");
      t.regex(status, /Slave_IO_Running: Yes/);
      t.regex(status, /Slave_SQL_Running: Yes/);
      t.regex(status, /Using_Gtid: Slave_Pos/);
    }
    t.is(
      await lab.sh('web1', `mariadb -NBe "show status like 'Rpl_semi_sync_master_status'" | cut -f2`),
      'ON',
    );
  });

  test.serial('a message sent to the site is on every replica', async (t) => {
    const body = `written at ${Date.now()}`;
    const message = JSON.stringify({ author: 'test', body });
    const url = `http://${await vipOf(lab)}/api/messages`;
    const posted = await request(
      lab,
      url,
      '-X',
      'POST',
      '-H',
      'content-type: application/json',
      '-d',
      message,
    );
    t.true(posted.status === 201 || posted.status === 200, posted.body);
    for (const replica of REPLICAS) {
      await waitFor(`${replica} has the message`, async () => {
        const count = await lab.sh(
          replica,
          `mariadb -NBe "select count(*) from app.messages where body = '${body}'"`,
        );
        return count === '1';
      });
    }
  });

  test.serial('the address goes to the other balancer and back without a failed request', async (t) => {
    await handsOver(t, lab, await vipOf(lab));
  });

  test.serial('the database of each server starts again in turn, and no request fails', async (t) => {
    await restartsInTurn(t, lab, await vipOf(lab), FLAVOUR);
  });

  test.serial('a switchover loses no write and is verified', async (t) => {
    const at = await failover();
    const [, to, other] = await at.roles();
    const report = await at.during(
      async () => {
        const ended = await at.ok('promote', to, '--yes', '--json');
        t.like(lastLine(ended), { kind: 'switchover', to, outcome: 'done', verified: true, lostGtids: '' });
      },
      { writerHosts: [specOf(at.site, other).host] },
    );
    isSound(t, report);
    t.is(report.to, to);
  });

  for (const [fault, title, limitMs] of WATCHED) {
    test.serial(title, async (t) => {
      const at = await failover();
      await at.failover('ack');
      const [from, one, other] = await at.roles();
      const report = await at.during(
        async (stage) => {
          await at.cause(fault, from);
          stage.mark();
          await stage.acceptedElsewhere(limitMs);
        },
        {
          writerHosts: [specOf(at.site, one).host, specOf(at.site, other).host],
          heal: async () => await at.heal(fault, from),
        },
      );
      isSound(t, report);
      t.not(report.to, from);
    });
  }

  test.serial(
    'a primary whose commits wait for an acknowledgement answers, and is given up by force',
    async (t) => {
      const at = await failover();
      await at.ok('pause', 'an operator decides');
      const [from, to, other] = await at.roles();
      const report = await at.during(
        async (stage) => {
          await at.cause('replication-cut', from);
          stage.mark();
          await eventually('the commits that wait are seen', async () => {
            const { stdout } = await at.failover('status', '--json');
            const { instances } = JSON.parse(stdout) as {
              instances: readonly { name: string; reachable: boolean; problems: readonly string[] }[];
            };
            const primary = instances.find(({ name }) => name === from);
            return primary?.reachable === true && primary.problems.length > 0;
          });
          t.like(lastLine(await promoteUntilDone(t, at, to, true)), { to, outcome: 'done' });
          await stage.acceptedElsewhere();
        },
        {
          writerHosts: [specOf(at.site, other).host],
          heal: async () => await at.heal('replication-cut', from),
        },
      );
      await at.ok('resume');
      isSound(t, report);
      t.is(report.to, to);
    },
  );

  test.serial('sessions in the way of a switchover are named, and ended on request', async (t) => {
    await sessionsInTheWay(t, await failover());
  });

  test.serial('an old primary lets administrators write before 12.0.1, and nobody since', async (t) => {
    const at = await failover();
    const [from, to] = await at.roles();
    await at.ok('promote', to, '--yes');
    const old = specOf(at.site, from);
    const version = await sql(at.site, old, 'SELECT @@version;');
    // What is not logged leaves nothing that others lack.
    const write = sql(
      at.site,
      old,
      `SET sql_log_bin = 0; CREATE TABLE ${at.site.app.database}.by_root (id INT); DROP TABLE ${at.site.app.database}.by_root;`,
    );
    const isWritten = await write.then(
      () => true,
      () => false,
    );
    t.is(isWritten, closingFor(parseVersion(version)) === undefined, version);
  });

  test.serial('a replica is made anew from a copy of another instance', async (t) => {
    const at = await failover();
    const [, replica] = await at.roles();
    const ended = await at.ok('rejoin', replica, '--clone', '--yes', '--json');
    t.like(lastLine(ended), { outcome: 'done' });
    await eventually('it follows', async () => {
      const { stdout } = await at.ok('status', '--json');
      const { instances } = JSON.parse(stdout) as {
        instances: readonly { name: string; role: string; problems: readonly string[] }[];
      };
      const found = instances.find(({ name: each }) => each === replica);
      return found?.role === 'replica' && found.problems.length === 0;
    });
  });

  test.serial('a second run changes nothing, whoever is the primary now', async (t) => {
    const again = await lab.provision('up', '--json', '--yes', ...FLAVOUR);
    t.is(again.status, 0, again.stderr);
    const changed = jsonLines(again.stdout).filter(
      (line) => line.type === 'result' && line.status === 'changed',
    );
    t.deepEqual(
      changed.map((line) => `${line.host}: ${line.task}`),
      [],
    );
  });

  test.serial('the site is watched on request: every figure is read, and a fault is told', async (t) => {
    const monitoring = await turnOn(t, lab, FLAVOUR);
    try {
      await allIsWell(t, monitoring);
      await changesNothing(t, lab, FLAVOUR);
      await requestIsFollowed(t, lab);
      await nothingIsLost(t, lab);
      // Once is enough for what does not depend on the release.
      if (debian !== '12') await isTold(t, monitoring, balancerStops(lab, 'lb2'));
    } finally {
      await monitoring.close();
      forget(lab);
    }
  });
}
