import test from 'ava';

import { jsonLines, waitFor } from './support/cli.ts';
import { request, siteIsUp, testLab, vipOf } from './support/site.ts';

const lab = testLab('test-mariadb');
const FLAVOUR = ['-e', 'mysql_flavour=mariadb'];
const REPLICAS = ['web2', 'web3'];

test.before('bare hosts', async () => {
  await lab.lab('up');
  await lab.lab('reset');
});

test.after.always('nothing is left', async () => {
  if (process.env['KEEP_LAB'] === undefined) await lab.lab('down', '--yes');
});

test.serial('up makes the same site on MariaDB', async (t) => {
  const up = await lab.provision('up', ...FLAVOUR);
  t.is(up.status, 0, up.stdout.slice(-4000) + up.stderr.slice(-2000));
  await siteIsUp(lab, await vipOf(lab));
  t.regex(await lab.sh('web1', "mariadb -NBe 'select version()'"), /MariaDB/);
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
  t.is(await lab.sh('web1', `mariadb -NBe "show status like 'Rpl_semi_sync_master_status'" | cut -f2`), 'ON');
});

test.serial('a message sent to the site is on every replica', async (t) => {
  const body = `written at ${Date.now()}`;
  const message = JSON.stringify({ author: 'test', body });
  const url = `http://${await vipOf(lab)}/api/messages`;
  const posted = await request(lab, url, '-X', 'POST', '-H', 'content-type: application/json', '-d', message);
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

test.serial('a second run changes nothing', async (t) => {
  const again = await lab.provision('up', '--json', ...FLAVOUR);
  t.is(again.status, 0, again.stderr);
  const changed = jsonLines(again.stdout).filter(
    (line) => line.type === 'result' && line.status === 'changed',
  );
  t.deepEqual(
    changed.map((line) => `${line.host}: ${line.task}`),
    [],
  );
});
