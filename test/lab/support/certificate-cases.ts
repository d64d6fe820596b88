import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';

import test, { type ExecutionContext } from 'ava';

import {
  type CertificatesShown,
  certificatesSchema,
} from '../../../src/commands/provision/certificates-json.ts';
import { run } from '../../../src/lib/process.ts';
import { scanArguments } from './argument-scan.ts';
import { type Ended, jsonLines, total, waitFor } from './cli.ts';
import { exposed } from './exposed.ts';
import { holderOf } from './hand-over.ts';
import { must, startAsClient, type TestLab } from './site.ts';
import type { TlsReport } from './tls-client.ts';

const BALANCERS = ['lb1', 'lb2'] as const;
const NAME = 'www.foobar.com';
/** How long a certificate is valid that the timer renews while the test waits: it does so in the second half. */
const SHORT_SECONDS = 90;
const PEBBLE = 'curl -sk https://127.0.0.1:15000';
const NAMES = 'curl -s http://127.0.0.1:8055';

/** Certificates on a site that is up, from the authority of the lab: ordered, renewed, refused. */
export function certificateCases(lab: TestLab, vipOf: () => string): void {
  const directory = mkdtempSync(join(tmpdir(), `${lab.name}-certificates-`));
  const rootFile = join(directory, 'root.pem');
  const binding = randomBytes(32).toString('base64url');
  let variables: readonly string[] = [];
  let addresses: ReadonlyMap<string, string> = new Map();
  let backAddresses: ReadonlyMap<string, string> = new Map();

  const certificates = async (...args: readonly string[]): Promise<Ended> =>
    await lab.provision('certificates', ...args, ...variables);
  const shown = async (): Promise<CertificatesShown['balancers']> =>
    certificatesSchema.parse(JSON.parse((await certificates('--json')).stdout)).balancers;
  const served = async (balancer: string): Promise<string> =>
    await serialAt(addresses.get(balancer) ?? '', readFileSync(rootFile));
  const serials = async (): Promise<readonly string[]> => await Promise.all(BALANCERS.map(served));

  /** Begins new connections all the time, and none of them fails while the work goes on. */
  const underLoad = async (t: ExecutionContext, work: () => Promise<void>): Promise<TlsReport> => {
    const stopFile = join(directory, `stop-${randomBytes(4).toString('hex')}`);
    const program = join(import.meta.dirname, 'tls-client.ts');
    const client = startAsClient(lab, program, vipOf(), NAME, rootFile, stopFile);
    try {
      await work();
    } finally {
      writeFileSync(stopFile, '');
    }
    const report = JSON.parse(must(await client.ended, 'the load').stdout) as TlsReport;
    t.log(`${report.answered} new connections, certificates ${report.serials.join(', ')}`);
    t.deepEqual(report.failures, []);
    t.true(report.answered > 20);
    return report;
  };

  test.after.always(() => rmSync(directory, { recursive: true, force: true }));

  test.serial(
    'one run orders a certificate on each balancer, and its secrets are seen nowhere',
    async (t) => {
      const { hosts } = JSON.parse(must(await lab.provision('inventory', '--json'), 'inventory').stdout) as {
        readonly hosts: Readonly<
          Record<string, { readonly back_address: string; readonly front_address: string }>
        >;
      };
      addresses = new Map(BALANCERS.map((name) => [name, hosts[name]?.front_address ?? '']));
      backAddresses = new Map(BALANCERS.map((name) => [name, hosts[name]?.back_address ?? '']));
      const file = join(directory, 'variables.json');
      const wanted = {
        tls_certificates: 'acme',
        tls_names: [NAME],
        tls_acme_email: 'ops@foobar.com',
        tls_acme_directory: `https://${hosts['mon1']?.back_address ?? ''}:14000/dir`,
        tls_acme_authority: '{{ inventory_dir }}/secrets/acme-test-authority/ca.pem',
        tls_acme_eab_kid: 'lab',
        tls_acme_eab_hmac: binding,
        acme_test_external_accounts: { lab: binding },
        // Of an authority that is busy: every third answer is one to try again.
        acme_test_bad_nonces: 30,
        tls_hsts_seconds: 300,
        haproxy_http3: true,
      };
      writeFileSync(file, JSON.stringify(wanted), { mode: 0o600 });
      variables = ['-e', `@${file}`];
      const tickets = readFileSync(join(lab.inventory, 'secrets/tls_ticket_secret'), 'utf8').trim();
      const scan = scanArguments([binding, tickets]);
      const up = await lab.provision('up', '--diff', '-vv', ...variables);
      const { looks, found } = await scan.stop();
      t.is(up.status, 0, up.stdout.slice(-4000) + up.stderr.slice(-2000));
      const [, key = ''] = readFileSync(join(lab.inventory, 'secrets/acme-account.key'), 'utf8').split('\n');
      t.true(looks > 20);
      t.deepEqual(found, []);
      const secrets = [binding, tickets, key];
      for (const secret of secrets) t.false((up.stdout + up.stderr).includes(secret));
      for (const balancer of BALANCERS) t.is(await exposed(lab, balancer, secrets), '');
      writeFileSync(rootFile, await lab.sh('mon1', `${PEBBLE}/roots/0`));
      t.is(new Set(await serials()).size, 2, 'each balancer has its own');
      t.deepEqual(
        (await shown()).map(({ name, source, names, daysLeft, problems }) => [
          name,
          source,
          names,
          daysLeft,
          problems,
        ]),
        BALANCERS.map((name) => [name, 'acme', [NAME], 89, []]),
      );
      const plain = await lab.exec('client', 'curl', '-sI', `http://${vipOf()}/a?b=c`);
      t.regex(plain.stdout, new RegExp(`^HTTP/1.1 308 [^]*^location: https://${vipOf()}/a\\?b=c\r$`, 'm'));
      const secure = await lab.exec(
        'client',
        'sh',
        '-c',
        `curl -sI --cacert ${rootFile} --resolve ${NAME}:443:${vipOf()} https://${NAME}/ready`,
      );
      t.regex(
        secure.stdout,
        /^HTTP\/2 200 [^]*^alt-svc: h3=":443"; ma=3600\r$[^]*^strict-transport-security: max-age=300\r$/m,
      );
    },
  );

  test.serial('a session of one balancer is resumed by the other', async (t) => {
    const ca = readFileSync(rootFile);
    const [first = '', second = ''] = [...addresses.values()];
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { session } = await sessionAt(first, ca, version);
      t.true((await sessionAt(second, ca, version, session)).isResumed, version);
    }
  });

  test.serial('renewals under load fail no connection, also while the other balancer is down', async (t) => {
    const before = await serials();
    const { serials: seen } = await underLoad(t, async () => {
      for (const balancer of BALANCERS) must(await certificates('renew', balancer, '--force'), balancer);
    });
    t.is(seen.length, 2, 'the one before, and the next one');
    for (const [index, serial] of (await serials()).entries()) t.not(serial, before[index]);
    const other = await served('lb2');
    await lab.lab('kill', 'lb1');
    // The network of the authority leads to the balancer that is left, as its front network does by itself.
    const ways = await lab.sh('mon1', `ip route show ${vipOf()} | tr '\\n' ' '`);
    await lab.sh('mon1', `ip route replace ${vipOf()} via ${backAddresses.get('lb2') ?? ''}`);
    must(await certificates('renew', 'lb2', '--force'), 'lb2 alone');
    t.not(await served('lb2'), other);
    await lab.lab('start', 'lb1');
    await lab.sh('mon1', `ip route replace ${ways}`);
    await waitFor('lb1 serves again', async () => (await served('lb1')) !== '');
  });

  test.serial('an authority that refuses changes nothing, and is reported', async (t) => {
    const before = await served('lb1');
    // Its names lead nowhere, so that it finds no answer to its challenges.
    await lab.sh('mon1', `${NAMES}/set-default-ipv4 -d '{"ip":"127.0.0.9"}'`);
    // A name that it has not seen yet: what it has validated it need not ask again.
    const more = ['-e', `{"tls_names": ["${NAME}", "more.foobar.com"]}`];
    const up = await lab.provision('up', '--tags', 'certificates', ...variables, ...more);
    t.is(up.status, 2);
    t.regex(up.stdout, /Order the certificate[^]*failed: \[lb1\][^]*more\.foobar\.com/);
    t.is(await served('lb1'), before);
    const [lb1] = await shown();
    t.like(lb1, { served: true, names: [NAME] });
    t.regex(lb1?.problems?.join('\n') ?? '', /^the last attempt failed: [^]*more\.foobar\.com/);
    t.is((await certificates()).status, 3);
    await lab.sh('mon1', `${NAMES}/set-default-ipv4 -d '{"ip":"${vipOf()}"}'`);
    const renewed = must(await certificates('renew'), 'renew');
    t.regex(renewed.stdout, /^lb1 and lb2 have a new certificate$/m);
    for (const { names, problems } of await shown()) {
      t.deepEqual(names, [NAME, 'more.foobar.com']);
      t.deepEqual(problems, []);
    }
  });

  test.serial('a reload, a restart and a run keep the certificate', async (t) => {
    const more = ['-e', `{"tls_names": ["${NAME}", "more.foobar.com"]}`];
    const before = await serials();
    await lab.sh('lb1', 'systemctl reload haproxy');
    await lab.sh('lb2', 'systemctl restart haproxy');
    t.deepEqual(await serials(), before);
    const up = await lab.provision('up', '--json', ...variables, ...more);
    t.is(up.status, 0, up.stdout.slice(-2000) + up.stderr);
    const changed = jsonLines(up.stdout).filter(
      (line) => line.type === 'result' && line.status === 'changed',
    );
    t.deepEqual(
      changed.map((line) => `${line.host}: ${line.task}`),
      [],
    );
    t.deepEqual(await serials(), before);
  });

  test.serial('an address that moves in the middle of a challenge stops no order', async (t) => {
    const vip = vipOf();
    const before = await served('lb1');
    const ways = await lab.sh('mon1', `ip route show ${vip} | tr '\\n' ' '`);
    const held = `INPUT -p tcp -s ${vip} --sport 80 -j DROP`;
    const leaves = async (from: string, to: string): Promise<void> => {
      await lab.sh(from, 'vip-handover yield');
      await waitFor(`${to} has the address`, async () => (await holderOf(lab, vip)) === to);
    };
    try {
      await leaves('lb2', 'lb1');
      await lab.sh('lb2', 'vip-handover stay');
      // The authority asks lb1, and does not hear what it answers …
      await lab.sh(
        'mon1',
        `iptables -I ${held}; ip route replace ${vip} via ${backAddresses.get('lb1') ?? ''}`,
      );
      const renewing = certificates('renew', 'lb1', '--force');
      const unheard = `iptables -nvxL INPUT 1 | awk '{ print $1 }'`;
      await waitFor('the authority asks', async () => Number(await lab.sh('mon1', unheard)) > 0);
      // … until it hears the other balancer, which has the address by then, and has not ordered anything.
      await Promise.all([
        leaves('lb1', 'lb2'),
        lab.sh('mon1', `ip route replace ${vip} via ${backAddresses.get('lb2') ?? ''}; iptables -D ${held}`),
      ]);
      must(await renewing, 'renew');
    } finally {
      await lab.sh('mon1', `iptables -D ${held} 2> /dev/null || :; ip route replace ${ways}`);
      await lab.sh('lb1', 'vip-handover stay');
    }
    t.not(await served('lb1'), before);
    t.is(await holderOf(lab, vip), 'lb2');
  });

  test.serial('short certificates are renewed by the timer, and no connection fails', async (t) => {
    const short = {
      acme_test_validity: SHORT_SECONDS,
      tls_renewal_calendar: '*:*:0/10',
      tls_renewal_spread: '0s',
    };
    const options = [...variables, '-e', JSON.stringify(short)];
    must(await lab.provision('up', '--tags', 'certificates', ...options), 'up');
    // The authority has begun anew: it knows no account, and has another root.
    must(await lab.provision('certificates', 'renew', '--force', ...options), 'renew');
    writeFileSync(rootFile, await lab.sh('mon1', `${PEBBLE}/roots/0`));
    const before = await serials();
    const { serials: seen } = await underLoad(t, async () => {
      await waitFor(
        'the timer has renewed both',
        async () => (await serials()).every((serial, index) => serial !== before[index]),
        SHORT_SECONDS * 1000,
      );
    });
    t.true(seen.length > 1);
    t.like((await shown())[0], { served: true });
  });

  test.serial('the key of another certificate is refused before anything is changed', async (t) => {
    const make = `for name in own other; do
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=${NAME} \\
        -addext subjectAltName=DNS:${NAME} -keyout $name.key -out $name.pem
    done`;
    t.is((await run(['sh', '-euc', make], { cwd: directory })).status, 0);
    const own = { tls_certificates: 'files', tls_certificate_file: join(directory, 'own.pem') };
    const files = (key: string): readonly string[] => [
      ...variables,
      '-e',
      JSON.stringify({ ...own, tls_key_file: join(directory, key) }),
    ];
    const refused = await lab.provision('up', '--json', ...files('other.key'));
    t.is(refused.status, 2);
    t.regex(
      refused.stdout,
      /the key in [^ ]+other\.key is not that of the first certificate in [^ ]+own\.pem/,
    );
    t.is(total(jsonLines(refused.stdout), 'changed'), 0);
    must(await lab.provision('up', '--tags', 'haproxy,certificates', ...files('own.key')), 'up with files');
    writeFileSync(rootFile, readFileSync(join(directory, 'own.pem')));
    t.is(new Set(await serials()).size, 1, 'both balancers have the same one');
    t.like((await shown())[0], { source: 'files', names: [NAME], served: true });
  });
}

/** The serial of the certificate that is served there, checked with this root. */
async function serialAt(address: string, ca: Buffer): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: address, port: 443, servername: NAME, ca, timeout: 5000 }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.end();
    });
    socket.on('timeout', () => socket.destroy(new Error('no answer')));
    socket.on('error', reject);
  });
}

/** A session of that version of TLS, new or resumed; the ticket of 1.3 comes with the first answer. */
async function sessionAt(
  address: string,
  ca: Buffer,
  version: 'TLSv1.2' | 'TLSv1.3',
  session?: Buffer,
): Promise<{ readonly session: Buffer; readonly isResumed: boolean }> {
  return await new Promise((resolve, reject) => {
    const options = {
      host: address,
      port: 443,
      servername: NAME,
      ca,
      minVersion: version,
      maxVersion: version,
    } as const;
    let isResumed = false;
    const socket = connect({ ...options, ...(session && { session }) }, () => {
      isResumed = socket.isSessionReused();
      socket.write(`GET /health HTTP/1.1\r\nhost: ${NAME}\r\nconnection: close\r\n\r\n`);
    });
    let ticket: Buffer | undefined;
    socket.on('session', (given: Buffer) => (ticket = given));
    socket.on('error', reject);
    socket.on('close', () => {
      const last = ticket ?? session;
      if (last === undefined) reject(new Error(`${address} gave no session`));
      else resolve({ session: last, isResumed });
    });
    socket.resume();
  });
}
