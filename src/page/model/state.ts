import { z } from 'zod';

import { historySchema, statusSchema } from '../../failover/output/json-schema.ts';

// What the server of the page sends to browsers, whole each time. Databases are as `failover status --json` and
// `failover history --json` say them. Browsers import the types alone.

const time = z.number().describe('milliseconds since 1970');

const databaseSchema = z.strictObject({
  name: z.string(),
  status: statusSchema.nullable().describe('null: not every instance has been asked yet'),
  failure: z.string().nullable().describe('why nothing can be seen'),
  storeFailure: z.string().nullable().describe('why the lock and the journal cannot be read'),
  silentWatchers: z.array(z.string()).describe('watches that have not said for a while that they run'),
  etcd: z.array(z.strictObject({ member: z.string(), trouble: z.string().nullable() })),
  history: z.array(historySchema).describe('the newest first'),
});

const balancerSchema = z.strictObject({
  name: z.string(),
  silence: z.string().nullable().describe('why it does not answer'),
  addresses: z.array(
    z.strictObject({ address: z.string(), held: z.boolean().nullable().describe('null: it did not say') }),
  ),
  servers: z.array(
    z.strictObject({
      name: z.string(),
      part: z.enum(['requests', 'reads']),
      isOut: z.boolean().describe('somebody has taken it out'),
      passes: z.boolean().describe('the check of the balancer'),
      check: z.string().describe('`L7OK`'),
      current: z.int().describe('requests or sessions that it works on'),
    }),
  ),
});

export const pageStateSchema = z.strictObject({
  at: time.describe('when it was seen'),
  from: z.string().describe('the host whose service says so'),
  databases: z.array(databaseSchema),
  balancers: z.array(balancerSchema).describe('empty where none is near'),
  drained: z.array(z.strictObject({ server: z.string(), by: z.string(), since: time, reason: z.string() })),
});

export type PageState = z.infer<typeof pageStateSchema>;
export type DatabaseState = z.infer<typeof databaseSchema>;
export type BalancerState = z.infer<typeof balancerSchema>;
