import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { type Notification, notifier, type NotifierOptions } from '../../../src/failover/watch/notify.ts';

const EVENT: Notification = {
  cluster: 'shop',
  event: 'recovered',
  level: 'warning',
  message: 'failover db1 → db2 done; the password was hunter2secret',
  remedy: '`failover ack`',
  instance: 'db2',
  code: 'DeadPrimary',
  id: 'abc',
};

const redact = (text: string): string => text.replaceAll('hunter2secret', '[REDACTED]');

function make(ways: NotifierOptions['ways'], more: Partial<NotifierOptions> = {}) {
  const failures: string[] = [];
  const notify = notifier({
    ways,
    redact,
    onFailure: (message) => void failures.push(message),
    pausesMs: [10, 10],
    timeoutMs: 5000,
    ...more,
  });
  return { notify, failures };
}

/** A webhook that answers with these statuses, one after the other; 0 is no answer at all. */
async function webhook(t: ExecutionContext, statuses: readonly number[]) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const status = statuses[Math.min(bodies.push(body), statuses.length) - 1] ?? 200;
      if (status === 0) return;
      response.writeHead(status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook/very-secret-path`, bodies };
}

function executable(t: ExecutionContext, script: string): { path: string; file(name: string): string } {
  const directory = mkdtempSync(join(tmpdir(), 'notify-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'program');
  writeFileSync(path, `#!/bin/sh\ncd '${directory}' || exit 9\n${script}\n`);
  chmodSync(path, 0o755);
  return { path, file: (name) => readFileSync(join(directory, name), 'utf8') };
}

test('a webhook gets the event as JSON, without secrets', async (t) => {
  const { url, bodies } = await webhook(t, [204]);
  const { notify, failures } = make({ webhook: url });
  await notify(EVENT);
  t.deepEqual(failures, []);
  t.is(bodies.length, 1);
  const sent = JSON.parse(bodies[0] ?? '') as Record<string, unknown>;
  t.like(sent, { cluster: 'shop', event: 'recovered', instance: 'db2', id: 'abc' });
  t.is(sent['message'], 'failover db1 → db2 done; the password was [REDACTED]');
  t.regex(String(sent['at']), /^\d{4}-\d\d-\d\dT/);
});

test('a webhook that has trouble is tried again, a bounded number of times', async (t) => {
  const mended = await webhook(t, [503, 429, 200]);
  const first = make({ webhook: mended.url });
  await first.notify(EVENT);
  t.is(mended.bodies.length, 3);
  t.deepEqual(first.failures, []);

  const broken = await webhook(t, [500]);
  const second = make({ webhook: broken.url });
  await second.notify(EVENT);
  t.is(broken.bodies.length, 3);
  t.is(second.failures.length, 1);
  t.regex(second.failures[0] ?? '', /status 500/);
  t.notRegex(second.failures[0] ?? '', /very-secret-path/);
});

test('a webhook that refuses the request itself is not asked again', async (t) => {
  const { url, bodies } = await webhook(t, [404]);
  const { notify, failures } = make({ webhook: url });
  await notify(EVENT);
  t.is(bodies.length, 1);
  t.regex(failures[0] ?? '', /status 404/);
});

test('a webhook that does not answer is given up on', async (t) => {
  const { url, bodies } = await webhook(t, [0]);
  const { notify, failures } = make({ webhook: url }, { timeoutMs: 1500 });
  await notify(EVENT);
  t.is(bodies.length, 3);
  t.regex(failures[0] ?? '', /no answer within 1500 ms/);
});

test('a webhook that nobody listens for is a failure, and no crash', async (t) => {
  const { notify, failures } = make({ webhook: 'http://127.0.0.1:1/x' });
  await notify(EVENT);
  t.regex(failures[0] ?? '', /^webhook 127\.0\.0\.1:1: .*ECONNREFUSED/);
});

test('e-mail goes through sendmail, with one subject line and no secrets', async (t) => {
  const { path, file } = executable(t, 'echo "$@" > arguments; cat > mail');
  const { notify, failures } = make({ email: 'ops@example.com' }, { sendmail: path });
  await notify({ ...EVENT, message: 'two lines\nBcc: others@example.com; hunter2secret' });
  t.deepEqual(failures, []);
  t.is(file('arguments'), '-i -- ops@example.com\n');
  const mail = file('mail');
  const headers = mail.slice(0, mail.indexOf('\n\n')).split('\n');
  t.false(headers.some((line) => line.startsWith('Bcc')));
  const subject = headers
    .find((line) => line.startsWith('Subject: '))
    ?.slice('Subject: =?utf-8?B?'.length, -2);
  t.is(
    redact(Buffer.from(subject ?? '', 'base64').toString()),
    '[shop] recovered: two lines Bcc: others@example.com; [REDACTED]',
  );
  t.notRegex(mail, /hunter2secret/);
  t.regex(mail, /journal abc/);
});

test('a command gets the event on stdin and its name as argument, and its failure is told', async (t) => {
  const good = executable(t, 'echo "$1" > name; cat > event');
  const first = make({ command: good.path });
  await first.notify(EVENT);
  t.deepEqual(first.failures, []);
  t.is(good.file('name'), 'recovered\n');
  t.like(JSON.parse(good.file('event')), { cluster: 'shop', code: 'DeadPrimary' });

  const bad = executable(t, 'echo "no route to the pager, hunter2secret" >&2; exit 3');
  const second = make({ command: bad.path });
  await second.notify(EVENT);
  t.regex(second.failures[0] ?? '', /status 3: no route to the pager, \[REDACTED\]/);

  const third = make({ command: '/nowhere/to/be/found' });
  await third.notify(EVENT);
  t.regex(third.failures[0] ?? '', /ENOENT/);

  const slow = executable(t, 'exec sleep 30');
  const fourth = make({ command: slow.path }, { timeoutMs: 100 });
  await fourth.notify(EVENT);
  t.regex(fourth.failures[0] ?? '', /did not end within 100 ms/);
});

test('nothing is set, nothing is told', async (t) => {
  const { notify, failures } = make({});
  await notify(EVENT);
  t.deepEqual(failures, []);
});
