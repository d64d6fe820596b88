import { readFileSync } from 'node:fs';

import test from 'ava';

import {
  answeredIn,
  complaints,
  readLynis,
  readSshAudit,
  readTestssl,
  type Verdicts,
} from '../../scripts/judges/read.ts';

// Cut from what the programs wrote.
const TLS = JSON.stringify([
  { id: 'TLS1', ip: 'www.foobar.com/10.83.4.11', port: '443', severity: 'OK', finding: 'not offered' },
  { id: 'DNS_CAArecord', ip: 'www.foobar.com/10.83.4.11', port: '443', severity: 'LOW', finding: '--' },
  { id: 'final_score', ip: 'www.foobar.com/10.83.4.11', port: '443', severity: 'INFO', finding: '96' },
  { id: 'overall_grade', ip: 'www.foobar.com/10.83.4.11', port: '443', severity: 'OK', finding: 'A+' },
]);
const SSH = `# key exchange algorithms
(kex) ecdh-sha2-nistp256                    -- [fail] using elliptic curves that are suspected as being backdoored
                                            \`- [info] available since OpenSSH 5.7
(mac) umac-64@openssh.com                   -- [warn] using small 64-bit tag size
(rec) -umac-64@openssh.com                  -- mac algorithm to remove
`;
const LYNIS = `hardening_index=64
warning[]=FIRE-4512|iptables module(s) loaded, but no rules active|-|-|
suggestion[]=SSH-7408|Consider hardening SSH configuration|AllowTcpForwarding (set YES to NO)|-|
suggestion[]=BANN-7126|Add a legal banner to /etc/issue, to warn unauthorized users|-|-|
vulnerable_package[]=none
`;

test('what each says is read', (t) => {
  t.deepEqual(readTestssl(TLS), { grade: 'A+', score: '96', findings: ['low: DNS_CAArecord: --'] });
  t.deepEqual(readSshAudit(SSH), [
    '(kex) ecdh-sha2-nistp256 -- [fail] using elliptic curves that are suspected as being backdoored',
    '(mac) umac-64@openssh.com -- [warn] using small 64-bit tag size',
  ]);
  t.deepEqual(readLynis(LYNIS), {
    index: 64,
    findings: [
      { id: 'FIRE-4512', isWarning: true, message: 'iptables module(s) loaded, but no rules active' },
      {
        id: 'SSH-7408',
        isWarning: false,
        message: 'Consider hardening SSH configuration: AllowTcpForwarding (set YES to NO)',
      },
      {
        id: 'BANN-7126',
        isWarning: false,
        message: 'Add a legal banner to /etc/issue, to warn unauthorized users',
      },
    ],
  });
});

const FINE: Verdicts = {
  tls: readTestssl(TLS),
  ssh: new Map([['lb1', []]]),
  lynis: new Map([['lb1', { index: 80, findings: readLynis(LYNIS).findings.slice(1) }]]),
};
const PAGE = '| Lynis | why |\n| --- | --- |\n| SSH-7408, BANN-7126 | as it should be |\n';

test('nothing is said of what is good, or answered', (t) => {
  t.deepEqual(complaints(FINE, answeredIn(PAGE)), []);
});

test('a lower grade, a warning, and what the page does not answer are not good enough', (t) => {
  const wrong: Verdicts = {
    tls: { ...FINE.tls, grade: 'A' },
    ssh: new Map([['lb1', readSshAudit(SSH).slice(1)]]),
    lynis: new Map([
      ['lb1', readLynis(LYNIS)],
      ['web1', readLynis('')],
    ]),
  };
  t.deepEqual(complaints(wrong, answeredIn(PAGE.replace(', BANN-7126', ''))), [
    'testssl.sh gives A, and not A+',
    'lb1: ssh-audit: (mac) umac-64@openssh.com -- [warn] using small 64-bit tag size',
    'lb1: Lynis warns: FIRE-4512 iptables module(s) loaded, but no rules active',
    'lb1: Lynis suggests: BANN-7126 Add a legal banner to /etc/issue, to warn unauthorized users',
    'web1: Lynis did not end',
  ]);
});

test('an answered warning is one still', (t) => {
  const answered = new Set(['FIRE-4512', 'SSH-7408', 'BANN-7126']);
  const [warning, ...others] = complaints({ ...FINE, lynis: new Map([['lb1', readLynis(LYNIS)]]) }, answered);
  t.regex(warning ?? '', /warns: FIRE-4512/);
  t.deepEqual(others, []);
});

test('the page has answers', (t) => {
  const answered = answeredIn(readFileSync(new URL('../../docs/hardening.md', import.meta.url), 'utf8'));
  for (const id of ['SSH-7408', 'AUTH-9286', 'KRNL-6000']) t.true(answered.has(id), id);
});
