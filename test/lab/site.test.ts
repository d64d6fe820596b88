import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { certificateCases } from './support/certificate-cases.ts';
import { jsonLines, startProvision, total, waitFor } from './support/cli.ts';
import { hasIpv6 } from './support/dual-stack.ts';
import { filterCases } from './support/filter-cases.ts';
import { holderOf } from './support/hand-over.ts';
import { limitsOneClient } from './support/limits.ts';
import { releaseCases } from './support/release-cases.ts';
import { isRefusedByName, primaryDies, serverDies } from './support/roll-events.ts';
import { rebootsInTurn } from './support/roll.ts';
import { sessionStoreCases } from './support/session-store-cases.ts';
import { must, request, siteIsUp, testLab, vipOf } from './support/site.ts';
import { upgradesInTurn } from './support/upgrade-in-turn.ts';

// Single tests may run on a lab that is provisioned already: UNDERSTUDY_TEST_LAB=NAME.
const given = process.env['UNDERSTUDY_TEST_LAB'];
const lab = testLab(given ?? 'test-site');
const SERVERS = ['web1', 'web2', 'web3'];
const HOSTS = ['lb1', 'lb2', ...SERVERS];

let vip = '';

/** Everything that provisioning could touch on a host, as text that can be compared. */
async function stateOf(host: string): Promise<string> {
  return await lab.sh(
    host,
    `dpkg-query -W; find /etc /usr /opt /srv /var/lib -xdev -type f ! -path '*/var/lib/systemd/*' -printf '%p %s %m %u %T@\\n' | sort; systemctl list-units --state=active --plain --no-legend --type=service | cut -d' ' -f1 | grep -v -e '^user' -e '^session' -e '^systemd-'`,
  );
}

/** The instance that may be written, by asking every server. */
async function primaries(): Promise<readonly string[]> {
  const answers = await Promise.all(
    SERVERS.map(
      async (server) =>
        [
          server,
          await lab.sh(server, `$(command -v mariadb || command -v mysql) -NBe 'select @@read_only'`),
        ] as const,
    ),
  );
  return answers.filter(([, readOnly]) => readOnly === '0').map(([server]) => server);
}

test.before('six bare hosts', async () => {
  if (given === undefined) {
    await lab.lab('up');
    await lab.lab('reset');
  }
  vip = await vipOf(lab);
});

test.after.always('nothing is left', async () => {
  if (given === undefined && process.env['KEEP_LAB'] === undefined) await lab.lab('down', '--yes');
});

test.serial('the hosts are bare: no Python, none of the packages of the stack', async (t) => {
  for (const host of HOSTS) {
    t.is(
      (
        await lab.exec(
          host,
          'sh',
          '-c',
          'command -v python3 haproxy nginx mysqld mariadbd ufw keepalived node',
        )
      ).stdout,
      '',
      host,
    );
  }
});

test.serial('doctor finds nothing in the way', async (t) => {
  const doctor = await lab.provision('doctor');
  t.is(doctor.status, 0, doctor.stdout + doctor.stderr);
  for (const host of HOSTS) t.regex(doctor.stdout, new RegExp(`^${host}: `, 'm'));
});

test.serial('check on bare hosts shows what would be done, and touches nothing', async (t) => {
  const before = await Promise.all(HOSTS.map(stateOf));
  const check = await lab.provision('check', '--json');
  t.is(check.status, 3, check.stdout.slice(-3000) + check.stderr.slice(-3000));
  t.true(total(jsonLines(check.stdout), 'changed') >= HOSTS.length);
  t.is(total(jsonLines(check.stdout), 'failed'), 0);
  t.deepEqual(await Promise.all(HOSTS.map(stateOf)), before);
});

/** A run that is refused in its first play, and changes nothing. */
async function isRefused(t: ExecutionContext, why: RegExp, ...variables: readonly string[]): Promise<void> {
  const up = await lab.provision('up', '--json', ...variables.flatMap((each) => ['-e', each]));
  t.is(up.status, 2, up.stdout.slice(-3000) + up.stderr.slice(-2000));
  t.regex(up.stdout, why);
  t.is(total(jsonLines(up.stdout), 'changed'), 0);
}

test.serial('a database that the distribution has not is refused before anything is changed', async (t) => {
  const before = await Promise.all(HOSTS.map(stateOf));
  await isRefused(
    t,
    /Debian has no MySQL of its own/,
    'mysql_package_source=distribution',
    'mysql_flavour=mysql',
  );
  await isRefused(t, /needs mysql_upstream_key/, 'mysql_package_source=upstream');
  t.deepEqual(await Promise.all(HOSTS.map(stateOf)), before);
});

test.serial('up makes a working site of bare hosts', async (t) => {
  const up = await lab.provision('up');
  t.is(up.status, 0, up.stdout.slice(-4000) + up.stderr.slice(-4000));
  await siteIsUp(lab, vip);
});

test.serial('a second run changes nothing, and check agrees', async (t) => {
  const again = await lab.provision('up', '--json');
  t.is(again.status, 0, again.stderr);
  const changed = jsonLines(again.stdout).filter(
    (line) => line.type === 'result' && line.status === 'changed',
  );
  t.deepEqual(
    changed.map((line) => `${line.host}: ${line.task}`),
    [],
  );
  t.is((await lab.provision('check')).status, 0);
});

test.serial('requests through the virtual address are spread over three servers', async (t) => {
  const seen = new Set<string>();
  for (let count = 0; count < 12; count++) {
    const answer = await request(lab, `http://${vip}/api/whoami`);
    t.is(answer.status, 200);
    seen.add((JSON.parse(answer.body) as { server: string }).server);
  }
  t.deepEqual([...seen].sort(), SERVERS);
  t.is((await request(lab, `https://${vip}/`)).status, 200);
});

test.serial('a write lands on the primary and is read on each replica', async (t) => {
  const primary = await primaries();
  t.deepEqual(primary, ['web1']);
  const body = `written at ${Date.now()}`;
  const posted = await request(
    lab,
    `http://${vip}/api/messages`,
    '-X',
    'POST',
    '-H',
    'content-type: application/json',
    '-d',
    JSON.stringify({ author: 'test', body }),
  );
  t.true(posted.status === 201 || posted.status === 200, posted.body);
  for (const server of SERVERS) {
    await waitFor(`${server} has the message`, async () => {
      const count = await lab.sh(
        server,
        `$(command -v mariadb || command -v mysql) -NBe "select count(*) from app.messages where body = '${body}'"`,
      );
      return count === '1';
    });
  }
});

test.serial('from outside only 80 and 443 of the balancers answer, and nothing of the servers', async (t) => {
  const inventory = must(await lab.provision('inventory', '--json'), 'inventory').stdout;
  const { hosts } = JSON.parse(inventory) as {
    hosts: Record<string, { front_address?: string; back_address: string }>;
  };
  const open = async (address: string, ports: readonly number[]): Promise<number[]> => {
    const script = ports
      .map((port) => `timeout 1 bash -c '</dev/tcp/${address}/${port}' 2>/dev/null && echo ${port}`)
      .join('; ');
    return (await lab.exec('client', 'sh', '-c', script)).stdout.split('\n').filter(Boolean).map(Number);
  };
  const ports = [22, 80, 443, 3000, 3306, 3307, 4444, 8404, 9201, 9999, 33060];
  for (const host of ['lb1', 'lb2'])
    t.deepEqual(await open(hosts[host]?.front_address ?? '', ports), [80, 443], host);
  t.deepEqual(await open(vip, ports), [80, 443]);
  for (const host of SERVERS)
    t.deepEqual(await open(hosts[host]?.back_address ?? '', [22, 80, 3306]), [], host);
});

test.serial('drift made by hand is reported with a diff, and repaired', async (t) => {
  await lab.sh(
    'web1',
    `f=$(ls /etc/nginx/conf.d/*.conf /etc/nginx/sites-enabled/* 2>/dev/null | head -n 1); echo '# by hand' >> "$(readlink -f "$f")"`,
  );
  await lab.sh('web2', 'systemctl stop nginx');
  await lab.sh('web3', 'ufw allow 8080/tcp');
  await lab.sh(
    'lb2',
    'export DEBIAN_FRONTEND=noninteractive; apt-get -q -y remove socat || apt-get -q -y remove chrony',
  );
  const check = await lab.provision('check', '--json');
  t.is(check.status, 3);
  const changed = jsonLines(check.stdout).filter(
    (line) => line.type === 'result' && line.status === 'changed',
  );
  t.deepEqual([...new Set(changed.map((line) => line.host))].sort(), ['lb2', 'web1', 'web2', 'web3']);
  const diffs = changed.flatMap((line) => line.diff ?? []);
  t.true(diffs.some((diff) => diff.before.includes('# by hand') && !diff.after.includes('# by hand')));
  t.true(diffs.some((diff) => diff.before.includes('8080') && !diff.after.includes('8080')));
  t.is((await lab.provision('up')).status, 0);
  t.is((await lab.provision('check')).status, 0);
  t.notRegex(await lab.sh('web3', 'ufw status'), /8080/);
});

test.serial(
  'a client above a limit is refused by every balancer, others are not, and it can be let go',
  async (t) => {
    await limitsOneClient(t, lab, vip);
  },
);

test.serial('the site has an address of IPv6 when the inventory wants one', async (t) => {
  await hasIpv6(t, lab, vip);
});

/** What a balancer says of web2's state for requests. */
const webState = async (balancer: string): Promise<string> =>
  await lab.sh(
    balancer,
    "echo 'show stat' | socat stdio /run/haproxy/admin.sock | grep '^web,web2,' | cut -d, -f18",
  );

test.serial('ports that change move on all hosts, and a drained server stays drained', async (t) => {
  const balancers = ['lb1', 'lb2'];
  const drained = async (after: string): Promise<void> => {
    for (const balancer of balancers) t.is(await webState(balancer), 'DRAIN', `${balancer} after ${after}`);
  };
  const say = async (line: string): Promise<void> => {
    for (const balancer of balancers)
      await lab.sh(balancer, `echo '${line}' | socat stdio /run/haproxy/admin.sock`);
  };
  await say('set server web/web2 state drain');
  const ports = ['nginx_port=8081', 'app_port=3001', 'role_check_port=9301', 'mysql_writer_port=3316'];
  const extra = ports.flatMap((port) => ['-e', port]);
  const up = await lab.provision('up', ...extra);
  t.is(up.status, 0, up.stdout.slice(-4000) + up.stderr.slice(-2000));
  t.is((await request(lab, `http://${vip}/ready`)).status, 200);
  t.is((await lab.provision('check', ...extra)).status, 0);
  await drained('up');
  for (const verb of ['reload', 'restart']) {
    for (const balancer of balancers) await lab.sh(balancer, `systemctl ${verb} haproxy`);
    await drained(verb);
  }
  await siteIsUp(lab, vip);
  await say('set server web/web2 state ready');
  t.is((await lab.provision('up')).status, 0);
  t.is((await request(lab, `http://${vip}/ready`)).status, 200);
  t.is((await lab.provision('check')).status, 0);
});

test.serial(
  'a server leaves and comes back under load without a failed request, whatever HAProxy goes through',
  async (t) => {
    await siteIsUp(lab, vip);
    // Of ten requests each on a connection that is kept open, and of one on each; none is asked again when it fails.
    const stop = join(tmpdir(), `${lab.name}-stop-${process.pid}`);
    const clients = ['[1-10]', '1'].map((range) =>
      startProvision([
        'lab',
        'exec',
        '--name',
        lab.name,
        'client',
        '--',
        'sh',
        '-c',
        `while [ ! -e ${stop} ]; do curl -sS --max-time 60 -o /dev/null -w '%{http_code}\\n' 'http://${vip}/api/whoami?${range}'; sleep 0.02; done`,
      ]),
    );
    t.teardown(async () => {
      writeFileSync(stop, '');
      await Promise.all(clients.map(({ ended }) => ended));
      rmSync(stop);
    });
    const servedBy = async (): Promise<readonly string[]> => {
      const names = new Set<string>();
      for (let n = 0; n < 12; n++) {
        const { body } = await request(lab, `http://${vip}/api/whoami`);
        names.add((JSON.parse(body) as { server: string }).server);
      }
      return [...names].sort();
    };
    const refused = await lab.provision('drain', 'web1');
    t.is(refused.status, 2, 'it carries the primary');
    t.regex(refused.stderr, /--switchover/);
    must(await lab.provision('drain', 'web2', '--reason', 'new disk'), 'drain');
    t.deepEqual(await servedBy(), ['web1', 'web3']);
    must(await lab.provision('drain', 'db3', '--reason', 'kernel'), 'drain');
    t.is(
      (await lab.provision('drain', 'web1', '--switchover', '--yes')).status,
      2,
      'it would be the last one',
    );
    must(await lab.provision('undrain', 'web3'), 'undrain');
    const shown = must(await lab.provision('drain', '--status'), 'status').stdout;
    t.regex(shown, /^web2: out since .* by .*: new disk$/m);
    t.notRegex(shown, /web3/);
    for (const verb of [
      'systemctl reload haproxy',
      'systemctl restart haproxy',
      'kill -9 $(pidof haproxy)',
    ]) {
      // The one without the address: what is open through the other one would break.
      const idle = (await holderOf(lab, vip)) === 'lb1' ? 'lb2' : 'lb1';
      await lab.sh(idle, verb);
      await waitFor(`HAProxy serves after ${verb}`, async () => (await webState(idle)) === 'DRAIN');
    }
    must(await lab.provision('undrain', 'web2'), 'undrain');
    t.deepEqual(await servedBy(), SERVERS);
    writeFileSync(stop, '');
    for (const client of clients) {
      const { stdout, stderr } = await client.ended;
      const codes = stdout.trimEnd().split('\n');
      t.log(`${codes.length} requests`);
      t.true(codes.length > 50);
      t.deepEqual(
        codes.filter((code) => code !== '200'),
        [],
        stderr,
      );
    }
  },
);

test.serial(
  'every host boots again in turn, by a tool that is killed meanwhile, and no request fails',
  async (t) => {
    await rebootsInTurn(t, lab, vip);
  },
);

test.serial(
  'HAProxy and Nginx are upgraded in turn, by a tool that is killed meanwhile, and no request fails',
  async (t) => {
    await upgradesInTurn(t, lab, vip);
  },
);

test.serial('what the rest of the site cannot carry is waited for, and refused by its name', async (t) => {
  await isRefusedByName(t, lab, vip);
});

test.serial('a server dies while a roll works on it, and no request fails', async (t) => {
  await serverDies(t, lab, vip);
});

test.serial('a roll goes on after a failover in its middle, and no request fails', async (t) => {
  await primaryDies(t, lab, vip);
});

releaseCases(lab, SERVERS, () => vip);

test.serial('what a running site cannot change is said before anything is changed', async (t) => {
  await isRefused(t, /runs MySQL, and the inventory asks for mariadb/, 'mysql_flavour=mariadb');
  await isRefused(t, /a running cluster keeps its port/, 'mysql_port=3310');
  await isRefused(t, /A running store keeps its ports/, 'etcd_peer_port=2390');
});

test.serial('a run whose site does not answer fails, and says what was asked', async (t) => {
  const up = await lab.provision(
    'up',
    '--tags',
    'ssh',
    '-e',
    'answers_path=/nowhere',
    '-e',
    'answers_patience=1',
  );
  t.is(up.status, 2);
  t.regex(up.stdout, /asked http:\/\/[\d.]+(:\d+)?\/nowhere for 1 s and got 404/);
});

test.serial('killing the balancer that has the address moves it within 3 seconds', async (t) => {
  const holder = await holderOf(lab, vip);
  await siteIsUp(lab, vip);
  await lab.lab('kill', holder);
  const startedAt = performance.now();
  await waitFor(
    'the site answers again',
    async () => (await request(lab, `http://${vip}/`, '--max-time', '0.3')).status === 200,
    20_000,
  );
  const ms = performance.now() - startedAt;
  t.log(`the address answered again after ${Math.round(ms)} ms`);
  t.true(ms < 3000, `${ms} ms`);
  await lab.lab('start', holder);
});

test.serial('killing a server costs no request once its health check has failed', async (t) => {
  await lab.lab('kill', 'web3');
  // HAProxy's own word that the server is out.
  await waitFor('both balancers have taken web3 out', async () => {
    const states = await Promise.all(
      ['lb1', 'lb2'].map((balancer) =>
        lab.sh(balancer, `echo 'show stat' | socat stdio /run/haproxy/admin.sock | grep ',web3,'`),
      ),
    );
    return states.every((state) => state.split('\n').every((line) => line.includes('DOWN')));
  });
  for (let count = 0; count < 50; count++) t.is((await request(lab, `http://${vip}/`)).status, 200);
  // A run goes on without it, and does not change the others.
  const without = await lab.provision('up', '--json');
  t.is(without.status, 4);
  t.is(total(jsonLines(without.stdout), 'changed'), 0);
  t.is(total(jsonLines(without.stdout), 'failed'), 0);
  await lab.lab('start', 'web3');
  await waitFor('web3 serves again', async () =>
    (await request(lab, `http://${vip}/api/whoami`)).body.includes('web3'),
  );
});

filterCases(lab, () => vip);

sessionStoreCases(lab, () => vip);

certificateCases(lab, () => vip);

test.serial('whatever interrupts a run, the next one converges', async (t) => {
  const interruptions: readonly (readonly [string, (pid: number) => Promise<void> | void])[] = [
    ['Ctrl-C', (pid) => void process.kill(pid, 'SIGINT')],
    ['kill -9 of the tool', (pid) => void process.kill(pid, 'SIGKILL')],
    ['power loss of a host', async () => void (await lab.lab('kill', 'web2'))],
  ];
  await lab.lab('reset');
  for (const [index, [name, interrupt]] of interruptions.entries()) {
    const run = startProvision(['up', '--json', '-i', lab.inventory]);
    // Each time somewhat further on, in the middle of a step that changes something.
    const after = [3, 25, 60][index] ?? 0;
    await waitFor(
      `${after} changes`,
      async () => run.stdout().split('"status":"changed"').length > after || (await finished(run.ended)),
      300_000,
    );
    await interrupt(run.pid);
    const ended = await run.ended;
    t.log(`${name} after ${after} changes: exit status ${ended.status}`);
    if (name.startsWith('power')) await lab.lab('start', 'web2');
  }
  // What a killed tool left running on a host is let finish; the next run waits for it.
  const repaired = await lab.provision('up');
  t.is(repaired.status, 0, repaired.stdout.slice(-4000) + repaired.stderr.slice(-2000));
  await siteIsUp(lab, vip);
  t.is((await lab.provision('check')).status, 0);
});

async function finished(ended: Promise<unknown>): Promise<boolean> {
  return await Promise.race([ended.then(() => true), delay(1).then(() => false)]);
}
