import { z } from 'zod';

import { memorySchema } from '../cluster/memory.ts';
import { journalEntrySchema, leaseOwnerSchema } from './records.ts';

const id = z.int();
// An operator's older release does not name it: then the keeper has one only.
const cluster = z.string().optional();

/** A request of the operator's side to the keeper of the files; one JSON object a line. */
export const questionSchema = z.discriminatedUnion('call', [
  z.object({ id, cluster, call: z.literal('ping') }),
  z.object({ id, cluster, call: z.literal('acquire'), owner: leaseOwnerSchema }),
  z.object({ id, cluster, call: z.literal('confirm') }),
  z.object({ id, cluster, call: z.literal('release') }),
  z.object({ id, cluster, call: z.literal('holder') }),
  z.object({ id, cluster, call: z.literal('memory') }),
  // Replaces the memory by `next` if its text is still `was`; answers whether it did.
  z.object({ id, cluster, call: z.literal('swap'), was: z.string(), next: memorySchema }),
  z.object({ id, cluster, call: z.literal('write'), entry: journalEntrySchema }),
  z.object({ id, cluster, call: z.literal('history'), limit: z.int().nonnegative() }),
]);

export type Question = z.infer<typeof questionSchema>;
/** A request without its id and its cluster. */
export type Call = Question extends infer One
  ? One extends unknown
    ? Omit<One, 'id' | 'cluster'>
    : never
  : never;
