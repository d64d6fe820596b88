import { UserError } from '../../lib/errors.ts';
import type { JournalEntry, LeaseOwner } from './coordination.ts';
import type { Memory } from '../cluster/topology.ts';

/** What a cluster remembers before anything has happened to it. */
export const EMPTY_MEMORY: Memory = {
  epoch: 0,
  primary: undefined,
  lastSeen: undefined,
  downtimes: [],
  unacknowledged: undefined,
  paused: undefined,
  rules: {},
  unfinished: undefined,
};

/** How many changes of topology the journal keeps. */
export const JOURNAL_LENGTH = 500;

type Fields = Readonly<Record<string, unknown>>;
type Kind = 'string' | 'number' | 'object' | 'array';

/** A memory that was stored as JSON; what is not one is a `UserError` that names `where`. */
export function parseMemory(text: string, where: string): Memory {
  const fields = parseObject(text, where, {
    epoch: 'number',
    primary: 'string?',
    lastSeen: 'string?',
    began: 'string?',
    downtimes: 'array',
    unacknowledged: 'object?',
    paused: 'object?',
    rules: 'object',
    unfinished: 'object?',
    below: 'object?',
  });
  for (const downtime of fields['downtimes'] as readonly unknown[]) {
    check(downtime, `${where}: a downtime`, {
      instance: 'string',
      until: 'number',
      reason: 'string',
      by: 'string',
    });
  }
  check(fields['unacknowledged'] ?? { id: '', at: 0 }, `${where}: unacknowledged`, {
    id: 'string',
    at: 'number',
  });
  check(fields['paused'] ?? { by: '', reason: '', at: 0 }, `${where}: paused`, {
    by: 'string',
    reason: 'string',
    at: 'number',
  });
  check(fields['unfinished'] ?? { id: '', kind: '', from: '', to: '' }, `${where}: unfinished`, {
    id: 'string',
    kind: 'string',
    from: 'string',
    to: 'string',
  });
  return { ...EMPTY_MEMORY, ...(fields as unknown as Memory) };
}

/** An entry of the journal that was stored as JSON; what is not one is a `UserError` that names `where`. */
export function parseEntry(text: string, where: string): JournalEntry {
  const fields = parseObject(text, where, {
    id: 'string',
    epoch: 'number',
    at: 'number',
    who: 'string',
    kind: 'string',
    reason: 'string',
    from: 'string?',
    to: 'string',
    steps: 'array',
    outcome: 'string',
    lostGtids: 'string',
    gtids: 'object',
    ms: 'number',
    message: 'string?',
  });
  for (const step of fields['steps'] as readonly unknown[]) {
    check(step, `${where}: a step`, { name: 'string', status: 'string', ms: 'number' });
  }
  return fields as unknown as JournalEntry;
}

/** The refusal when somebody else may change the cluster right now. */
export function heldBySomebody(cluster: string, holder: LeaseOwner | undefined, hint: string): UserError {
  const who = holder
    ? `${holder.who} is changing ${cluster} right now (${holder.purpose})`
    : `somebody else is changing ${cluster} right now`;
  return new UserError({ message: who, hint });
}

/** The refusal when the right to change the cluster has been lost in the middle of a change. */
export function leaseLost(cluster: string, why: string): UserError {
  return new UserError({
    message: `the right to change ${cluster} was lost: ${why}`,
    hint: 'nothing irreversible is done without it; see `failover status`, then run the command again',
  });
}

function parseObject(text: string, where: string, shape: Readonly<Record<string, string>>): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken(where, `it is not JSON (${(error as Error).message})`);
  }
  return check(value, where, shape);
}

function check(value: unknown, where: string, shape: Readonly<Record<string, string>>): Fields {
  if (kindOf(value) !== 'object') throw broken(where, 'an object was expected');
  const fields = value as Fields;
  for (const [name, wanted] of Object.entries(shape)) {
    const field = fields[name];
    if (wanted.endsWith('?') && (field === undefined || field === null)) continue;
    if (kindOf(field) !== wanted.replace('?', '')) {
      throw broken(where, `"${name}" should be of kind ${wanted.replace('?', '')}`);
    }
  }
  return fields;
}

function kindOf(value: unknown): Kind | undefined {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object' && value !== null) return 'object';
  return typeof value === 'string' || typeof value === 'number' ? (typeof value as Kind) : undefined;
}

function broken(where: string, why: string): UserError {
  return new UserError({
    message: `${where} cannot be read: ${why}`,
    hint: 'restore it from a copy, or remove it: then what it remembered is forgotten',
  });
}
