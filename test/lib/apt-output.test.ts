import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { explainApt, foldApt } from '../../src/lib/apt-output.ts';

/* The files in apt-output/ are what a real apt said: 2.6 of Debian 12, 3.0 of Debian 13 where the name says so. */

interface Case {
  readonly title: string;
  readonly recorded: string;
  readonly message: RegExp | undefined;
  readonly hint?: RegExp;
  /** How many lines are left after folding, at most. */
  readonly lines: number;
}

const CASES: readonly Case[] = [
  {
    title: 'a proxy that does not answer is said once, with the sources, and named a proxy',
    recorded: 'proxy-down.txt',
    message:
      /^nothing could be fetched from http:\/\/deb\.debian\.org\/debian \(\d+ files\) and http:\/\/deb\.debian\.org\/debian-security \(\d+ files\): 127\.0\.0\.1:9 cannot be connected to \(connection refused\)$/,
    hint: /127\.0\.0\.1:9 is a proxy of apt's/,
    lines: 40,
  },
  {
    title: 'lists that cannot be fetched through a proxy likewise',
    recorded: 'lists-proxy-refuses.txt',
    message: /debian \(2 files\) and \S+debian-security: 127\.0\.0\.1:9 cannot be connected to/,
    hint: /proxy/,
    lines: 6,
  },
  {
    title: 'a mirror that does not answer is no proxy',
    recorded: 'mirror-refuses.txt',
    message:
      /^nothing could be fetched from http:\/\/127\.0\.0\.1:8\/debian: 127\.0\.0\.1:8 cannot be connected/,
    hint: /check the network.*behind a proxy/,
    lines: 4,
  },
  {
    title: 'a name that cannot be resolved is named',
    recorded: 'lists-unresolved.txt',
    message: /the name mirror\.invalid cannot be resolved$/,
    hint: /name servers there \(getent hosts mirror\.invalid\)/,
    lines: 5,
  },
  {
    title: 'a suite that the source does not have is an answer of 404',
    recorded: 'no-such-suite.txt',
    message:
      /^nothing could be fetched from http:\/\/deb\.debian\.org\/debian: the answer was 404 Not Found$/,
    hint: /check its address and suite/,
    lines: 4,
  },
  {
    title: 'a signature whose key is missing is said once, though apt says it three times',
    recorded: 'key-missing.txt',
    message:
      /^nothing could be fetched from http:\/\/deb\.debian\.org\/debian: The following signatures .*NO_PUBKEY/,
    hint: /Signed-By/,
    lines: 5,
  },
  {
    title: 'packages that no list has are named together',
    recorded: 'no-lists.txt',
    message: /^no source of apt's has nginx, jq$/,
    hint: /apt-get update/,
    lines: 5,
  },
];

const recorded = (name: string): string =>
  readFileSync(new URL(`apt-output/${name}`, import.meta.url), 'utf8').trim();

for (const { title, recorded: name, message, hint, lines } of CASES) {
  test(title, (t) => {
    const output = recorded(name);
    const found = explainApt(output);
    if (message === undefined) t.is(found, undefined);
    else t.regex(found?.message ?? '', message);
    if (hint !== undefined) t.regex(found?.hint ?? '', hint);
    const folded = foldApt(output).split('\n');
    t.true(folded.length <= lines, folded.join('\n'));
  });
}

const REASONS: readonly (readonly [string, RegExp])[] = [
  ['404  Not Found [IP: 192.0.2.1 80]', /404 Not Found/],
  ['503  Service Unavailable [IP: 192.0.2.1 80]', /503 Service Unavailable/],
  ["Temporary failure resolving 'deb.debian.org'", /the name deb\.debian\.org cannot be resolved/],
  [
    "Something wicked happened resolving 'deb.debian.org:http' (-5 - No address associated with hostname)",
    /resolved/,
  ],
  ['Unable to connect to deb.debian.org:http:', /deb\.debian\.org:http cannot be connected to/],
  [
    'Cannot initiate the connection to deb.debian.org:80 (2001:db8::1). - connect (101: Network is unreachable)',
    /deb\.debian\.org:80 cannot be connected to \(network is unreachable\)/,
  ],
  ['Could not connect to deb.debian.org:80 (192.0.2.1), connection timed out', /\(connection timed out\)/],
  ['Connection timed out [IP: 192.0.2.1 80]', /cannot be connected to/],
  ['Hash Sum mismatch', /Hash Sum mismatch/],
  ['File has unexpected size (1 != 2). Mirror sync in progress? [IP: 192.0.2.1 80]', /unexpected size/],
  [
    'Certificate verification failed: The certificate is NOT trusted. The certificate issuer is unknown.',
    /NOT trusted/,
  ],
];

for (const [said, expected] of REASONS) {
  test(`the reason "${said}" is understood, for each file of a source at once`, (t) => {
    const url = 'http://deb.debian.org/debian/pool/main/n/nginx/nginx';
    const output = [1, 2, 3].map((n) => `E: Failed to fetch ${url}_${n}_amd64.deb  ${said}`).join('\n');
    const found = explainApt(output);
    t.regex(
      found?.message ?? '',
      /^nothing could be fetched from http:\/\/deb\.debian\.org\/debian \(3 files\): /,
    );
    t.regex(found?.message ?? '', expected);
    t.true((found?.hint ?? '') !== '');
    t.is(foldApt(output).split('\n').length, 1);
    t.regex(foldApt(output), /\(and 2 more of this source\)$/);
  });
}

test('a failure that is not about fetching keeps its own words', (t) => {
  const output =
    'dpkg: error processing package x (--configure):\nE: Sub-process /usr/bin/dpkg returned an error code (1)';
  t.is(explainApt(output), undefined);
  t.is(foldApt(output), output);
});

test('a release whose time has not come tells of the clock', (t) => {
  const found = explainApt(
    'E: Release file for http://deb.debian.org/debian/dists/trixie/InRelease is not valid yet (invalid for another 5d 3h). Updates for this repository will not be applied.',
  );
  t.regex(found?.message ?? '', /http:\/\/deb\.debian\.org\/debian: its Release file is not valid yet/);
  t.regex(found?.hint ?? '', /clock/);
});

test('folding only ever leaves lines out, and what is folded is not folded again', (t) => {
  const line = fc.constantFrom(
    'E: Failed to fetch http://a/debian/pool/x_1.deb  404  Not Found',
    'E: Failed to fetch http://a/debian/pool/y_1.deb  404  Not Found',
    'W: Some index files failed to download.',
    'Err:1 http://a/debian trixie InRelease',
    'Setting up x (1) ...',
    '',
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const folded = foldApt(lines.join('\n'));
      t.true(folded.split('\n').length <= Math.max(1, lines.length));
      t.is(foldApt(folded), folded);
    }),
  );
});
