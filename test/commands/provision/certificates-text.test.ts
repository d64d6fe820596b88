import test from 'ava';

import { certificatesJson, certificatesSchema } from '../../../src/commands/provision/certificates-json.ts';
import { certificatesText } from '../../../src/commands/provision/certificates-text.ts';
import type { CertificateStatus } from '../../../src/site/certificate-status.ts';

const NOW = Date.UTC(2026, 10, 29);
const STATUS: CertificateStatus = {
  source: 'acme',
  names: ['www.foobar.com', 'foobar.com'],
  issuer: 'Some CA',
  serial: '0A1B',
  notBefore: NOW,
  notAfter: NOW + 90 * 86_400_000,
  servedSerial: 'A1B',
  attempt: { at: NOW, error: null, failures: 0, failingSince: null },
};

test('each balancer with its certificate, and what is wrong below it', (t) => {
  const shown = certificatesJson(
    [
      { name: 'lb1', status: STATUS },
      {
        name: 'lb2',
        status: { ...STATUS, attempt: { at: NOW, error: 'no', failures: 1, failingSince: NOW } },
      },
      { name: 'lb3', trouble: 'it does not answer' },
    ],
    NOW,
  );
  t.deepEqual(certificatesSchema.parse(shown), shown);
  t.is(
    certificatesText(shown),
    `lb1: www.foobar.com and foobar.com
  issued by Some CA, ordered by the balancer
  90 days left, until 2027-02-27 00:00:00Z; the authority was asked 2026-11-29 00:00:00Z
lb2: www.foobar.com and foobar.com
  issued by Some CA, ordered by the balancer
  90 days left, until 2027-02-27 00:00:00Z; the authority was asked 2026-11-29 00:00:00Z
  problem: the last attempt failed: no
lb3: it does not answer
`,
  );
});

test('one that signs itself says so', (t) => {
  const status: CertificateStatus = { ...STATUS, source: 'self-signed', attempt: undefined };
  const [first] = certificatesJson([{ name: 'lb1', status }], NOW).balancers;
  t.like(first, { source: 'self-signed', served: true, attempt: null, problems: [] });
  t.regex(certificatesText(certificatesJson([{ name: 'lb1', status }], NOW)), /signed by itself/);
});
