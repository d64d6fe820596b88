import type { ExecutionContext } from 'ava';

import { specOf } from '../../../src/failover/drill/ground.ts';
import { sql } from '../../../src/failover/drill/look.ts';
import { eventually, type FailoverLab, lastLine } from './failover.ts';

/** Sessions count as long ones sooner, so that nobody has to wait. */
const SOON = ['-e', 'failover_long_transaction_seconds=1'];

/**
 * A session that has locked tables for writing and a prepared transaction without a session are named, and nothing
 * changes. On request both are ended, and the switchover is done.
 */
export async function sessionsInTheWay(t: ExecutionContext, at: FailoverLab): Promise<void> {
  const [from, to] = await at.roles();
  const { database } = at.site.app;
  const primary = specOf(at.site, from);
  await sql(
    at.site,
    primary,
    `CREATE TABLE IF NOT EXISTS ${database}.halves (id INT PRIMARY KEY) ENGINE = InnoDB;
     CREATE TABLE IF NOT EXISTS ${database}.locked (id INT PRIMARY KEY) ENGINE = InnoDB;
     XA START 'half'; INSERT INTO ${database}.halves VALUES (1); XA END 'half'; XA PREPARE 'half';`,
    30_000,
  );
  const locker = sql(at.site, primary, `LOCK TABLES ${database}.locked WRITE; DO SLEEP(90);`, 120_000).then(
    () => 'went on',
    () => 'was ended',
  );
  await eventually('both are named', async () => {
    const { stdout } = await at.failover('promote', to, '--dry-run', '--json', ...SOON);
    return /LockedTables/.test(stdout) && /PreparedTransactions/.test(stdout);
  });
  const refused = await at.failover('promote', to, '--yes', '--json', ...SOON);
  t.is(refused.status, 2, refused.stdout);
  const { refusals, accept } = lastLine(refused) as {
    refusals: readonly { code: string; details: readonly string[] }[];
    accept: string;
  };
  t.log(JSON.stringify(refusals));
  t.regex(
    refusals.find(({ code }) => code === 'LockedTables')?.details.join() ?? '',
    /root from .* for \d+ s/,
  );
  t.deepEqual(refusals.find(({ code }) => code === 'PreparedTransactions')?.details, ["'half'"]);
  t.regex(accept, /--force [a-z,-]*locked-tables/);
  t.is((await at.roles())[0], from);

  const ended = await at.ok(
    'promote',
    to,
    '--yes',
    '--json',
    '--end-sessions',
    '--end-xa',
    'half=rollback',
    ...SOON,
  );
  t.like(lastLine(ended), { to, outcome: 'done', verified: true });
  t.is(await locker, 'was ended');
  t.is(await sql(at.site, specOf(at.site, to), 'XA RECOVER;'), '');
  await sql(at.site, specOf(at.site, to), `DROP TABLE ${database}.halves, ${database}.locked;`, 30_000);
}
