import { z } from 'zod';

// What `provision open` and `provision page` print with --json, once the way is open.

export const openSchema = z
  .strictObject({
    type: z.literal('open'),
    service: z.string().describe('`prometheus`, `alertmanager` or `page`'),
    host: z.string().describe('the host that connections go through'),
    url: z.string().describe('where it answers on this machine, until the command ends'),
    port: z.number(),
  })
  .meta({ id: 'open' });
