import { z } from 'zod';
import { BALANCER_KINDS } from '../../balancer/balancer.ts';

import { CHANGE_KINDS } from '../cluster/change-kind.ts';
import { PROMOTION_RULES } from '../cluster/promotion-rule.ts';

// What `failover … --json` prints. docs/failover-json.md is generated from this file.

const milliseconds = z.int().nonnegative();

const problemSchema = z.strictObject({
  code: z.string().describe('stable, e.g. `DeadPrimary`'),
  severity: z.enum(['critical', 'warning', 'notice']),
  instance: z.string().nullable().describe('null: the cluster as a whole'),
  message: z.string(),
  remedy: z.string().describe('what to do about it'),
});

const instanceSchema = z.strictObject({
  name: z.string().describe('`db2`'),
  host: z.string().describe("the inventory's host that carries it"),
  address: z.string(),
  port: z.int(),
  role: z.enum(['primary', 'replica', 'unknown']),
  reachable: z.boolean(),
  silence: z.string().nullable().describe('why it did not answer'),
  flavour: z.enum(['mysql', 'mariadb']).nullable(),
  version: z.string().nullable().describe('as it says it'),
  readOnly: z.boolean().nullable(),
  superReadOnly: z.boolean().nullable(),
  gtidExecuted: z.string().nullable().describe("in the flavour's notation"),
  source: z.string().nullable().describe('the instance it replicates from, or `HOST:PORT`'),
  receiver: z.enum(['on', 'connecting', 'off']).nullable(),
  applier: z.enum(['on', 'off']).nullable(),
  lagSeconds: z.number().nullable(),
  semiSync: z.strictObject({
    source: z.boolean().nullable().describe('it waits for acknowledgements'),
    replica: z.boolean().nullable().describe('it acknowledges'),
    ackers: z.int().nullable().describe('replicas that acknowledge to it'),
  }),
  promotionRule: z.enum(PROMOTION_RULES),
  problems: z.array(z.string()).describe('codes'),
});

const sessionStoreSchema = z
  .strictObject({
    primary: z.string().nullable().describe('the host; null: none, or several'),
    members: z.array(
      z.strictObject({
        host: z.string(),
        address: z.string(),
        reachable: z.boolean().describe('the host'),
        role: z.enum(['primary', 'replica']).nullable().describe('null: its Valkey does not answer'),
        version: z.string().nullable(),
        follows: z.string().nullable().describe('the address of its primary'),
        connected: z.boolean().nullable().describe('to its primary'),
        behindBytes: z.int().nullable().describe('what it lacks, as the primary says'),
        lagSeconds: z.number().nullable().describe('since the primary heard last how far it is'),
        usedBytes: z.int().nullable(),
        maxBytes: z.int().nullable().describe('0: as much as there is'),
        sentinel: z
          .strictObject({
            primary: z.string().describe('the address that it takes for the primary’s'),
            others: z.int().describe('Sentinels that it knows'),
            quorum: z.boolean().describe('enough of them reach each other to choose another primary'),
          })
          .nullable()
          .describe('null: it does not answer'),
      }),
    ),
    problems: z.array(
      z.strictObject({
        code: z.string().describe('stable, e.g. `NoSessionPrimary`'),
        severity: z.enum(['critical', 'warning']),
        host: z.string().nullable().describe('null: the store as a whole'),
        message: z.string(),
        remedy: z.string(),
      }),
    ),
  })
  .describe('The store of sessions (`session_store: valkey`).');

/** `failover status --json`. */
export const statusSchema = z
  .strictObject({
    cluster: z.string(),
    epoch: z.int().nonnegative().describe('grows with every change of topology'),
    primary: z.string().nullable(),
    paused: z.string().nullable().describe('why automatic recovery is paused'),
    pausedUntil: z.iso.datetime().nullable().describe('when the pause ends by itself'),
    watchers: z.array(z.string()).describe('who watches and has said so lately, e.g. `watch@lb1`'),
    instances: z.array(instanceSchema),
    balancers: z.array(
      z.strictObject({
        name: z.string(),
        kind: z.enum(BALANCER_KINDS).describe('how writers find the primary by it'),
        reachable: z.boolean(),
        writers: z.array(z.string()).describe('hosts that get writer sessions; one is right'),
      }),
    ),
    problems: z.array(problemSchema).describe('the most urgent first'),
    sessions: sessionStoreSchema
      .nullable()
      .describe(
        'with the cluster whose hosts have it; null: there is none, or a balancer asks, which has no way to it',
      ),
    ms: milliseconds.describe('how long reading took'),
  })
  .describe('The topology at one moment.');

/** `failover analyse --json`. */
export const analysisSchema = z
  .strictObject({
    cluster: z.string(),
    primary: z.string().nullable(),
    problems: z.array(problemSchema),
    candidates: z.array(
      z.strictObject({
        name: z.string(),
        limitation: z.string().nullable().describe('why it cannot be promoted'),
        behind: z.int().nullable().describe('transactions that it lacks'),
        advantages: z.array(z.string()),
        drawbacks: z.array(z.string()),
      }),
    ),
  })
  .describe('What is wrong, and who could become the primary.');

export const stepSchema = z
  .strictObject({
    type: z.literal('step'),
    name: z.string(),
    instance: z.string().nullable(),
    status: z.enum(['running', 'done', 'failed', 'undone', 'skipped']),
    ms: milliseconds,
    message: z.string().optional(),
  })
  .describe('A step begins, ends or is taken back.');

export const planSchema = z
  .strictObject({
    type: z.literal('plan'),
    kind: z.enum(CHANGE_KINDS),
    from: z.string().nullable(),
    to: z.string(),
    notes: z.array(z.string()),
    lostGtids: z.string(),
    accepted: z.array(z.string()).describe('the risks that the operator accepted with `--force`'),
    steps: z.array(z.strictObject({ name: z.string(), instance: z.string().nullable(), stage: z.int() })),
  })
  .describe('With `--dry-run`: what would be done.');

export const refusalSchema = z
  .strictObject({
    type: z.literal('refused'),
    refusals: z.array(
      z.strictObject({
        code: z.string(),
        instance: z.string().nullable(),
        message: z.string(),
        remedy: z.string(),
        forceable: z.boolean().describe('`--force` goes ahead in spite of it'),
        risk: z.string().nullable().describe('the name by which `--force` accepts it'),
        details: z.array(z.string()),
      }),
    ),
    accept: z
      .string()
      .nullable()
      .describe('the command that accepts all of them; null: one cannot be accepted'),
  })
  .describe('The last line when nothing was done: every reason why.');

export const resultSchema = z
  .strictObject({
    type: z.literal('result'),
    id: z.string().describe("of the journal's entry"),
    epoch: z.int(),
    kind: z.enum(CHANGE_KINDS),
    outcome: z.enum(['done', 'undone', 'failed']),
    from: z.string().nullable(),
    to: z.string(),
    unwritableMs: milliseconds
      .nullable()
      .describe(
        'from the old primary refusing writes to the new one accepting them; null: there was nobody to refuse',
      ),
    lostGtids: z.string(),
    accepted: z.array(z.string()).describe('the risks that the operator accepted with `--force`'),
    fenced: z.array(z.string()).describe('what keeps the old primary from taking writes'),
    rejoined: z.array(z.string()),
    warnings: z.array(z.string()).describe('steps that may fail, and did'),
    left: z.array(z.string()).describe('what is still to be done'),
    verified: z.boolean().describe('the topology was read again and is as it should be'),
    message: z.string().nullable(),
    ms: milliseconds,
  })
  .describe('The last line of a change of topology.');

/** One line of `failover promote|rejoin|relocate --json`. */
export const changeLineSchema = z.discriminatedUnion('type', [
  planSchema,
  stepSchema,
  refusalSchema,
  resultSchema,
]);

/** One line of `failover history --json`. */
export const historySchema = z
  .strictObject({
    id: z.string(),
    epoch: z.int(),
    at: z.iso.datetime(),
    who: z.string(),
    kind: z.string(),
    reason: z.string(),
    from: z.string().nullable(),
    to: z.string(),
    outcome: z.enum(['running', 'done', 'undone', 'failed']),
    lostGtids: z.string(),
    accepted: z.array(z.string()).optional().describe('the risks that the operator accepted with `--force`'),
    gtids: z.record(z.string(), z.string()).describe('what each instance had before, by name'),
    ms: milliseconds,
    message: z.string().nullable(),
    attempts: z.int().optional().describe('of how many attempts in a row this is the last'),
    steps: z.array(stepSchema.omit({ type: true })),
  })
  .describe('A change of topology.');

export type SessionStoreJson = z.infer<typeof sessionStoreSchema>;
export type StatusJson = z.infer<typeof statusSchema>;
export type AnalysisJson = z.infer<typeof analysisSchema>;
export type ChangeLine = z.infer<typeof changeLineSchema>;
export type HistoryJson = z.infer<typeof historySchema>;
