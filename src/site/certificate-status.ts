import { X509Certificate } from 'node:crypto';

import { z } from 'zod';

import { EXIT, UserError } from '../lib/errors.ts';

const DAY_MS = 86_400_000;

const stateSchema = z
  .object({
    source: z.enum(['self-signed', 'acme', 'files']),
    attempt: z.object({
      at: z.number(),
      error: z.string().nullable(),
      failures: z.number(),
      failingSince: z.number().nullable(),
    }),
  })
  .nullable();

/** The last time that a certificate was ordered, or given to HAProxy; times in milliseconds since 1970. */
interface CertificateAttempt {
  readonly at: number;
  readonly error: string | null;
  /** How often it failed without a success between, and since when. */
  readonly failures: number;
  readonly failingSince: number | null;
}

/** The site's certificate on one balancer. Times are milliseconds since 1970. */
export interface CertificateStatus {
  readonly source: 'self-signed' | 'acme' | 'files';
  readonly names: readonly string[];
  readonly issuer: string;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** What HAProxy serves; undefined when it does not answer. */
  readonly servedSerial: string | undefined;
  /** Undefined: there was none yet. */
  readonly attempt: CertificateAttempt | undefined;
}

/**
 * Reads what `site-certificates status` prints (playbooks/roles/certificates/templates/site-certificates.j2): a line of
 * JSON or null, the serial that HAProxy serves or nothing, and the certificates, the site's first.
 */
export function parseCertificateStatus(balancer: string, text: string): CertificateStatus {
  const [first = '', ...rest] = text.split('\n');
  const [pem] = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(text) ?? [];
  try {
    const state = stateSchema.parse(JSON.parse(first));
    const certificate = new X509Certificate(pem ?? '');
    const served = /^[0-9A-F]+$/.exec(rest[0] ?? '')?.[0];
    return {
      source: state?.source ?? 'self-signed',
      names: namesOf(certificate),
      issuer: commonName(certificate.issuer),
      serial: certificate.serialNumber,
      notBefore: Date.parse(certificate.validFrom),
      notAfter: Date.parse(certificate.validTo),
      servedSerial: served?.replace(/^0+(?=.)/, ''),
      attempt: state === null ? undefined : inMilliseconds(state.attempt),
    };
  } catch (cause) {
    throw new UserError(
      {
        message: `${balancer}: expected what site-certificates says; found '${text.slice(0, 200)}'`,
        hint: '`provision up` brings the balancers up to date',
      },
      { exitCode: EXIT.failed, cause },
    );
  }
}

/** What is wrong with it, in sentences for people; nothing when all is well. */
export function certificateProblems(status: CertificateStatus, now: number): readonly string[] {
  const { source, attempt, serial, servedSerial, notBefore, notAfter } = status;
  const left = notAfter - now;
  const problems: string[] = [];
  if (left <= 0) problems.push('it has ended');
  // An order is due when a third of the time is left, a file is replaced by people.
  else if (source === 'acme' && left < (notAfter - notBefore) / 4)
    problems.push('it was not renewed in time');
  else if (source === 'files' && left < Math.min(30 * DAY_MS, (notAfter - notBefore) / 3))
    problems.push('it ends soon: put another one into tls_certificate_file and tls_key_file');
  if (servedSerial === undefined) problems.push('HAProxy does not say which one it serves');
  else if (servedSerial !== serial.replace(/^0+(?=.)/, ''))
    problems.push(`HAProxy still serves another one (${servedSerial})`);
  if (attempt !== undefined && attempt.error !== null) {
    const times = attempt.failures === 1 ? 'the last attempt' : `the last ${attempt.failures} attempts`;
    problems.push(`${times} failed: ${attempt.error}`);
  }
  return problems;
}

/** Whole days; a certificate that has ended has none left. */
export function daysLeft({ notAfter }: CertificateStatus, now: number): number {
  return Math.max(0, Math.floor((notAfter - now) / DAY_MS));
}

function inMilliseconds({
  at,
  error,
  failures,
  failingSince,
}: NonNullable<z.infer<typeof stateSchema>>['attempt']): CertificateAttempt {
  return {
    at: at * 1000,
    error,
    failures,
    failingSince: failingSince === null ? null : failingSince * 1000,
  };
}

function namesOf(certificate: X509Certificate): readonly string[] {
  const names = [...(certificate.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)].map(
    ([, name = '']) => name,
  );
  return names.length > 0 ? names : [commonName(certificate.subject)];
}

function commonName(distinguished: string): string {
  return /^CN=(.*)$/m.exec(distinguished)?.[1] ?? distinguished.replaceAll('\n', ', ');
}
