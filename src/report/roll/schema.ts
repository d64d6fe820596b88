import { z } from 'zod';

import { COUNTER_NAMES, COUNTERS, type CounterName } from '../../site/counters.ts';
import { PHASES, rollRecordSchema, rollSettingsSchema } from '../../site/roll/record.ts';

// What `provision roll --json` and the commands made of it print besides the lines of a run, and `provision history`.

const time = z.int().nonnegative().describe('milliseconds since 1970');
const milliseconds = z.int().nonnegative();

const moveSchema = z.strictObject({
  cluster: z.string(),
  from: z.string().describe('the instance that is the primary'),
  host: z.string(),
  among: z.array(z.string()).describe('one of these becomes the primary; none: whichever can'),
});

const timetableSchema = z
  .strictObject({
    type: z.literal('timetable'),
    batches: z.array(
      z.strictObject({
        hosts: z.array(z.string()),
        drains: z.array(z.string()).describe('those of them that are taken out of service'),
        moves: z.array(moveSchema).describe('primaries that move away before'),
      }),
    ),
  })
  .describe('`provision roll`: the order in which hosts are taken. With `--dry-run` the only line.');

const rollSchema = z
  .strictObject({
    type: z.literal('roll'),
    id: z.string(),
    purpose: z.string().describe('the command that it is, without `provision`'),
    who: z.string(),
    at: time,
    hosts: z.array(z.string()).describe('in the order of the inventory'),
    settings: rollSettingsSchema.optional(),
  })
  .describe('A roll begins, or goes on.');

const phaseSchema = z
  .strictObject({
    type: z.literal('phase'),
    host: z.string(),
    phase: z.enum(PHASES),
    status: z
      .enum(['running', 'waiting', 'done', 'failed'])
      .describe('`waiting`: it goes on when what the message says has passed'),
    at: time,
    message: z.string().optional(),
  })
  .describe(
    'What happens to a host. Between `running` and the end of `work` there are the lines of its run.',
  );

const endSchema = z
  .strictObject({
    type: z.literal('roll-end'),
    id: z.string(),
    at: time,
    outcome: z.enum(['done', 'stopped', 'interrupted']),
    message: z.string().optional().describe('why it stopped'),
  })
  .describe('A roll ends.');

const countsSchema = z.strictObject(
  Object.fromEntries(
    COUNTER_NAMES.map((name) => [name, z.int().nonnegative().describe(COUNTERS[name].what)]),
  ) as Record<CounterName, z.ZodInt>,
);

const reportSchema = z
  .strictObject({
    type: z.literal('report'),
    id: z.string(),
    outcome: z.enum(['done', 'stopped', 'interrupted']),
    ms: milliseconds,
    hosts: z.array(
      z.strictObject({
        name: z.string(),
        state: z.enum(['waiting', 'begun', 'worked', 'done']),
        outOfServiceMs: milliseconds,
      }),
    ),
    traffic: z
      .strictObject({
        counts: countsSchema,
        slowestMs: milliseconds.optional().describe('the slowest request'),
        slowestIsBound: z
          .boolean()
          .describe('none was slower than one before the roll: `slowestMs` is that one’s'),
        notCounted: z.array(z.string()).describe('what could not be counted'),
      })
      .optional()
      .describe('what the balancers’ HAProxy counted while it ran; missing when none of them said anything'),
  })
  .describe('The last line of a roll: what became of it, and of the requests that came meanwhile.');

export const rollLineSchema = z.discriminatedUnion('type', [
  timetableSchema,
  rollSchema,
  phaseSchema,
  endSchema,
  reportSchema,
]);

export type RollLine = z.infer<typeof rollLineSchema>;

const { version: _, hosts, ...kept } = rollRecordSchema.shape;

/** A line of `provision history --json`. */
export const rollHistorySchema = z
  .strictObject({
    type: z.literal('roll-record'),
    ...kept,
    hosts: z.array(hosts.element.extend({ outOfServiceMs: milliseconds })).describe(hosts.description ?? ''),
  })
  .describe('`provision history`: a roll as the journal keeps it, the newest first.');

export type RollHistoryLine = z.infer<typeof rollHistorySchema>;
