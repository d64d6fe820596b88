import { z } from 'zod';

import type { DrainOutcome } from '../../site/drain.ts';

// What `provision drain --json` and `undrain --json` print: one object each.

const drainedSchema = z
  .strictObject({
    by: z.string(),
    since: z.number().describe('milliseconds since 1970'),
    reason: z.string(),
  })
  .optional()
  .describe('who took it out, when and why');

const leftSchema = z.array(
  z.strictObject({
    balancer: z.string(),
    part: z.enum(['requests', 'reads']),
    current: z.int().positive(),
  }),
);

export const drainSchema = z
  .strictObject({
    type: z.literal('drain'),
    host: z.string(),
    drained: z.boolean().describe('it is out, and has no request left to answer'),
    requests: leftSchema.describe('requests that run still, after the time was over'),
    reads: leftSchema.describe('reading sessions of its database, which end when that does'),
    before: drainedSchema.describe('who had taken it out before; missing: it was in service'),
    ms: z.int().nonnegative(),
  })
  .describe('The object of `provision drain`.');

export const undrainSchema = z
  .strictObject({
    type: z.literal('undrain'),
    host: z.string(),
    drained: drainedSchema.describe('who had taken it out; missing: it was in service'),
  })
  .describe('The object of `provision undrain`.');

const onBalancerSchema = z.strictObject({
  balancer: z.string(),
  isOut: z.boolean(),
  requests: z.int().nonnegative(),
  reads: z.int().nonnegative(),
  healthy: z.boolean().describe("what the balancer's own check says"),
});
export type OnBalancer = z.infer<typeof onBalancerSchema>;

export const drainStatusSchema = z
  .strictObject({
    type: z.literal('drain-status'),
    servers: z.array(
      z.strictObject({
        name: z.string(),
        drained: drainedSchema.describe('who took it out; missing: nobody'),
        balancers: z.array(onBalancerSchema),
      }),
    ),
    cutOff: z
      .array(z.strictObject({ host: z.string(), instance: z.string(), by: z.string(), reason: z.string() }))
      .describe('drains that were cut off: the watch leaves the instance alone, and its host is in service'),
  })
  .describe('The object of `provision drain --status`.');
export type DrainStatus = z.infer<typeof drainStatusSchema>;

/** What became of a drain. */
export function drainJson(
  host: string,
  { requests, reads, before }: DrainOutcome,
  ms: number,
): z.infer<typeof drainSchema> {
  return {
    type: 'drain',
    host,
    drained: requests.length === 0,
    requests: [...requests],
    reads: [...reads],
    ...(before === undefined ? {} : { before }),
    ms: Math.round(ms),
  };
}

/** What became of an undrain. */
export function undrainJson(host: string, drained: DrainOutcome['before']): z.infer<typeof undrainSchema> {
  return { type: 'undrain', host, ...(drained === undefined ? {} : { drained }) };
}
