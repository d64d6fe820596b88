import { z } from 'zod';

import type { LimitedClient } from '../../site/limits.ts';

// What `provision limits --json` prints: one object.

const count = z.int().nonnegative();

export const limitsSchema = z
  .strictObject({
    type: z.literal('limits'),
    balancers: z.array(z.string()),
    clients: z
      .array(
        z.strictObject({
          client: z.string().describe('an IPv4 address, or an IPv6 network of 64 bits'),
          table: z
            .string()
            .describe('`clients` for requests, `connections`, or `path_NAME` for what is under a path'),
          refused: count.describe('how often, since it was seen first'),
          refusedInMinute: count.describe('how often in the last minute: 0 for one that is limited no more'),
          rates: z
            .strictObject({
              connections: count.optional().describe('open at once, on all balancers'),
              newConnections: count.optional().describe('in 10 seconds'),
              requests: count.optional().describe("in 10 seconds; of a path, in that limit's time"),
              errors: count.optional().describe('answers of 400 to 499 in a minute'),
              uploadedBytes: count.optional().describe('in 10 seconds'),
            })
            .describe('what it does now'),
        }),
      )
      .describe('the most refused in the last minute first'),
  })
  .describe('The object of `provision limits`.');

export const limitsClearSchema = z
  .strictObject({ type: z.literal('limits-clear'), client: z.string(), balancers: z.array(z.string()) })
  .describe('The object of `provision limits --clear CLIENT`: the balancers that had counted it.');

export function limitsJson(
  balancers: readonly string[],
  clients: readonly LimitedClient[],
): z.infer<typeof limitsSchema> {
  return { type: 'limits', balancers: [...balancers], clients: clients.map((one) => ({ ...one })) };
}
