import { z } from 'zod';

// What `provision logs` prints with --json: one object a line.

export const logLineSchema = z
  .strictObject({
    type: z.literal('log'),
    at: z.string().describe('when, by UTC in ISO 8601, to the microsecond where the log knows it'),
    host: z.string(),
    unit: z.string().describe('the systemd unit without `.service`, or the program that ran outside of one'),
    priority: z
      .number()
      .nullable()
      .describe('as syslog counts: 3 error, 4 warning, 6 info; null: the log says none'),
    message: z.string(),
  })
  .meta({ id: 'log' });
