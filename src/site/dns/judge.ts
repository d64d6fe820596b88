import { listed } from '../../lib/listed.ts';
import { canonicalIp } from '../../lib/ip-network.ts';
import type { Answer } from './answers.ts';
import type { SiteDns } from './spec.ts';

/** What is not as it should be with a name, at one name server. */
export interface DnsFinding {
  readonly name: string;
  readonly server: string;
  readonly code:
    | 'NoAnswer'
    | 'Refused'
    | 'NoSuchName'
    | 'AddressMissing'
    | 'StrangeAddress'
    | 'RememberedTooLong'
    | 'AuthorityForbidden';
  readonly message: string;
}

/** Compares what name servers say with what the inventory wants. */
export function judgeDns(dns: SiteDns, answers: readonly Answer[]): readonly DnsFinding[] {
  return answers.flatMap((answer) => judgeOne(dns, answer));
}

function judgeOne(dns: SiteDns, answer: Answer): readonly DnsFinding[] {
  const { name, server, status, addresses } = answer;
  const finding = (code: DnsFinding['code'], message: string): DnsFinding => ({
    name,
    server,
    code,
    message,
  });
  if (status === undefined) return [finding('NoAnswer', 'the name server does not answer')];
  if (status !== 'NOERROR' && status !== 'NXDOMAIN')
    return [finding('Refused', `the name server answers with ${status}`)];
  const wanted = new Set(dns.addresses.map(canonicalIp));
  const found = new Set(addresses.map(({ address }) => canonicalIp(address)));
  const missing = dns.addresses.filter((address) => !found.has(canonicalIp(address)));
  const strange = addresses.filter(({ address }) => !wanted.has(canonicalIp(address)));
  const slow = addresses.filter(({ ttl }) => ttl > dns.ttl);
  return [
    ...(addresses.length === 0
      ? [finding('NoSuchName', `there is no address; expected ${listed(dns.addresses)}`)]
      : missing.length > 0
        ? [finding('AddressMissing', `missing: ${listed(missing)}`)]
        : []),
    ...(strange.length > 0
      ? [
          finding(
            'StrangeAddress',
            `it leads to ${listed(strange.map(({ address }) => address))}, which is none of the site's addresses`,
          ),
        ]
      : []),
    ...(slow.length > 0
      ? [
          finding(
            'RememberedTooLong',
            `addresses are remembered for ${Math.max(...slow.map(({ ttl }) => ttl))} s; wanted are ${dns.ttl} s`,
          ),
        ]
      : []),
    ...(dns.ca !== undefined && !permits(answer, dns.ca)
      ? [finding('AuthorityForbidden', `its CAA records do not let ${dns.ca} issue a certificate`)]
      : []),
  ];
}

/** RFC 8659: without a record for the kind of name everybody may; `issuewild` goes before `issue` for a wildcard. */
function permits({ name, caa }: Answer, authority: string): boolean {
  const of = (tag: string): readonly string[] =>
    caa.filter((one) => one.tag === tag).map(({ value }) => (value.split(';')[0] ?? '').trim().toLowerCase());
  const wild = name.startsWith('*.') ? of('issuewild') : [];
  const rules = wild.length > 0 ? wild : of('issue');
  return rules.length === 0 || rules.includes(authority);
}

const UPDATABLE: ReadonlySet<DnsFinding['code']> = new Set([
  'NoSuchName',
  'AddressMissing',
  'StrangeAddress',
  'RememberedTooLong',
]);

/** The names whose records at the server that takes updates are to be replaced, and what nsupdate is told for each. */
export function updatesFor(
  dns: SiteDns,
  answers: readonly Answer[],
): readonly { readonly name: string; readonly from: readonly string[]; readonly lines: readonly string[] }[] {
  return answers.flatMap((answer) => {
    const { name, addresses } = answer;
    if (!judgeOne(dns, answer).some(({ code }) => UPDATABLE.has(code))) return [];
    return [
      {
        name,
        from: addresses.map(({ address }) => address),
        // One message: nobody learns in between that there is none.
        lines: [
          `update delete ${name}. A`,
          `update delete ${name}. AAAA`,
          ...dns.addresses.map(
            (address) => `update add ${name}. ${dns.ttl} ${address.includes(':') ? 'AAAA' : 'A'} ${address}`,
          ),
        ],
      },
    ];
  });
}
