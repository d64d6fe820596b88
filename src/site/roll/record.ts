import { z } from 'zod';

import type { RollState } from './next.ts';

/** What happens to a host, in this order; not every host needs each of them. */
export const PHASES = ['check', 'move', 'drain', 'work', 'recover', 'undrain', 'settle'] as const;
export type Phase = (typeof PHASES)[number];

const time = z.int().nonnegative().describe('milliseconds since 1970');
const phaseSchema = z.strictObject({
  phase: z.enum(PHASES),
  at: time,
  status: z.enum(['running', 'done', 'failed']),
  ms: z.int().nonnegative().optional(),
  message: z.string().optional(),
});

const hostSchema = z.strictObject({
  name: z.string(),
  state: z
    .enum(['waiting', 'begun', 'worked', 'done'])
    .describe('`begun`: it may be out of service; `worked`: the work on it is done, and it may still be out'),
  phases: z.array(phaseSchema),
});

const amountSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('number'), number: z.int().nonnegative() }),
  z.strictObject({ kind: z.literal('percent'), percent: z.int().nonnegative() }),
]);

/** How a roll goes; whoever goes on with it does so in the same way. */
export const rollSettingsSchema = z.strictObject({
  serial: amountSchema.describe('servers at the same time'),
  minAvailable: amountSchema.optional().describe('servers that have to stay in service; missing: half'),
  settleMs: z.int().nonnegative(),
  timeoutMs: z.int().nonnegative(),
  drainTimeoutMs: z.int().nonnegative(),
  variables: z
    .array(z.string())
    .describe('the names of the variables of `--extra-vars`; values may be secret, and are not kept'),
});
export type RollSettings = z.infer<typeof rollSettingsSchema>;

/** One roll, as it is kept from its first moment on, so that another one can go on with it. */
export const rollRecordSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  purpose: z.string().describe('`roll playbooks/kernel.yml`'),
  who: z.string(),
  settings: rollSettingsSchema.optional().describe('missing: an older release has rolled'),
  startedAt: time,
  endedAt: time.optional(),
  outcome: z.enum(['running', 'done', 'stopped', 'interrupted']),
  message: z.string().optional().describe('why it stopped'),
  hosts: z.array(hostSchema).describe('in the order of the inventory'),
});
export type RollRecord = z.infer<typeof rollRecordSchema>;

/** What happens in a roll. Its record, its views and `--json` are made of these alone. */
export type RollEvent =
  | {
      readonly type: 'roll';
      readonly id: string;
      readonly purpose: string;
      readonly who: string;
      readonly at: number;
      readonly hosts: readonly string[];
      readonly settings?: RollSettings;
    }
  | {
      readonly type: 'phase';
      readonly host: string;
      readonly phase: Phase;
      /** `waiting`: it goes on when what the message says has passed. */
      readonly status: 'running' | 'waiting' | 'done' | 'failed';
      readonly at: number;
      readonly message?: string;
    }
  | {
      readonly type: 'roll-end';
      readonly id: string;
      readonly at: number;
      readonly outcome: 'done' | 'stopped' | 'interrupted';
      readonly message?: string;
    };

/** The record after an event; the first event makes it. */
export function recorded(record: RollRecord | undefined, event: RollEvent): RollRecord {
  if (event.type === 'roll') {
    const hosts =
      record?.hosts ?? event.hosts.map((name) => ({ name, state: 'waiting' as const, phases: [] }));
    const { id, purpose, who, at, settings = record?.settings } = event;
    return {
      version: 1,
      id,
      purpose,
      who: record?.who ?? who,
      ...(settings === undefined ? {} : { settings }),
      startedAt: record?.startedAt ?? at,
      outcome: 'running',
      hosts: [...hosts],
    };
  }
  if (record === undefined) throw new Error('the first event of a roll says what it is');
  if (event.type === 'roll-end') {
    const { message } = event;
    return {
      ...record,
      endedAt: event.at,
      outcome: event.outcome,
      ...(message === undefined ? {} : { message }),
    };
  }
  if (event.status === 'waiting') return record;
  return {
    ...record,
    hosts: record.hosts.map((host) => (host.name === event.host ? after(host, event) : host)),
  };
}

/** Who is done and who was begun, for whoever goes on. */
export function stateOf({ hosts }: RollRecord): RollState & { readonly worked: ReadonlySet<string> } {
  const named = (...states: readonly HostRecord['state'][]): ReadonlySet<string> =>
    new Set(hosts.filter(({ state }) => states.includes(state)).map(({ name }) => name));
  return { done: named('done'), begun: named('begun', 'worked'), worked: named('worked') };
}

/** How long a host was out of service, in milliseconds; while it is, until now. */
export function outOfServiceMs(host: HostRecord, now: number): number {
  return outOfServiceSpans(host, now).reduce((sum, { from, to }) => sum + to - from, 0);
}

/** When a host was out of service; while it is, until now. */
export function outOfServiceSpans(
  { phases }: HostRecord,
  now: number,
): readonly { readonly from: number; readonly to: number }[] {
  const spans: { from: number; to: number }[] = [];
  let since: number | undefined;
  for (const { phase, status, at, ms: took = 0 } of phases) {
    if (phase === 'drain') since ??= at;
    const isBack = (phase === 'undrain' && status === 'done') || (phase === 'drain' && status === 'failed');
    if (!isBack || since === undefined) continue;
    spans.push({ from: since, to: at + took });
    since = undefined;
  }
  return since === undefined ? spans : [...spans, { from: since, to: now }];
}

export type HostRecord = RollRecord['hosts'][number];
type PhaseEvent = Extract<RollEvent, { type: 'phase' }>;

function after(host: HostRecord, event: PhaseEvent): HostRecord {
  const { phase, status, at, message } = event;
  if (status === 'waiting') return host;
  const said = message === undefined ? {} : { message };
  const open = host.phases.findLastIndex((one) => one.phase === phase && one.status === 'running');
  const phases =
    status === 'running' || open < 0
      ? [...host.phases, { phase, at, status, ...said }]
      : host.phases.map((one, index) =>
          index === open ? { ...one, status, ms: Math.max(0, at - one.at), ...said } : one,
        );
  return { ...host, phases, state: stateAfter(host, event) };
}

function stateAfter(host: HostRecord, { phase, status }: PhaseEvent): HostRecord['state'] {
  const { state } = host;
  switch (phase) {
    case 'drain':
      // One that fails puts the host back, unless it was out before: an earlier attempt had taken it out.
      if (status === 'failed') return wasOut(host) ? state : 'waiting';
      return state === 'worked' ? 'worked' : 'begun';
    case 'work':
      return status === 'done' ? 'worked' : 'begun';
    case 'undrain':
      // Back without work: a neighbour could not leave.
      return status === 'done' && state === 'begun' ? 'waiting' : state;
    case 'settle':
      return status === 'done' ? 'done' : state;
    default:
      return state;
  }
}

/** Whether an attempt before the last one has left the host out, as far as is known. */
function wasOut({ phases }: HostRecord): boolean {
  let isOut = false;
  for (const { phase, status } of phases.slice(
    0,
    phases.findLastIndex((one) => one.phase === 'drain'),
  )) {
    if (phase === 'drain') isOut = status !== 'failed';
    if (phase === 'undrain' && status === 'done') isOut = false;
  }
  return isOut;
}
