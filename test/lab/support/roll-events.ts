import { fileURLToPath } from 'node:url';

import type { ExecutionContext } from 'ava';

import type { StatusJson } from '../../../src/failover/output/json-schema.ts';
import { makeTool } from '../../../src/failover/drill/tool.ts';
import { jsonLines, type RunningProgram, startProvision, waitFor } from './cli.ts';
import { mustBeWhole, startLoad } from './load.ts';
import { must, request, type TestLab } from './site.ts';

/** Work that takes as long as a test needs it: until the host has a file. */
const WORK = 'test/lab/support/wait-for-file.yml';
const FILE = '/run/go-on';
/** A machine on which labs run is busy. */
const LIMIT_MS = 300_000;
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FAILOVER = [process.execPath, `${ROOT}src/bin/failover.ts`];

/** The host that is worked on loses its power: the roll stops there and says how to go on, and no request fails. */
export async function serverDies(t: ExecutionContext, lab: TestLab, vip: string): Promise<void> {
  const load = await startLoad(t, lab, vip);
  const { roll, host } = await begun(lab, 'servers', '--serial', '1');
  await lab.lab('kill', host);
  const stopped = await roll.ended;
  t.is(stopped.status, 2);
  t.regex(stopped.stderr, new RegExp(`${host}: .*\\n(.*\\n)*.*go on with: provision roll ${WORK} --resume`));
  t.regex(must(await lab.provision('drain', '--status'), 'status').stdout, new RegExp(`^${host}: out`, 'm'));
  await lab.lab('start', host);
  await goOn(lab);
  must(await lab.provision('roll', WORK, '--yes', '--resume'), 'roll --resume');
  await mustBeWhole(t, load);
  await allAreBack(t, lab);
}

/**
 * The primary dies while another host is worked on: the watch promotes the third one, and the roll goes on by that. What the
 * dead one had written and nobody acknowledged is for people to throw away; the roll waits meanwhile.
 */
export async function primaryDies(t: ExecutionContext, lab: TestLab, vip: string): Promise<void> {
  const load = await startLoad(t, lab, vip);
  const before = await primaryOf(lab);
  const { roll, host } = await begun(lab, 'servers');
  await lab.sh(before, 'kill -9 $(pidof mysqld mariadbd)');
  const after = await waitFor('another primary', async () => {
    const now = await primaryOf(lab);
    return now !== before && now !== '' ? now : undefined;
  });
  t.not(after, host, 'the one that is worked on');
  await comesBack(t, lab, before);
  await goOn(lab);
  const { status, stderr, stdout } = await roll.ended;
  t.is(status, 0, stderr);
  const worked = phases(stdout, 'work', 'running');
  t.deepEqual([...worked].sort(), ['web1', 'web2', 'web3']);
  t.is(worked.at(-1), after, 'the new primary goes last');
  const acknowledged = await makeTool(FAILOVER, ['-i', lab.inventory], ROOT)('ack');
  t.is(acknowledged.status, 0, acknowledged.stderr);
  await mustBeWhole(t, load);
  await allAreBack(t, lab);
}

/** The old primary follows by itself, or has transactions of its own and is made anew from a copy. */
async function comesBack(t: ExecutionContext, lab: TestLab, old: string): Promise<void> {
  const failover = makeTool(FAILOVER, ['-i', lab.inventory], ROOT);
  const seen = await waitFor(`${old} follows, or is said to have too much`, async () => {
    const { stdout } = await failover('status', '--json');
    const { instances } = JSON.parse(stdout) as StatusJson;
    const found = instances.find(({ host }) => host === old);
    if (found?.receiver === 'on' && found.applier === 'on') return 'follows';
    return found?.problems.includes('ErrantTransactions') ? 'errant' : undefined;
  });
  t.log(`${old} ${seen}`);
  if (seen === 'follows') return;
  const cloned = await failover('rejoin', old, '--clone', '--yes');
  t.is(cloned.status, 0, cloned.stderr);
}

/** What the rest of the site cannot carry now is waited for, and refused by its name; nothing is taken out for it. */
export async function isRefusedByName(t: ExecutionContext, lab: TestLab, vip: string): Promise<void> {
  await goOn(lab);
  const primary = await primaryOf(lab);
  const [first = '', second = ''] = ['web1', 'web2', 'web3'].filter((host) => host !== primary);
  const roll = ['roll', WORK, '--hosts', first, '--yes'] as const;
  const refused = async (why: RegExp): Promise<void> => {
    const ended = await lab.provision(...roll, '--timeout', '1s');
    t.is(ended.status, 2, ended.stdout);
    t.regex(ended.stderr, why);
    t.notRegex(ended.stdout, /out of service/);
  };
  await lab.sh(second, 'systemctl stop etcd');
  try {
    await refused(new RegExp(`without ${first} only 1 of 3 members of etcd would be up.*\n.*${second}: `));
  } finally {
    await lab.sh(second, 'systemctl start etcd');
  }
  // While this session has its lock nothing is applied there, and from the next write on the lag grows.
  await lab.sh(
    second,
    `systemd-run --collect --unit lock-tables $(command -v mariadb || command -v mysql) -e 'flush tables with read lock; do sleep(300)'`,
  );
  try {
    await request(lab, `http://${vip}/messages`, '-d', 'author=test&body=what-is-not-applied');
    const behind = new RegExp(`db\\d on ${second} is \\d+ s behind, and may be 10 s`);
    await waitFor(
      'the replica is behind',
      async () => behind.test((await lab.provision(...roll, '--dry-run')).stdout),
      LIMIT_MS,
    );
    await refused(behind);
    const waiting = startProvision([...roll, '--json', '-i', lab.inventory]);
    await waitFor('the roll waits', async () => phases(waiting.stdout(), 'check', 'waiting').length > 0);
    await lab.sh(second, 'systemctl stop lock-tables');
    const { status, stderr } = await waiting.ended;
    t.is(status, 0, stderr);
  } finally {
    await lab.exec(second, 'systemctl', 'stop', 'lock-tables');
  }
  await allAreBack(t, lab);
}

async function begun(
  lab: TestLab,
  hosts: string,
  ...options: readonly string[]
): Promise<{ readonly roll: RunningProgram; readonly host: string }> {
  await Promise.all(['web1', 'web2', 'web3'].map(async (one) => await lab.sh(one, `rm -f ${FILE}`)));
  const roll = startProvision([
    'roll',
    WORK,
    '--hosts',
    hosts,
    '--yes',
    '--json',
    '-i',
    lab.inventory,
    ...options,
  ]);
  const host = await waitFor(
    'a host is worked on',
    async () => phases(roll.stdout(), 'work', 'running')[0],
    LIMIT_MS,
  );
  return { roll, host };
}

async function goOn(lab: TestLab): Promise<void> {
  await Promise.all(['web1', 'web2', 'web3'].map(async (one) => await lab.sh(one, `touch ${FILE}`)));
}

/** The hosts of the events of a phase, in their order. */
function phases(output: string, phase: string, status: string): readonly string[] {
  // The last line may be cut off.
  return jsonLines(output.slice(0, output.lastIndexOf('\n') + 1)).flatMap((line) =>
    line.type === 'phase' && line.status === status && 'phase' in line && line.phase === phase
      ? [line.host ?? '']
      : [],
  );
}

/** The host that may be written; empty: none, or several. */
async function primaryOf(lab: TestLab): Promise<string> {
  const answers = await Promise.all(
    ['web1', 'web2', 'web3'].map(async (host) => {
      const said = await lab.exec(
        host,
        'sh',
        '-c',
        `$(command -v mariadb || command -v mysql) -NBe 'select @@read_only'`,
      );
      return said.status === 0 && said.stdout.trim() === '0' ? [host] : [];
    }),
  );
  const writable = answers.flat();
  return writable.length === 1 ? (writable[0] ?? '') : '';
}

async function allAreBack(t: ExecutionContext, lab: TestLab): Promise<void> {
  t.regex(must(await lab.provision('drain', '--status'), 'status').stdout, /all servers are in service/);
}
