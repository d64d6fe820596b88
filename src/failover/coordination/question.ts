import { z } from 'zod';

import { memorySchema } from '../cluster/memory.ts';
import { journalEntrySchema, leaseOwnerSchema } from './records.ts';

const id = z.int();

/** What the operator's side asks of the machine that keeps the files; one JSON object a line. */
export const questionSchema = z.discriminatedUnion('call', [
  z.object({ id, call: z.literal('ping') }),
  z.object({ id, call: z.literal('acquire'), owner: leaseOwnerSchema }),
  z.object({ id, call: z.literal('confirm') }),
  z.object({ id, call: z.literal('release') }),
  z.object({ id, call: z.literal('holder') }),
  z.object({ id, call: z.literal('memory') }),
  // Answers whether the memory was still `was`, as text, and has become `next`.
  z.object({ id, call: z.literal('swap'), was: z.string(), next: memorySchema }),
  z.object({ id, call: z.literal('write'), entry: journalEntrySchema }),
  z.object({ id, call: z.literal('history'), limit: z.int().nonnegative() }),
]);

export type Question = z.infer<typeof questionSchema>;
/** A question before it has its number. */
export type Call = Question extends infer One ? (One extends unknown ? Omit<One, 'id'> : never) : never;
