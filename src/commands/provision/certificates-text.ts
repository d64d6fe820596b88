import { listed } from '../../lib/listed.ts';
import { clock, count } from '../../report/text.ts';
import type { CertificatesShown } from './certificates-json.ts';

const SOURCES = {
  'self-signed': 'signed by itself: no browser trusts it (tls_certificates)',
  acme: 'ordered by the balancer',
  files: 'from your files',
} as const;

/** The certificate of each balancer, and below it what is wrong. */
export function certificatesText({ balancers }: CertificatesShown): string {
  return balancers
    .map((balancer) => {
      const {
        name,
        trouble,
        source = 'self-signed',
        names = [],
        issuer = '',
        attempt,
        problems = [],
      } = balancer;
      if (trouble !== undefined) return `${name}: ${trouble}\n`;
      const issued = source === 'self-signed' ? SOURCES[source] : `issued by ${issuer}, ${SOURCES[source]}`;
      const end = `${count(balancer.daysLeft ?? 0, 'day')} left, until ${clock(balancer.notAfter ?? 0)}`;
      const tried = attempt && source === 'acme' ? `; the authority was asked ${clock(attempt.at)}` : '';
      return [
        `${name}: ${listed([...names])}`,
        `  ${issued}`,
        `  ${end}${tried}`,
        ...problems.map((problem) => `  problem: ${problem}`),
        '',
      ].join('\n');
    })
    .join('');
}
