import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../../src/lib/process.ts';
import type { FilteredRequest } from '../../../src/site/filter-log.ts';
import { total, jsonLines } from './cli.ts';
import { mustBeWhole, startLoad } from './load.ts';
import { must, request, type TestLab } from './site.ts';

const SERVERS = ['web1', 'web2', 'web3'] as const;
const UNION = "x' UNION SELECT user, password FROM mysql.user -- ";
const PLAIN = 'sha256sum /etc/nginx/sites-available/site';

type Sent = readonly [title: string, path: string, ...curl: readonly string[]];
const form = (path: string, fields: Readonly<Record<string, string>>): readonly [string, ...string[]] => [
  path,
  ...Object.entries(fields).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]),
];

const ATTACKS: readonly Sent[] = [
  ['SQL in a query', `/?q=${encodeURIComponent("' OR '1'='1")}`],
  ['SQL in a form', ...form('/messages', { author: 'Eve', body: UNION })],
  ['script in a query', `/?q=${encodeURIComponent('<script>alert(document.cookie)</script>')}`],
  ['traversal', '/?file=../../../../etc/passwd'],
  ['traversal by backslashes', '/download?file=..%5c..%5c..%5cwindows%5cwin.ini'],
  ['a scanner by its name', '/', '-A', 'sqlmap/1.8#stable (https://sqlmap.org)'],
  ['a scanner looks for settings', '/.env'],
];

/** The filter for requests on a site that is up: it writes down, refuses, spares what it is told to, and goes away again. */
export function filterCases(lab: TestLab, vipOf: () => string): void {
  const directory = mkdtempSync(join(tmpdir(), `${lab.name}-filter-`));
  let plain: readonly string[] = [];
  let from = '';

  const up = async (
    variables: Readonly<Record<string, unknown>>,
    ...more: readonly string[]
  ): Promise<void> =>
    void must(await lab.provision('up', '-e', JSON.stringify(variables), ...more), JSON.stringify(variables));
  const send = async ([, path, ...curl]: Sent): Promise<number> =>
    (await request(lab, `https://${vipOf()}${path}`, ...curl)).status;
  const statuses = async (): Promise<readonly string[]> => {
    const lines: string[] = [];
    for (const attack of ATTACKS) lines.push(`${await send(attack)} ${attack[0]}`);
    return lines;
  };
  const logged = async (): Promise<readonly FilteredRequest[]> =>
    must(await lab.provision('waf', 'log', '--since', '1h', '--json'), 'waf log')
      .stdout.split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as FilteredRequest)
      .filter(({ at }) => at >= from);
  const refuses = async (t: ExecutionContext): Promise<void> => {
    t.deepEqual(
      await statuses(),
      ATTACKS.map(([title]) => `403 ${title}`),
    );
  };
  const configured = async (): Promise<readonly string[]> =>
    await Promise.all(SERVERS.map(async (server) => await lab.sh(server, PLAIN)));

  test.after.always(() => rmSync(directory, { recursive: true, force: true }));

  test.serial('the filter lets attacks through at first, and says what it would refuse', async (t) => {
    plain = await configured();
    await up({ waf: 'detect' });
    from = new Date().toISOString();
    t.is((await lab.provision('check', '-e', 'waf=detect')).status, 0);
    t.deepEqual(
      (await statuses()).filter((line) => line.startsWith('403')),
      [],
    );
    const found = await logged();
    t.deepEqual([...new Set(found.map(({ verdict }) => verdict))], ['would be refused']);
    t.is(found.length, ATTACKS.length);
    t.regex(must(await lab.provision('waf', 'log'), 'waf log').stdout, /attack-sqli$/m);
  });

  test.serial(
    'then it refuses them through the address, and nothing that the site’s visitors send',
    async (t) => {
      await up({ waf: 'block' }, '--tags', 'nginx');
      const load = await startLoad(t, lab, vipOf());
      await refuses(t);
      const found = await logged();
      t.is(found.filter(({ verdict }) => verdict === 'refused').length, ATTACKS.length);
      const meantWell = form('/messages', { author: "Conan O'Brien", body: "Let's select a table for two." });
      t.is(await send(['a message', ...meantWell]), 303);
      await mustBeWhole(t, load);
      t.is((await logged()).length, found.length, 'what the load sent is not in the log');
    },
  );

  test.serial(
    'an exclusion is for its path, and rules of one’s own are taken by their hash only',
    async (t) => {
      const exclusions = {
        waf: 'block',
        waf_exclusions: [{ path: '/api/messages', rules: ['attack-sqli'] }],
      };
      await up(exclusions, '--tags', 'nginx');
      const api: Sent = [
        '',
        '/api/messages',
        '-H',
        'content-type: application/json',
        '-d',
        JSON.stringify({ author: 'Ada', body: UNION }),
      ];
      t.is(await send(api), 201);
      await refuses(t);

      const archive = join(directory, 'rules.tar.gz');
      mkdirSync(join(directory, 'own/rules'), { recursive: true });
      writeFileSync(
        join(directory, 'own/rules/REQUEST-901-INITIALIZATION.conf'),
        `SecRule ARGS "@contains forbidden here" "id:901001,phase:2,deny,status:403,log,auditlog,msg:'a rule of our own',tag:'attack-own'"\n`,
      );
      await run(['tar', '--create', '--gzip', '--file', archive, '--directory', directory, 'own']);
      const own = (hash: string): Readonly<Record<string, unknown>> => ({
        waf: 'block',
        waf_rules: archive,
        waf_rules_sha256: hash,
      });
      const refused = await lab.provision(
        'up',
        '--json',
        '--tags',
        'nginx',
        '-e',
        JSON.stringify(own('0'.repeat(64))),
      );
      t.is(refused.status, 2);
      t.regex(refused.stdout, /has another SHA-256 than waf_rules_sha256/);
      await refuses(t);
      await up(own(createHash('sha256').update(readFileSync(archive)).digest('hex')), '--tags', 'nginx');
      t.is(await send(['', '/?q=forbidden%20here']), 403);
      t.not(await send(ATTACKS[0]!), 403);
      t.is((await logged()).at(-1)?.rules[0]?.id, 901001);
    },
  );

  test.serial('without the filter the servers are configured as before', async (t) => {
    const off = must(await lab.provision('up', '--json'), 'up');
    t.true(total(jsonLines(off.stdout), 'changed') >= SERVERS.length);
    t.deepEqual(await configured(), plain);
    t.deepEqual(
      (await statuses()).filter((line) => line.startsWith('403')),
      [],
    );
    t.is((await lab.provision('check')).status, 0);
  });
}
