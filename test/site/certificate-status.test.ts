import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { run } from '../../src/lib/process.ts';
import {
  certificateProblems,
  type CertificateStatus,
  daysLeft,
  parseCertificateStatus,
} from '../../src/site/certificate-status.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 29);

const SOUND: CertificateStatus = {
  source: 'acme',
  names: ['www.foobar.com'],
  issuer: 'Some CA',
  serial: '0A1B',
  notBefore: NOW - 30 * DAY,
  notAfter: NOW + 60 * DAY,
  servedSerial: 'A1B',
  attempt: { at: NOW, error: null, failures: 0, failingSince: null },
};
const FAILED = { at: NOW, error: 'the CA said no', failures: 1, failingSince: NOW };

const CASES: readonly (readonly [
  what: string,
  change: Partial<CertificateStatus>,
  problems: readonly string[],
])[] = [
  ['a sound one', {}, []],
  ['one that signs itself', { source: 'self-signed', notAfter: NOW + 2 * DAY, attempt: undefined }, []],
  ['one that has ended', { notAfter: NOW - 1 }, ['it has ended']],
  ['one that is due', { notAfter: NOW + 14 * DAY }, []],
  ['one that was due long ago', { notAfter: NOW + 9 * DAY }, ['it was not renewed in time']],
  ['a short one that is due', { notBefore: NOW - 4 * DAY, notAfter: NOW + 2 * DAY }, []],
  [
    'a file with three weeks left',
    { source: 'files', notBefore: NOW - 344 * DAY, notAfter: NOW + 21 * DAY },
    ['it ends soon: put another one into tls_certificate_file and tls_key_file'],
  ],
  ['a file with six weeks left', { source: 'files', notAfter: NOW + 42 * DAY }, []],
  ['one that HAProxy has not', { servedSerial: 'FF' }, ['HAProxy still serves another one (FF)']],
  ['one while HAProxy is down', { servedSerial: undefined }, ['HAProxy does not say which one it serves']],
  ['a failed attempt', { attempt: FAILED }, ['the last attempt failed: the CA said no']],
  [
    'three failed ones',
    { attempt: { ...FAILED, failures: 3 } },
    ['the last 3 attempts failed: the CA said no'],
  ],
];

for (const [what, change, problems] of CASES) {
  test(`what is wrong with ${what}`, (t) => {
    t.deepEqual(certificateProblems({ ...SOUND, ...change }, NOW), problems);
  });
}

test('days are whole ones, and never less than none', (t) => {
  t.is(daysLeft({ ...SOUND, notAfter: NOW + 2 * DAY - 1 }, NOW), 1);
  t.is(daysLeft({ ...SOUND, notAfter: NOW - 5 * DAY }, NOW), 0);
});

async function certificate(t: { teardown(work: () => void): void }): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-status-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'one.pem');
  const subject = [
    '-subj',
    '/O=Here/CN=www.foobar.com',
    '-addext',
    'subjectAltName=DNS:www.foobar.com,DNS:*.foobar.com',
  ];
  const made = await run([
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-set_serial',
    '0x0A1B',
    '-days',
    '10',
    ...subject,
    '-keyout',
    '/dev/null',
    '-out',
    file,
  ]);
  if (made.status !== 0) throw new Error(made.stderr);
  return readFileSync(file, 'utf8');
}

test('what a balancer says is read: its last attempt, what it serves, and the certificate itself', async (t) => {
  const state = {
    source: 'acme',
    attempt: { at: 10, error: 'no', failures: 2, failingSince: 5 },
    serial: '0A1B',
  };
  const status = parseCertificateStatus('lb1', `${JSON.stringify(state)}\n0A1B\n${await certificate(t)}`);
  t.like(status, {
    source: 'acme',
    names: ['www.foobar.com', '*.foobar.com'],
    issuer: 'www.foobar.com',
    serial: '0A1B',
    servedSerial: 'A1B',
    attempt: { at: 10_000, error: 'no', failures: 2, failingSince: 5000 },
  });
  t.is(status.notAfter - status.notBefore, 10 * DAY);
});

test('a balancer where nothing was tried, whose HAProxy is down', async (t) => {
  const status = parseCertificateStatus('lb1', `null\n${await certificate(t)}`);
  t.like(status, { source: 'self-signed', servedSerial: undefined, attempt: undefined });
});

for (const text of ['', 'null\n', '{"source":"elsewhere"}\n', 'haproxy: no such file\n']) {
  test(`what no such program says is refused: ${JSON.stringify(text)}`, (t) => {
    t.throws(() => parseCertificateStatus('lb1', text), {
      message: /^lb1: expected what site-certificates says/,
    });
  });
}
