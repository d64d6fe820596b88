import { z } from 'zod';

import { memorySchema } from '../cluster/memory.ts';
import { journalEntrySchema, leaseOwnerSchema } from './records.ts';

const id = z.int();

/** A request of the operator's side to the keeper of the files; one JSON object a line. */
export const questionSchema = z.discriminatedUnion('call', [
  z.object({ id, call: z.literal('ping') }),
  z.object({ id, call: z.literal('acquire'), owner: leaseOwnerSchema }),
  z.object({ id, call: z.literal('confirm') }),
  z.object({ id, call: z.literal('release') }),
  z.object({ id, call: z.literal('holder') }),
  z.object({ id, call: z.literal('memory') }),
  // Replaces the memory by `next` if its text is still `was`; answers whether it did.
  z.object({ id, call: z.literal('swap'), was: z.string(), next: memorySchema }),
  z.object({ id, call: z.literal('write'), entry: journalEntrySchema }),
  z.object({ id, call: z.literal('history'), limit: z.int().nonnegative() }),
]);

export type Question = z.infer<typeof questionSchema>;
/** A request without its id. */
export type Call = Question extends infer One ? (One extends unknown ? Omit<One, 'id'> : never) : never;
