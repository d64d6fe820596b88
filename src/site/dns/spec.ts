import { z } from 'zod';

import { domainName, ipAddress, portNumber, tsigKey } from '../../lib/dns-forms.ts';

const name = z
  .string()
  .transform((text) => ({ front: text.startsWith('*.') ? '*.' : '', rest: text.replace(/^\*\./, '') }))
  .pipe(z.object({ front: z.string(), rest: domainName }).transform(({ front, rest }) => `${front}${rest}`));

/** The variable `site_dns`: the names of the site, and who has them. */
export const siteDnsSchema = z.strictObject({
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
});

export interface SiteDns extends Omit<z.infer<typeof siteDnsSchema>, 'addresses'> {
  readonly addresses: readonly string[];
}
