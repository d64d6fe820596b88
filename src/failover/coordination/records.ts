import { z } from 'zod';

import { UserError } from '../../lib/errors.ts';
import { CHANGE_KINDS } from '../cluster/change-kind.ts';
import { type Memory, memorySchema } from '../cluster/memory.ts';
import { openObject } from '../cluster/open-object.ts';
import { EMPTY_MEMORY } from './empty-memory.ts';
import { refuseNewer } from './record-version.ts';

// The schemas of every record that is stored or sent: types are derived from them, and records are checked against
// them when they are read. This module is loaded when the first record is read, while connections are being opened.

export const leaseOwnerSchema = openObject({ who: z.string(), purpose: z.string() });

/** Who holds the lock of a cluster, and what for. */
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
  accepted: z
    .array(z.string())
    .readonly()
    .optional()
    .describe('the risks that the operator accepted, by name'),
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

/** Parses a memory that was stored as JSON; rejects anything else with a `UserError` that names `where`. */
export function parseMemory(text: string, where: string): Memory {
  return memoryFrom(plain(text, where), where);
}

/** The same for a value that was parsed already. */
export function memoryFrom(value: unknown, where: string): Memory {
  const { version: _version, ...memory } = checked<Memory & { readonly version?: number }>(
    memorySchema,
    value,
    where,
  );
  return { ...EMPTY_MEMORY, ...memory };
}

/** Parses a journal entry that was stored as JSON; rejects anything else with a `UserError` that names `where`. */
export function parseEntry(text: string, where: string): JournalEntry {
  return entryFrom(plain(text, where), where);
}

/** The same for a value that was parsed already. */
export function entryFrom(value: unknown, where: string): JournalEntry {
  const { version: _version, ...entry } = checked<JournalEntry & { readonly version?: number }>(
    journalEntrySchema,
    value,
    where,
  );
  return entry;
}

/** Checks the owner of a lock in a parsed value. */
export function leaseOwnerFrom(value: unknown, where: string): LeaseOwner {
  return checked(leaseOwnerSchema, value, where);
}

/** Checks a value against its schema; throws a `UserError` that names `where` when it does not fit or is newer. */
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
