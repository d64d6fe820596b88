import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { type ProcessResult, run } from '../../../src/lib/process.ts';
import { testWith } from '../../needs.ts';
import { NAME_SERVERS, startNameServer } from '../../site/dns/support/name-server.ts';

// `provision check` and `provision doctor` beside a real name server; the one balancer is this machine.

const root = fileURLToPath(new URL('../../../', import.meta.url));
const ZONE = 'foobar.test';

async function provision(
  t: ExecutionContext,
  records: readonly string[],
  ...args: readonly string[]
): Promise<ProcessResult> {
  const server = await startNameServer('Knot', ZONE, records);
  const directory = mkdtempSync(join(tmpdir(), 'understudy-names-'));
  t.teardown(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });
  for (const part of ['roles', 'group_vars'])
    symlinkSync(join(root, 'playbooks', part), join(directory, part));
  const site = { names: [`www.${ZONE}`], update: server.update };
  writeFileSync(
    join(directory, 'site.yml'),
    '- hosts: balancers\n  gather_facts: false\n  tasks: [{ debug: { msg: hello } }]\n',
  );
  writeFileSync(
    join(directory, 'hosts.yml'),
    JSON.stringify({
      all: {
        vars: {
          vip: '203.0.113.100',
          front_network: '203.0.113.0/24',
          site_dns: site,
          tls_certificates: 'acme',
        },
        children: { balancers: { hosts: { lb1: { ansible_connection: 'local' } } } },
      },
    }),
  );
  const playbook = join(directory, 'site.yml');
  const [verb = '', ...more] = args;
  const words = [verb, ...more.map((word) => word.replace('PLAYBOOK', playbook))];
  return await run(
    [process.execPath, join(root, 'src/bin/provision.ts'), ...words, '-i', join(directory, 'hosts.yml')],
    { env: { ...process.env, UNDERSTUDY_PLAYBOOK: playbook }, cwd: root },
  );
}

const RIGHT = ['www 60 A 203.0.113.100'];
const WRONG = ['www 60 A 203.0.113.7', 'www 60 CAA 0 issue "other.example"'];
const withKnot = testWith(NAME_SERVERS.Knot, test);

withKnot('check warns of names that lead elsewhere, and of an authority that is forbidden', async (t) => {
  const { status, stdout, stderr } = await provision(t, WRONG, 'check');
  t.is(status, 0, stderr);
  t.notRegex(stdout, /foobar\.test/);
  t.deepEqual(
    stderr.split('\n').filter((line) => line.startsWith('[warning]')),
    [
      '[warning] www.foobar.test at 127.0.0.1: missing: 203.0.113.100',
      "[warning] www.foobar.test at 127.0.0.1: it leads to 203.0.113.7, which is none of the site's addresses",
      '[warning] www.foobar.test at 127.0.0.1: its CAA records do not let letsencrypt.org issue a certificate',
    ],
  );
});

withKnot('check says nothing of names that are right, nor of any when one host is meant', async (t) => {
  t.notRegex((await provision(t, RIGHT, 'check', 'PLAYBOOK')).stderr, /warning/);
  t.notRegex((await provision(t, WRONG, 'check', '--limit', 'lb1')).stderr, /warning/);
});

withKnot('a variable that is wrong is said before anything else', async (t) => {
  const { status, stdout, stderr } = await provision(t, RIGHT, 'check', '-e', '{"site_dns": {"nmes": []}}');
  t.is(status, 1);
  t.is(stdout, '');
  t.regex(stderr, /site_dns: .*nmes/);
});

withKnot('doctor says the same', async (t) => {
  const { stdout } = await provision(t, WRONG, 'doctor');
  t.regex(stdout, /^DNS: warning$[^]*missing: 203\.0\.113\.100$[^]*letsencrypt\.org issue a certificate$/m);
});
