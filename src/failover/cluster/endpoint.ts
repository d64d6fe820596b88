import { isIP } from 'node:net';
import { z } from 'zod';

import { domainName, ipAddress, portNumber, tsigKey } from '../../lib/dns-forms.ts';
import { Secret } from '../../lib/secret.ts';

/*
 * How writers find the primary, as the variable `failover_endpoints` and the file of a daemon say it. One schema for
 * both, so the keys are spelled as variables are. Several of the values end up in commands of ProxySQL and nsupdate:
 * their forms allow no quote and no line feed.
 */

const shortName = z.string().regex(/^[\w.-]+$/, 'expected letters, digits, ".", "_" and "-"');
const secret = z
  .string()
  .min(1)
  .transform((text) => new Secret(text));

const haproxy = z.strictObject({
  kind: z.literal('haproxy').describe('the HAProxy on each host of failover_balancer_group'),
});

const proxysql = z.strictObject({
  kind: z.literal('proxysql').describe('the hostgroup of writers of a ProxySQL'),
  name: shortName.describe('what it is called here'),
  address: z
    .string()
    .regex(/^[\w.:-]+$/, 'expected an address or a host’s name')
    .describe('of its admin interface, as the balancers reach it'),
  port: portNumber.default(6032).describe('of its admin interface'),
  user: z.string().min(1).default('radmin').describe('an administrator that may log in from elsewhere'),
  password: secret.describe('the administrator’s; keep it where the other secrets are'),
  writer_hostgroup: z.int().min(0).describe('the hostgroup that writes are sent to'),
});

const vip = z.strictObject({
  kind: z.literal('vip').describe('an address on the primary’s host'),
  name: shortName.describe('what it is called here'),
  address: z
    .string()
    .refine((text) => isNetworkAddress(text), 'expected an IP address, with or without its prefix length')
    .transform(withPrefix)
    .describe('the address; without a prefix length, it alone (/32, /128)'),
  interface: z
    .string()
    .regex(/^[\w.-]{1,15}$/, 'expected the name of a network interface')
    .describe('of each instance’s host'),
  moved_by: z
    .enum(['failover', 'keepalived'])
    .default('failover')
    .describe('who adds and removes it; keepalived is only looked at'),
});

const dns = z.strictObject({
  kind: z.literal('dns').describe('a name with the primary’s address, changed by RFC 2136'),
  name: shortName.optional().describe('what it is called here; the record without it'),
  record: domainName.describe('the name by which writers find the primary'),
  zone: domainName.optional().describe('the zone that has it; the name server says so without it'),
  server: ipAddress.describe('the zone’s primary server, as the balancers reach it'),
  port: portNumber.default(53),
  ttl: z.int().min(1).max(3600).default(5).describe('seconds for which the old address may be remembered'),
  ...tsigKey,
});

const one = z.discriminatedUnion('kind', [haproxy, proxysql, vip, dns]);

/** All ways by which the writers of one cluster find the primary. */
export const endpointsSchema = z
  .array(one)
  .min(1)
  .superRefine((all, context) => {
    const names = all.map(nameOf);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) === index) continue;
      context.addIssue({ code: 'custom', path: [index], message: `"${name}" is there twice` });
    }
  });

export type EndpointSpec = z.infer<typeof one>;

/** Without the setting, writers come by the HAProxy of each balancer. */
export const DEFAULT_ENDPOINTS: readonly EndpointSpec[] = [{ kind: 'haproxy' }];

/** An HAProxy is named after its host, and stands here for all of them. */
function nameOf(endpoint: EndpointSpec): string {
  switch (endpoint.kind) {
    case 'haproxy':
      return 'haproxy';
    case 'dns':
      return endpoint.name ?? endpoint.record;
    case 'proxysql':
    case 'vip':
      return endpoint.name;
  }
}

export function endpointName(endpoint: Exclude<EndpointSpec, { kind: 'haproxy' }>): string {
  return nameOf(endpoint);
}

/** The secrets of the endpoints, so that nothing prints them. */
export function endpointSecrets(endpoints: readonly EndpointSpec[] | undefined): readonly Secret[] {
  return (endpoints ?? []).flatMap((endpoint) => {
    switch (endpoint.kind) {
      case 'proxysql':
        return [endpoint.password];
      case 'dns':
        return [endpoint.key_secret];
      case 'haproxy':
      case 'vip':
        return [];
    }
  });
}

/** The balancers by whose HAProxy writers come; none where writers find the primary in other ways only. */
export function haproxiesOf<T>(cluster: {
  readonly balancers: readonly T[];
  readonly endpoints?: readonly EndpointSpec[] | undefined;
}): readonly T[] {
  const endpoints = cluster.endpoints ?? DEFAULT_ENDPOINTS;
  return endpoints.some(({ kind }) => kind === 'haproxy') ? cluster.balancers : [];
}

function isNetworkAddress(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const longest = isIP(address) === 6 ? 128 : 32;
  return (
    isIP(address) !== 0 &&
    more.length === 0 &&
    (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= longest))
  );
}

function withPrefix(text: string): string {
  if (text.includes('/')) return text;
  return `${text}/${isIP(text) === 6 ? 128 : 32}`;
}
