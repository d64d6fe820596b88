import { createHash, createPublicKey } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';
import { parse } from 'yaml';

import { run } from '../../src/lib/process.ts';

const roles = fileURLToPath(new URL('../../playbooks/roles/', import.meta.url));
const template = (path: string): string => readFileSync(join(roles, path), 'utf8');
const CHECK = template('certificates/templates/check-certificate.sh.j2');
const ORDER = template('certificates/templates/order-certificate.j2');
const TICKETS = template('haproxy/templates/haproxy-ticket-keys.j2');

type Scope = { teardown(work: () => void): void };

function scratch(t: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-certificates-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function sh(directory: string, script: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const ended = await run(['sh', '-euc', script], { cwd: directory, env: { ...process.env, ...env } });
  if (ended.status !== 0) throw new Error(ended.stderr);
  return ended.stdout;
}

/** A root, an authority below it, and the site's certificate; another key, and others of an authority's making. */
const MAKE = `
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
for each in root between site other; do key $each; done
openssl req -x509 -new -key root.key -subj /CN=Root -days 20 -out root.pem
sign() { # name issuer days extensions
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  printf '%b' "$4" > ext
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial 7 -days "$3" -extfile ext -out "$1.pem" 2> /dev/null
}
sign between root 20 'basicConstraints=critical,CA:TRUE\\nkeyUsage=keyCertSign\\n'
sign site between 10 'subjectAltName=DNS:www.foobar.com,DNS:*.shop.foobar.com\\n'
cat site.pem between.pem > chain.pem
cat between.pem site.pem > reversed.pem
cp site.key ended.key
sign ended between 0 'subjectAltName=DNS:www.foobar.com\\n'
cat ended.pem between.pem > ended-chain.pem
openssl pkcs8 -topk8 -in site.key -passout pass:secret -out encrypted.key
echo nothing > nothing.pem
`;

const WRONG: readonly (readonly [
  what: string,
  chain: string,
  key: string,
  names: readonly string[],
  said: readonly RegExp[],
])[] = [
  ['nothing', 'chain.pem', 'site.key', ['www.foobar.com'], []],
  ['nothing, for a wildcard itself', 'chain.pem', 'site.key', ['*.shop.foobar.com'], []],
  ['nothing, for a name below a wildcard', 'chain.pem', 'site.key', ['a.shop.foobar.com'], []],
  ['nothing, for a chain with its root', 'whole.pem', 'site.key', ['www.foobar.com'], []],
  [
    'a file that is not there',
    'none.pem',
    'none.key',
    ['www.foobar.com'],
    [/^none\.pem cannot be read$/, /^none\.key cannot be read$/],
  ],
  ['no certificate', 'nothing.pem', 'site.key', ['www.foobar.com'], [/^nothing\.pem holds no certificate/]],
  ['no key', 'chain.pem', 'nothing.pem', ['www.foobar.com'], [/^nothing\.pem holds no private key/]],
  [
    'the key of another one',
    'chain.pem',
    'other.key',
    ['www.foobar.com'],
    [/^the key in other\.key is not that of the first certificate in chain\.pem/],
  ],
  [
    'a key with a passphrase',
    'chain.pem',
    'encrypted.key',
    ['www.foobar.com'],
    [/^the key in encrypted\.key is encrypted/],
  ],
  [
    'a name that is missing',
    'chain.pem',
    'site.key',
    ['www.foobar.com', 'foobar.com'],
    [/is not for foobar\.com \(tls_names\); it is for www\.foobar\.com \*\.shop\.foobar\.com$/],
  ],
  ['a wildcard that is missing', 'chain.pem', 'site.key', ['*.foobar.com'], [/is not for \*\.foobar\.com/]],
  [
    'no authority between',
    'site.pem',
    'site.key',
    ['www.foobar.com'],
    [/^site\.pem holds the site's certificate alone/],
  ],
  [
    'the wrong order',
    'reversed.pem',
    'between.key',
    ['between'],
    [/^certificate 2 in reversed\.pem did not sign certificate 1/],
  ],
  [
    'one that has ended',
    'ended-chain.pem',
    'ended.key',
    ['www.foobar.com'],
    [/^certificate 1 in ended-chain\.pem has ended: /],
  ],
];

test('what is wrong with a certificate of one’s own is said before any host gets it', async (t) => {
  const directory = scratch(t);
  await sh(directory, MAKE);
  await sh(directory, 'cat chain.pem root.pem > whole.pem');
  for (const [what, chain, key, names, said] of WRONG) {
    const ended = await run(['sh', '-s', '--', chain, key, ...names], { cwd: directory, input: CHECK });
    t.is(ended.status, 0, `${what}: ${ended.stderr}`);
    const lines = ended.stdout.split('\n').filter((line) => line !== '');
    t.is(lines.length, said.length, `${what}: ${ended.stdout}`);
    for (const [index, pattern] of said.entries()) t.regex(lines[index] ?? '', pattern, what);
  }
});

test('the thumbprint of the account’s key is that of RFC 7638', async (t) => {
  const directory = scratch(t);
  const tasks = parse(template('certificates/tasks/account.yml')) as readonly {
    readonly 'ansible.builtin.command': { readonly argv: readonly string[] };
  }[];
  const [make = '', thumbprint = ''] = tasks.map((task) => task['ansible.builtin.command'].argv[2] ?? '');
  const key = join(directory, 'secrets/account.key');
  t.is((await run(['sh', '-c', thumbprint, 'sh', key])).stdout, '');
  t.is((await run(['sh', '-c', make, 'sh', key])).status, 0);
  const said = await run(['sh', '-c', thumbprint, 'sh', key]);
  const { crv, kty, x, y } = createPublicKey(readFileSync(key)).export({ format: 'jwk' });
  t.is(said.stdout, createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url'));
});

test('the keys of TLS sessions follow from secret and time: the last of now is the present one of later', async (t) => {
  const directory = scratch(t);
  const keysAt = async (seconds: number, secret: string): Promise<readonly string[]> => {
    writeFileSync(join(directory, 'ticket-secret'), secret);
    mkdirSync(join(directory, 'bin'), { recursive: true });
    writeFileSync(join(directory, 'bin/date'), `#!/bin/sh\necho ${seconds}\n`);
    chmodSync(join(directory, 'bin/date'), 0o755);
    await sh(directory, TICKETS, {
      DIRECTORY: directory,
      PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`,
    });
    return readFileSync(join(directory, 'ticket-keys'), 'utf8').trimEnd().split('\n');
  };
  const [before, now, next] = await keysAt(43_200 * 100, 'one');
  t.deepEqual(await keysAt(43_200 * 100 + 43_199, 'one'), [before, now, next]);
  const [, later] = await keysAt(43_200 * 101, 'one');
  t.is(later, next);
  const [, other] = await keysAt(43_200 * 101, 'two');
  t.not(other, later);
  for (const key of [before, now, next]) t.is(Buffer.from(key ?? '', 'base64').length, 80);
  t.is(new Set([before, now, next]).size, 3);
});

/** A `lego` that writes what it was asked for, and knows what a real one of this age says of itself. */
const LEGO = (recent: boolean) => `#!/bin/sh
case "$*" in 'renew --help') echo '${recent ? '--dynamic' : '--days'}'; exit ;; esac
echo "$@" >> asked
[ ! -e fails ] || { cat fails; rm fails; exit 1; }
mkdir -p certificates
[ -e certificates/www.foobar.com.crt ] || cp site.pem certificates/www.foobar.com.crt
`;

const ORDERS: readonly (readonly [what: string, recent: boolean, before: string, asked: RegExp])[] = [
  ['none is there', true, '', /^[^\n]* run\n$/],
  [
    'another one is there',
    true,
    ': > ordered-OTHER; cp site.pem certificates/www.foobar.com.crt',
    /^[^\n]* run\n$/,
  ],
  [
    'one is there',
    true,
    ': > ordered-ME; cp site.pem certificates/www.foobar.com.crt',
    /^[^\n]* renew --dynamic --no-random-sleep\n$/,
  ],
  [
    'one is forced',
    true,
    ': > ordered-ME; : > forced; cp site.pem certificates/www.foobar.com.crt',
    /^[^\n]* renew --days 36500 --no-random-sleep\n$/,
  ],
  [
    'a forced one cannot replace the one before',
    true,
    ': > ordered-ME; : > forced; echo alreadyReplaced > fails; cp site.pem certificates/www.foobar.com.crt',
    /renew --days 36500 --no-random-sleep\n[^\n]* run\n$/,
  ],
  [
    'the authority has forgotten the account',
    true,
    ': > ordered-ME; echo accountDoesNotExist > fails; cp site.pem certificates/www.foobar.com.crt',
    /renew --dynamic --no-random-sleep\n[^\n]* run\n$/,
  ],
  ['an old lego has a new one', false, ': > ordered-ME; cp site.pem certificates/www.foobar.com.crt', /^$/],
  [
    'an old lego has one that is nearly over',
    false,
    ': > ordered-ME; cp over.pem certificates/www.foobar.com.crt',
    /^[^\n]* renew --days 36500 --no-random-sleep\n$/,
  ],
];

for (const [what, recent, before, asked] of ORDERS) {
  test(`what is ordered when ${what}`, async (t) => {
    const directory = scratch(t);
    mkdirSync(join(directory, 'bin'));
    mkdirSync(join(directory, 'certificates'));
    writeFileSync(join(directory, 'bin/lego'), LEGO(recent));
    chmodSync(join(directory, 'bin/lego'), 0o755);
    await sh(
      directory,
      `echo key > account.key; : > asked
      key=account.pem; openssl ecparam -name prime256v1 -genkey -noout -out "$key"
      self() { openssl req -new -key "$key" -subj /CN=x | openssl x509 -req -signkey "$key" -out "$1" -days "$2" 2> /dev/null; }
      self site.pem 90; self over.pem 0; ${before}`,
    );
    await sh(directory, ORDER, {
      DIRECTORY: directory,
      PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`,
      TLS_NAMES: 'www.foobar.com foobar.com',
      TLS_ORDER: 'ME',
      TLS_CHALLENGE: 'http-01',
      ACME_DIRECTORY: 'https://ca.example:14000/dir',
      ACME_EMAIL: 'ops@foobar.com',
      ACME_PROFILE: '',
    });
    const said = readFileSync(join(directory, 'asked'), 'utf8');
    t.regex(said, asked);
    if (said !== '')
      t.regex(said, /--domains www\.foobar\.com --domains foobar\.com --http --http\.webroot unread /);
    t.true(existsSync(join(directory, 'ordered-ME')));
    t.false(existsSync(join(directory, 'ordered-OTHER')));
    t.false(existsSync(join(directory, 'forced')));
    t.is(
      readFileSync(
        join(directory, 'accounts/ca.example_14000/ops@foobar.com/keys/ops@foobar.com.key'),
        'utf8',
      ),
      'key\n',
    );
  });
}

const KNOWN =
  /^known_serial\(\) \{[\s\S]*?^\}/m.exec(template('certificates/templates/site-certificates.j2'))?.[0] ?? '';

/** What HAProxy says when it is asked the first, the second … time, and whether it runs. */
const ANSWERS: readonly (readonly [
  title: string,
  answers: readonly string[],
  runs: boolean,
  found: string | RegExp,
])[] = [
  ['one that answers is believed', ['Filename: x\nSerial: 0A1B\n'], true, '0A1B\n'],
  ['one that has not this file serves none', ["Can't display the certificate: Not found"], true, ''],
  ['one that does not run serves none', [''], false, ''],
  ['one that is busy is asked again', ['', '', 'Serial: 0A1B\n'], true, '0A1B\n'],
  [
    'one that never answers is no reason to write the file alone',
    [''],
    true,
    /^failed: HAProxy does not say/,
  ],
];

for (const [title, answers, runs, found] of ANSWERS) {
  test(`which certificate HAProxy serves: ${title}`, async (t) => {
    const directory = scratch(t);
    for (const [index, answer] of answers.entries()) writeFileSync(join(directory, String(index)), answer);
    // The clock goes by ten seconds whenever it is looked at.
    const script = `pem=site.pem
date() { now=$(cat now 2> /dev/null || echo 0); echo $((now + 10)) > now; echo $now; }
sleep() { :; }
fail() { echo "failed: $1"; exit 1; }
systemctl() { ${runs ? ':' : 'return 3'}; }
ask() { turn=$(cat turn 2> /dev/null || echo 0); echo $((turn + 1)) > turn; [ -e $turn ] || turn=${answers.length - 1}; cat $turn; }
${KNOWN}
(known_serial) || :`;
    const said = await sh(directory, script);
    if (typeof found === 'string') t.is(said, found);
    else t.regex(said, found);
  });
}
