import { z } from 'zod';

import type { Answer } from '../../site/dns/answers.ts';
import type { DnsFinding } from '../../site/dns/judge.ts';
import type { SiteDns } from '../../site/dns/spec.ts';

// What `provision dns --json` prints: one object.

export const dnsSchema = z
  .strictObject({
    type: z.literal('dns'),
    addresses: z.array(z.string()).describe('where the names are to lead'),
    answers: z.array(
      z.strictObject({
        name: z.string(),
        server: z.string(),
        addresses: z.array(z.strictObject({ address: z.string(), ttl: z.int().nonnegative() })),
      }),
    ),
    findings: z
      .array(z.strictObject({ name: z.string(), server: z.string(), code: z.string(), message: z.string() }))
      .describe('what is not as it should be; none: all is well'),
  })
  .describe('The object of `provision dns check`.');

export const dnsUpdateSchema = z
  .strictObject({
    type: z.literal('dns-update'),
    dryRun: z.boolean(),
    updates: z.array(
      z.strictObject({ name: z.string(), from: z.array(z.string()), to: z.array(z.string()) }),
    ),
  })
  .describe('The object of `provision dns update`: the names whose records were replaced, or would be.');

export function dnsJson(
  { addresses }: SiteDns,
  answers: readonly Answer[],
  findings: readonly DnsFinding[],
): z.infer<typeof dnsSchema> {
  return {
    type: 'dns',
    addresses: [...addresses],
    answers: answers.map((one) => ({
      name: one.name,
      server: one.server,
      addresses: one.addresses.map((each) => ({ ...each })),
    })),
    findings: findings.map((one) => ({ ...one })),
  };
}
