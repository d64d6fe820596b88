import { z } from 'zod';

// What `provision open` prints with --json, once the way is open.

export const openSchema = z
  .strictObject({
    type: z.literal('open'),
    service: z.string(),
    host: z.string().describe('the host that connections go through'),
    url: z.string().describe('where it answers on this machine, until the command ends'),
    port: z.number(),
  })
  .meta({ id: 'open' });
