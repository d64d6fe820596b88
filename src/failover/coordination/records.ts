import { z } from 'zod';

import { UserError } from '../../lib/errors.ts';
import { CHANGE_KINDS } from '../cluster/change-kind.ts';
import { type Memory, memorySchema } from '../cluster/memory.ts';
import { openObject } from '../cluster/open-object.ts';
import { EMPTY_MEMORY } from './empty-memory.ts';
import { refuseNewer } from './record-version.ts';

// Every record that is stored or sent, as a schema: the source of its type and the check of whatever is read. It is
// loaded when the first record is read, beside the connections that are being opened meanwhile.

export const leaseOwnerSchema = openObject({ who: z.string(), purpose: z.string() });

/** Who has the right to change a cluster, and what for. */
export type LeaseOwner = z.infer<typeof leaseOwnerSchema>;

const journalStepSchema = openObject({
  name: z.string(),
  instance: z.string().optional(),
  status: z.enum(['running', 'done', 'failed', 'undone', 'skipped']),
  ms: z.number(),
  message: z.string().optional(),
});

export const journalEntrySchema = openObject({
  id: z.string(),
  epoch: z.int(),
  at: z.number().describe('milliseconds since 1970'),
  who: z.string(),
  kind: z.enum(CHANGE_KINDS),
  reason: z.string(),
  from: z.string().optional(),
  to: z.string(),
  steps: z.array(journalStepSchema).readonly(),
  outcome: z.enum(['running', 'done', 'undone', 'failed']),
  lostGtids: z.string(),
  gtids: z.record(z.string(), z.string()).readonly().describe('what each instance had before, by name'),
  ms: z.number(),
  message: z.string().optional(),
  attempts: z
    .int()
    .optional()
    .describe('how many attempts in a row the entry stands for; the steps are those of the last one'),
});

/** An entry of the journal: what was done, when, by whom, why, and how it ended. */
export type JournalEntry = z.infer<typeof journalEntrySchema>;
export type JournalStep = z.infer<typeof journalStepSchema>;

/** A memory that was stored as JSON; what is not one is a `UserError` that names `where`. */
export function parseMemory(text: string, where: string): Memory {
  return memoryFrom(plain(text, where), where);
}

/** The same for a value that came out of JSON already. */
export function memoryFrom(value: unknown, where: string): Memory {
  const { version: _version, ...memory } = checked<Memory & { readonly version?: number }>(
    memorySchema,
    value,
    where,
  );
  return { ...EMPTY_MEMORY, ...memory };
}

/** An entry of the journal that was stored as JSON; what is not one is a `UserError` that names `where`. */
export function parseEntry(text: string, where: string): JournalEntry {
  return entryFrom(plain(text, where), where);
}

/** The same for a value that came out of JSON already. */
export function entryFrom(value: unknown, where: string): JournalEntry {
  const { version: _version, ...entry } = checked<JournalEntry & { readonly version?: number }>(
    journalEntrySchema,
    value,
    where,
  );
  return entry;
}

/** Who holds a lock, as a value that came out of JSON. */
export function leaseOwnerFrom(value: unknown, where: string): LeaseOwner {
  return checked(leaseOwnerSchema, value, where);
}

/** A value that fits its schema; a newer one, or one that does not, is a `UserError` that names `where`. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  refuseNewer(value, where);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`,
  );
  throw broken(where, issues.join('; '));
}

function plain(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw broken(where, `it is not JSON (${(error as Error).message})`);
  }
}

function broken(where: string, why: string): UserError {
  return new UserError({
    message: `${where} cannot be read: ${why}`,
    hint: 'restore it from a copy, or remove it: then what it remembered is forgotten',
  });
}
