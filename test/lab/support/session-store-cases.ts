import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { makeTool } from '../../../src/failover/drill/tool.ts';
import type { StatusJson } from '../../../src/failover/output/json-schema.ts';
import { scanArguments } from './argument-scan.ts';
import { jsonLines, startProvision, waitFor } from './cli.ts';
import { exposed } from './exposed.ts';
import { holderOf } from './hand-over.ts';
import type { LoginReport } from './login-client.ts';
import { must, request, startAsClient, type TestLab } from './site.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SERVERS = ['web1', 'web2', 'web3'] as const;
/** Its visitor logs in more often than people may. */
const VALKEY = ['-e', 'session_store=valkey', '-e', '{"haproxy_limit_paths": []}'] as const;
const PASSWORDS = ['app', 'replica', 'sentinel', 'manager'].map((name) => `valkey_${name}_password`);

type Store = NonNullable<StatusJson['sessions']>;

/** The store of sessions on a site that is up: made, and kept through whatever happens to its servers. */
export function sessionStoreCases(lab: TestLab, vipOf: () => string): void {
  const failover = makeTool(
    [process.execPath, `${ROOT}src/bin/failover.ts`],
    ['-i', lab.inventory, ...VALKEY],
    ROOT,
  );
  const secretOf = (name: string): string => join(lab.inventory, 'secrets', name);

  const store = async (): Promise<Store | null> =>
    (JSON.parse((await failover('status', '--json')).stdout) as StatusJson).sessions;
  /** The host that has the primary, when all members are there and nothing is wrong. */
  const settled = async (): Promise<string> =>
    await waitFor(
      'the store is whole',
      async () => {
        const found = await store();
        return found?.problems.length === 0 && found.members.every(({ connected }) => connected !== false)
          ? (found.primary ?? undefined)
          : undefined;
      },
      120_000,
    );
  const changesNothing = async (t: ExecutionContext): Promise<void> => {
    const again = must(await lab.provision('up', '--json', ...VALKEY), 'up');
    t.deepEqual(
      jsonLines(again.stdout)
        .filter((line) => line.type === 'result' && line.status === 'changed')
        .map((line) => `${line.host}: ${line.task}`),
      [],
    );
  };

  /** A visitor stays logged in, and others log in, while the work goes on. */
  const loggedIn = async (t: ExecutionContext, work: () => Promise<void>): Promise<LoginReport> => {
    const stopFile = join(tmpdir(), `${lab.name}-stop-${randomBytes(4).toString('hex')}`);
    const client = startAsClient(
      lab,
      join(import.meta.dirname, 'login-client.ts'),
      `http://${vipOf()}/`,
      'demo',
      secretOf('app_login_password'),
      stopFile,
    );
    try {
      await work();
    } finally {
      writeFileSync(stopFile, '');
      await client.ended;
      rmSync(stopFile);
    }
    const report = JSON.parse(must(await client.ended, 'the visitor').stdout) as LoginReport;
    const { failures, ...counts } = report;
    t.log(`${JSON.stringify(counts)}, ${failures.length} failures`);
    t.is(report.lost, 0, 'every login that was answered is known');
    t.true(report.logins > 5 && report.answered > 50);
    return report;
  };

  test.serial(
    'one run gives a running site a store of sessions, and its secrets are seen nowhere',
    async (t) => {
      for (const name of PASSWORDS)
        writeFileSync(secretOf(name), randomBytes(24).toString('base64url'), { mode: 0o600 });
      const secrets = [...PASSWORDS, 'app_login_password', 'app_session_key'].map((name) =>
        readFileSync(secretOf(name), 'utf8').trim(),
      );
      const scan = scanArguments(secrets);
      const up = await lab.provision('up', '--diff', '-vv', ...VALKEY);
      t.is(up.status, 0, up.stdout.slice(-4000) + up.stderr.slice(-2000));
      await changesNothing(t);
      const { looks, found } = await scan.stop();
      t.true(looks > 20);
      t.deepEqual(found, []);
      for (const secret of secrets) t.false((up.stdout + up.stderr).includes(secret));
      for (const server of SERVERS) t.is(await exposed(lab, server, secrets), '');
      t.is((await lab.provision('check', ...VALKEY)).status, 0);
    },
  );

  test.serial('the store is shown beside the database, and nobody but its servers reaches it', async (t) => {
    const primary = await settled();
    const said = await failover('status');
    t.regex(said.stdout, new RegExp(`^sessions: primary ${primary}$`, 'm'));
    t.deepEqual(
      (await store())?.members.map(({ host, role }) => `${host} ${role}`),
      SERVERS.map((host) => `${host} ${host === primary ? 'primary' : 'replica'}`),
    );
    const { hosts } = JSON.parse(must(await lab.provision('inventory', '--json'), 'inventory').stdout) as {
      readonly hosts: Readonly<Record<string, { readonly back_address: string }>>;
    };
    for (const port of [6379, 26379]) {
      const knock = `timeout 1 bash -c '</dev/tcp/${hosts[primary]?.back_address}/${port}'`;
      for (const other of ['client', 'lb1', 'mon1'])
        t.not((await lab.exec(other, 'sh', '-c', knock)).status, 0);
      const asks = (...tls: readonly string[]): string =>
        `timeout 3 valkey-cli -h ${hosts[primary]?.back_address} -p ${port} ${tls.join(' ')} ping 2>&1 || :`;
      const other = SERVERS.find((host) => host !== primary) ?? '';
      t.notRegex(await lab.sh(other, asks()), /PONG|NOAUTH/, 'without TLS');
      t.regex(await lab.sh(other, asks('--tls', '--cacert', '/etc/valkey/ca.pem')), /NOAUTH/);
    }
  });

  test.serial('a login outlives a failover of the store, which no run undoes', async (t) => {
    const before = await settled();
    const { failures } = await loggedIn(t, async () => {
      await lab.sh(before, 'session-store leave');
      await waitFor('another one is the primary', async () => (await settled()) !== before);
    });
    t.deepEqual(failures, []);
    const after = await settled();
    await changesNothing(t);
    t.is(await settled(), after);
  });

  test.serial(
    'passwords are changed by a tool that is killed meanwhile, and nobody is logged out',
    async (t) => {
      await settled();
      const files = [...PASSWORDS, 'app_login_password', 'app_session_key'];
      const read = (): readonly string[] => files.map((name) => readFileSync(secretOf(name), 'utf8').trim());
      const before = read();
      const rotate = ['rotate-secrets', '--yes', '--json', ...VALKEY];
      const { failures } = await loggedIn(t, async () => {
        const only = 'login,session_key,valkey_app,valkey_replica,valkey_sentinel,valkey_manager';
        const first = startProvision([...rotate, '--only', only, '-i', lab.inventory]);
        await waitFor(
          'the new ones are put to use',
          async () => /"do":"use"[^]*"status":"changed"/.test(first.stdout()),
          300_000,
        );
        process.kill(first.pid, 'SIGKILL');
        await first.ended;
        // The lock of a tool that died is free after some seconds.
        await waitFor('the next one goes on', async () => {
          const next = await lab.provision(...rotate);
          return /is changing servers right now/.test(next.stderr) ? false : must(next, 'rotate-secrets');
        });
        await settled();
      });
      t.deepEqual(failures, []);
      const after = read();
      for (const [index, name] of files.entries()) {
        t.not(after[index], before[index], name);
        for (const end of ['new', 'old']) t.false(existsSync(secretOf(`${name}.${end}`)), name);
      }
      const account = JSON.stringify({ user: 'demo', password: before.at(-2) });
      const old = ['-H', 'content-type: application/json', '-d', account];
      t.is((await request(lab, `http://${vipOf()}/api/login`, ...old)).status, 401);
      await changesNothing(t);
    },
  );

  test.serial('a login outlives the server that has the primary', async (t) => {
    const primary = await settled();
    const { failures } = await loggedIn(t, async () => {
      await lab.lab('kill', primary);
      await waitFor('another one is the primary', async () => {
        const now = (await store())?.primary;
        return now !== null && now !== undefined && now !== primary;
      });
      await lab.lab('start', primary);
      await settled();
    });
    // What that very server was answering is cut off, as on any site; nobody is told that he is not logged in.
    t.deepEqual(
      failures.filter((line) => /status/.test(line)),
      [],
    );
    t.log(failures);
    await waitFor('web and database are whole', async () => (await failover('status')).status === 0);
    await changesNothing(t);
  });

  test.serial('a login outlives a reboot of the primary’s server, and a move of the address', async (t) => {
    const primary = await settled();
    const holder = await holderOf(lab, vipOf());
    const { failures } = await loggedIn(t, async () => {
      must(await lab.provision('reboot', '--hosts', primary, '--yes', ...VALKEY), 'reboot');
      must(await lab.provision('handover', holder, '--yes'), 'handover');
      must(await lab.provision('handover', holder, '--stay'), 'stay');
    });
    t.deepEqual(failures, []);
    t.not(await settled(), primary);
    t.is((await request(lab, `http://${vipOf()}/api/login`)).status, 401);
  });
}
