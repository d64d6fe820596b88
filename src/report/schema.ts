import { z } from 'zod';

// What `provision … --json` prints, one object a line. docs/json.md is generated from this file.

const counter = z.int().nonnegative();
const milliseconds = z.int().nonnegative();

const locationSchema = z
  .strictObject({ file: z.string(), line: z.int().positive(), column: z.int().positive() })
  .describe('a place in a file; lines and columns count from 1');

export const playSchema = z
  .strictObject({
    type: z.literal('play'),
    name: z.string(),
    hosts: z.array(z.string()).describe('the hosts of the play, or of the batch'),
    batch: z
      .strictObject({ number: z.int().positive(), of: z.int().positive() })
      .optional()
      .describe('with `serial`: which batch of hosts this is'),
  })
  .describe('A play starts.');

export const taskSchema = z
  .strictObject({
    type: z.literal('task'),
    name: z.string(),
    role: z.string().optional(),
    module: z.string().describe('the fully qualified name'),
    handler: z.boolean(),
    at: locationSchema,
    hosts: z.array(z.string()).describe('the hosts it will run on'),
  })
  .describe('A task starts on its hosts.');

const diffSchema = z.strictObject({
  subject: z.string().describe('the path of a file, or what else changed'),
  before: z.string(),
  after: z.string(),
});

export const resultSchema = z
  .strictObject({
    type: z.literal('result'),
    host: z.string(),
    task: z.string(),
    module: z.string().describe('the fully qualified name'),
    status: z.enum(['ok', 'changed', 'skipped', 'failed', 'unreachable']),
    item: z.string().optional().describe("in a loop: the item's label"),
    diff: z.array(diffSchema).optional().describe('with `--diff`: what changed, or would change'),
    message: z.string().optional().describe('why it failed or was skipped, or what it has to say'),
    output: z.string().optional().describe('what a failed command printed'),
    ignored: z.boolean().optional().describe('the failure was ignored (`ignore_errors`)'),
    delegatedTo: z.string().optional().describe('the host it ran on instead'),
    ms: milliseconds,
  })
  .describe('A task, or one item of its loop, ended on one host.');

const countsSchema = z.strictObject({
  ok: counter,
  changed: counter,
  skipped: counter,
  failed: counter,
  unreachable: counter,
  rescued: counter,
  ignored: counter,
});

export const recapSchema = z
  .strictObject({
    type: z.literal('recap'),
    hosts: z.record(z.string(), countsSchema),
    ms: milliseconds,
    interrupted: z.literal(true).optional().describe('the run was interrupted before its end'),
  })
  .describe('The last line: how often each status occurred on each host.');

const packageChangeSchema = z.strictObject({
  name: z.string(),
  from: z.string().optional().describe('the version before; without it the package is new'),
  to: z.string().optional().describe('the version after; without it the package is gone'),
});

export const upgradePlanSchema = z
  .strictObject({
    type: z.literal('upgrade-plan'),
    hosts: z.record(
      z.string(),
      z.strictObject({
        packages: z.array(packageChangeSchema),
        kept: z
          .array(z.strictObject({ name: z.string(), why: z.enum(['held', 'needs others']) }))
          .describe('packages that stay although there is a newer one'),
        restarts: z.array(z.string()).describe('the services that will be restarted'),
        reboot: z.array(z.string()).describe('why the host has to be booted; empty: it need not be'),
      }),
    ),
  })
  .describe('`provision upgrade`, before anything is done: what there is to do on which host.');

export const upgradeSchema = z
  .strictObject({
    type: z.literal('upgrade'),
    hosts: z.record(
      z.string(),
      z.strictObject({
        packages: z.array(packageChangeSchema),
        aside: z.array(z.string()).describe('configuration that packages brought and that was not taken'),
        stale: z.array(z.string()).describe('services that run replaced code still'),
        reboot: z.array(z.string()).describe('why the host has to be booted still'),
      }),
    ),
  })
  .describe('`provision upgrade`, at its end, also when it stopped: what the hosts say has changed.');

export const rebootPlanSchema = z
  .strictObject({
    type: z.literal('reboot-plan'),
    hosts: z.record(
      z.string(),
      z.strictObject({ reasons: z.array(z.string()).describe('why it has to be booted') }),
    ),
  })
  .describe('`provision reboot`, before anything is done: which hosts will be booted.');

/** One line of `provision … --json`. */
export const lineSchema = z.discriminatedUnion('type', [
  playSchema,
  taskSchema,
  resultSchema,
  recapSchema,
  upgradePlanSchema,
  upgradeSchema,
  rebootPlanSchema,
]);

export type Line = z.infer<typeof lineSchema>;
