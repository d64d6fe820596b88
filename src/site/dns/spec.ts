import { z } from 'zod';

import { domainName, ipAddress, portNumber, tsigKey } from '../../lib/dns-forms.ts';

const name = z
  .string()
  .transform((text) => ({ front: text.startsWith('*.') ? '*.' : '', rest: text.replace(/^\*\./, '') }))
  .pipe(z.object({ front: z.string(), rest: domainName }).transform(({ front, rest }) => `${front}${rest}`));

const keys = z.strictObject({
  names: z.array(name).min(1).describe("the site's names; `*.` in front for all below one"),
  addresses: z
    .array(ipAddress)
    .min(1)
    .optional()
    .describe("where they lead; without it, the site's floating addresses"),
  ttl: z.int().min(1).max(86_400).default(60).describe('seconds for which an address may be remembered'),
  ca: domainName
    .optional()
    .describe('the authority that CAA records must permit, by the name that it has there: letsencrypt.org'),
  update: z
    .strictObject({
      server: ipAddress.describe("the zone's primary server, as the balancers reach it"),
      port: portNumber.default(53),
      zone: domainName.optional().describe('the zone that has the names; the name server says so without it'),
      ...tsigKey,
    })
    .optional()
    .describe('the name server that takes updates (RFC 2136), and the key for them'),
  withdraw_after: z
    .int()
    .min(10)
    .max(3600)
    .optional()
    .describe('seconds after which an address that no balancer holds leaves the names; without it, never'),
});

/** The variable `site_dns`: the names of the site, and who has them. */
export const siteDnsSchema = keys.superRefine(({ withdraw_after, addresses, update }, context) => {
  const problem = (message: string): void =>
    context.addIssue({ code: 'custom', path: ['withdraw_after'], message });
  if (withdraw_after === undefined) return;
  if (update === undefined) problem('expected `update` beside it: the server that is told');
  // Nobody can say whether a balancer holds what a router translates.
  if (addresses !== undefined)
    problem('expected no `addresses` beside it: the names lead to the floating addresses themselves');
});

export interface SiteDns extends Omit<z.infer<typeof siteDnsSchema>, 'addresses'> {
  readonly addresses: readonly string[];
}

/** What a watch on a balancer reads: `/etc/understudy/names.json`, for root alone, since it holds the key. */
export const namesFileSchema = z.strictObject({
  site_dns: siteDnsSchema,
  addresses: z.array(ipAddress).min(1).describe('the floating ones'),
  others: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        address: z.string().min(1).describe('where this balancer reaches it'),
        interface: z.string().min(1).describe('on which the addresses live there'),
      }),
    )
    .describe('the other balancers'),
});
