import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { run } from '../../src/lib/process.ts';

const TEMPLATE = new URL('../../playbooks/roles/authority/templates/certificates.sh.j2', import.meta.url);

/** The certificates' script as it is for these hosts, without a template engine. */
function certificateScript(hosts: readonly { readonly host: string; readonly names: string }[]): string {
  const text = readFileSync(TEMPLATE, 'utf8');
  const head = text.slice(0, text.indexOf('{% for'));
  return head + hosts.map(({ host, names }) => `one '${host}' '${host}' '${names}'\n`).join('');
}

test('certificates are made once, are bound to names and address, and are made anew when those change', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const target = join(directory, 'tls');
  const make = async (how: string, names: string): Promise<readonly string[]> => {
    const script = certificateScript([
      { host: 'web1', names },
      { host: 'web2', names: 'DNS:web2,IP:192.0.2.22' },
    ]);
    const outcome = await run(['sh', '-s', '--', target, how], { input: script });
    t.is(outcome.status, 0, outcome.stderr);
    return outcome.stdout.split('\n').filter((line) => line !== '');
  };
  t.deepEqual(await make('check', 'DNS:web1,IP:192.0.2.21'), ['missing ca', 'missing web1', 'missing web2']);
  t.throws(() => readdirSync(target), { code: 'ENOENT' });
  t.deepEqual(await make('make', 'DNS:web1,IP:192.0.2.21'), ['made ca', 'made web1', 'made web2']);
  t.deepEqual(await make('make', 'DNS:web1,IP:192.0.2.21'), []);
  t.deepEqual(await make('check', 'DNS:web1,IP:192.0.2.21'), []);
  const verify = (...more: readonly string[]) =>
    run(['openssl', 'verify', '-CAfile', join(target, 'ca.pem'), ...more, join(target, 'web1.pem')]);
  t.is((await verify('-verify_ip', '192.0.2.21')).status, 0);
  t.not((await verify('-verify_ip', '192.0.2.22')).status, 0);
  t.deepEqual(await make('make', 'DNS:web1,DNS:db1,IP:192.0.2.31'), ['made web1']);
  t.is((await verify('-verify_ip', '192.0.2.31')).status, 0);
  // Cut off between the key and the certificate: the pair is made again.
  rmSync(join(target, 'web2.pem'));
  writeFileSync(join(target, 'web2.key.new'), 'half');
  t.deepEqual(await make('make', 'DNS:web1,DNS:db1,IP:192.0.2.31'), ['made web2']);
});
