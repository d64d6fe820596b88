import type { ExecutionContext } from 'ava';

import { jsonLines, startProvision, waitFor } from './cli.ts';
import { mustBeWhole, startLoad } from './load.ts';
import { must, type TestLab } from './site.ts';

/**
 * Every host is booted again in turn, primary and balancers included. The tool is killed in the middle, others are refused
 * meanwhile, and the next one goes on; no request fails and no write is lost.
 */
export async function rebootsInTurn(t: ExecutionContext, lab: TestLab, vip: string): Promise<void> {
  const load = await startLoad(t, lab, vip);
  const first = startProvision(['reboot', '--yes', '--json', '-i', lab.inventory]);
  await waitFor('the first host boots again', async () =>
    /"phase":"work","status":"running"/.test(first.stdout()),
  );
  const second = await lab.provision('reboot', '--yes');
  t.is(second.status, 1);
  t.regex(second.stderr, /another run holds the lock of this inventory: "provision reboot" by /);
  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  const refused = await lab.provision('reboot', '--yes');
  t.is(refused.status, 2, 'a host is out of service');
  t.regex(refused.stderr, /"reboot" by .* has left web\d out of service/);

  const resumed = must(await lab.provision('reboot', '--yes', '--json', '--resume'), 'reboot --resume');
  const done = jsonLines(resumed.stdout).filter(
    (line) => line.type === 'phase' && line.status === 'done' && 'phase' in line && line.phase === 'settle',
  );
  t.deepEqual(done.map(({ host = '' }) => host).sort(), ['lb1', 'lb2', 'web1', 'web2', 'web3']);
  t.regex(must(await lab.provision('drain', '--status'), 'status').stdout, /all servers are in service/);
  await mustBeWhole(t, load);
}

/** A setting that needs it: the database of every server is started again, the primary last and after a switchover. */
export async function restartsInTurn(
  t: ExecutionContext,
  lab: TestLab,
  vip: string,
  variables: readonly string[],
): Promise<void> {
  const load = await startLoad(t, lab, vip);
  const playbook = 'test/lab/support/restart-database.yml';
  const rolled = must(
    await lab.provision('roll', playbook, '--hosts', 'servers', '--yes', ...variables),
    'roll',
  );
  t.regex(rolled.stdout, /is the primary instead of/);
  for (const server of ['web1', 'web2', 'web3']) {
    const asked = `$(command -v mariadb || command -v mysql) -NBe 'select @@back_log'`;
    t.is(await lab.sh(server, asked), '123', server);
  }
  await mustBeWhole(t, load);
}
