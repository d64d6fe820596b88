import { z } from 'zod';

import type { AddressStatus } from '../../site/address-status.ts';
import type { HandOverOutcome } from '../../site/hand-over.ts';

// What `provision handover --json` prints: one object.

const count = z.int().nonnegative();

export const handoverSchema = z
  .strictObject({
    type: z.literal('handover'),
    from: z.string(),
    to: z.string(),
    moved: z.array(z.string()).describe('the addresses that have moved; none: it held none'),
    left: count.describe('connections that were open still when the time was over'),
    ms: count,
  })
  .describe('The object of `provision handover BALANCER`.');

export const handoverStaySchema = z
  .strictObject({ type: z.literal('handover-stay'), balancer: z.string() })
  .describe('The object of `provision handover BALANCER --stay`: it may hold addresses again.');

export const handoverStatusSchema = z
  .strictObject({
    type: z.literal('handover-status'),
    balancers: z.array(
      z.strictObject({
        balancer: z.string(),
        addresses: z.array(
          z.strictObject({
            address: z.string(),
            held: z.boolean(),
            passes: z
              .array(z.strictObject({ peer: z.string(), seconds: count }))
              .describe('who gets packets of connections that are unknown there, and for how much longer'),
          }),
        ),
        yields: z.boolean().describe('it gives its addresses to another balancer that works'),
        longestFinish: count
          .optional()
          .describe('how many seconds connections may take at most once it holds nothing'),
        connections: count.describe('connections of clients that are open there'),
        open: z.array(z.string()).describe('some of them: state, local and remote address'),
      }),
    ),
  })
  .describe('The object of `provision handover --status`.');

export function handoverJson(
  from: string,
  to: string,
  { moved, left, ms }: HandOverOutcome,
): z.infer<typeof handoverSchema> {
  return { type: 'handover', from, to, moved: [...moved], left, ms: Math.round(ms) };
}

export function handoverStatusJson(
  balancers: readonly AddressStatus[],
): z.infer<typeof handoverStatusSchema> {
  return {
    type: 'handover-status',
    balancers: balancers.map(({ longestFinish, ...one }) => ({
      ...one,
      ...(longestFinish === undefined ? {} : { longestFinish }),
      addresses: one.addresses.map((each) => ({ ...each, passes: [...each.passes] })),
      open: [...one.open],
    })),
  };
}
