// What testssl.sh, ssh-audit and Lynis say of a lab's hosts: npm run judges -- --help
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { down, up } from '../src/lab/lab.ts';
import { UserError } from '../src/lib/errors.ts';
import { run } from '../src/lib/process.ts';
import { buildBundles, ensureNode, ROOT, runCommand } from './common.ts';
import {
  answeredIn,
  complaints,
  readLynis,
  readSshAudit,
  readTestssl,
  type Verdicts,
} from './judges/read.ts';
import { scriptCommand } from './options.ts';

ensureNode();

const PAGE = 'docs/hardening.md';
const NAME = 'www.foobar.com';
const PROVISION = [process.execPath, join(ROOT, 'src/bin/provision.ts')];
/** The spare host looks at TLS, and a balancer at SSH, for servers let in nobody else. */
const [SPARE, INSIDE] = ['mon1', 'lb1'] as const;

interface Options {
  readonly name: string;
  readonly provisioned?: true;
  readonly keep?: true;
}

const command = scriptCommand(
  'judges',
  `Make a site on a lab's hosts, and let testssl.sh, ssh-audit and Lynis look at it. It fails below A+, at any warning of
ssh-audit, and at what Lynis finds and ${PAGE} does not answer.`,
  [
    ['npm run judges', 'about fifteen minutes'],
    [
      'npm run judges -- --name lab --provisioned',
      'a site that is there, with a certificate of the lab’s authority',
    ],
  ],
)
  .option('--name <lab>', 'the lab', 'judges')
  .option('--provisioned', 'the lab is there, with the site on it; it is kept')
  .option('--keep', 'leave the lab there')
  .parse();

try {
  await main(command.opts<Options>());
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = error.exitCode;
}

async function main({ name, provisioned, keep }: Options): Promise<void> {
  if (!provisioned) await site(name);
  try {
    const verdicts = await judge(name);
    show(verdicts);
    const wrong = complaints(verdicts, answeredIn(readFileSync(join(ROOT, PAGE), 'utf8')));
    for (const one of wrong) process.stdout.write(`not good enough: ${one}\n`);
    if (wrong.length > 0) process.exitCode = 1;
  } finally {
    if (!provisioned && !keep) await down({ name, report: () => {} });
  }
}

/** A site with what it has in production: a certificate of an authority, and HSTS. */
async function site(name: string): Promise<void> {
  const broken = await buildBundles();
  if (broken.length > 0) throw new UserError(`${broken.join(' and ')} failed`);
  await up({ name, report: (step) => process.stderr.write(`lab: ${step}\n`) });
  const hosts = await hostsOf(name);
  const file = join(tmpdir(), `understudy-judges-${process.pid}.json`);
  const variables = {
    tls_certificates: 'acme',
    tls_names: [NAME],
    tls_acme_email: 'ops@foobar.com',
    tls_acme_directory: `https://${hosts.get(SPARE) ?? ''}:14000/dir`,
    tls_acme_authority: '{{ inventory_dir }}/secrets/acme-test-authority/ca.pem',
    tls_hsts_seconds: 63_072_000,
  };
  writeFileSync(file, JSON.stringify(variables));
  const argv = [...PROVISION, 'up', '--yes', '-i', join(ROOT, 'inventory', name), '-e', `@${file}`];
  const status = await runCommand(argv);
  rmSync(file);
  if (status !== 0) throw new UserError(`provision up ended with ${status}`);
}

async function judge(name: string): Promise<Verdicts> {
  const hosts = await hostsOf(name);
  const site = [...hosts.keys()].filter((host) => host !== SPARE);
  const inside = hosts.get(INSIDE) ?? '';
  const install = (packages: string): string =>
    `DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages} > /dev/null`;
  // Before anything else is installed there.
  const lynis = await Promise.all(
    site.map(async (host) => {
      const script = `${install('lynis')}; lynis audit system --quick --quiet --no-colors > /dev/null; cat /var/log/lynis-report.dat`;
      return [host, readLynis(await onHost(name, host, script))] as const;
    }),
  );
  const look = (host: string): string => `ssh-audit -n -l warn ${hosts.get(host) ?? ''} || [ $? -ne 1 ]`;
  await onHost(name, INSIDE, install('ssh-audit'));
  const ssh: (readonly [string, readonly string[]])[] = [];
  for (const host of site) ssh.push([host, readSshAudit(await onHost(name, INSIDE, look(host)))]);
  const tls = await onHost(
    name,
    SPARE,
    `${install('testssl.sh curl')}; cd /root; rm -f tls.json; curl -sk https://127.0.0.1:15000/roots/0 > root.pem
testssl --quiet --color 0 --warnings off --add-ca root.pem --ip ${inside} --jsonfile tls.json https://${NAME} > /dev/null < /dev/null || :
cat tls.json`,
  );
  return { tls: readTestssl(tls), ssh: new Map(ssh), lynis: new Map(lynis) };
}

/** The hosts and their addresses on the back network. */
async function hostsOf(name: string): Promise<ReadonlyMap<string, string>> {
  const shown = await run([...PROVISION, 'inventory', '--json', '-i', join(ROOT, 'inventory', name)]);
  if (shown.status !== 0) throw new UserError(shown.stderr.trim());
  const { hosts } = JSON.parse(shown.stdout) as { hosts: Record<string, { back_address: string }> };
  return new Map(Object.entries(hosts).map(([host, { back_address }]) => [host, back_address]));
}

async function onHost(name: string, host: string, script: string): Promise<string> {
  const argv = [...PROVISION, 'lab', 'exec', '--name', name, host, '--', 'bash', '-c', script];
  const { status, stdout, stderr } = await run(argv, { timeoutMs: 1_800_000 });
  if (status !== 0) throw new UserError(`${host}: ${stderr.trim() || `status ${status}`}`);
  return stdout;
}

function show({ tls, ssh, lynis }: Verdicts): void {
  const lines = [
    `testssl.sh: ${tls.grade ?? 'no grade'}, score ${tls.score ?? '?'}`,
    ...tls.findings.map((finding) => `  ${finding}`),
    ...[...ssh].flatMap(([host, warnings]) => [
      `ssh-audit of ${host}: ${warnings.length === 0 ? 'no warning' : ''}`.trimEnd(),
      ...warnings.map((warning) => `  ${warning}`),
    ]),
    ...[...lynis].flatMap(([host, { index, findings }]) => [
      `Lynis of ${host}: ${index} of 100`,
      ...findings.map(({ id, isWarning, message }) => `  ${isWarning ? 'warning: ' : ''}${id} ${message}`),
    ]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
