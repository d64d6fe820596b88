import { type Batch, timetable } from '../../../src/site/roll/next.ts';
import { recorded, type RollEvent, type RollRecord } from '../../../src/site/roll/record.ts';
import type { RollReport } from '../../../src/site/roll/report.ts';
import { looked, type Traffic } from '../../../src/site/roll/traffic.ts';
import { countsBy, type CounterName } from '../../../src/site/counters.ts';
import { survey, wish } from '../../site/roll/support.ts';

export const START = Date.UTC(2026, 10, 29, 2, 0, 0);

const BEGIN: RollEvent = {
  type: 'roll',
  id: '20261129T020000-roll',
  purpose: 'roll playbooks/kernel.yml',
  who: 'ann@desk',
  at: START,
  hosts: wish().hosts,
};

/** Events of a roll in their order, `[seconds, host, phase, status, message]`. */
type Short = readonly [number, string, Phase, Status, string?];
type PhaseEvent = Extract<RollEvent, { type: 'phase' }>;
type Phase = PhaseEvent['phase'];
type Status = PhaseEvent['status'];

export function phase([seconds, host, name, status, message]: Short): RollEvent {
  const said = message === undefined ? {} : { message };
  return { type: 'phase', host, phase: name, status, at: START + seconds * 1000, ...said };
}

/** web2 is done, the work on web3 runs, web1 with the primary and the balancers have not been begun. */
export const MIDDLE: readonly RollEvent[] = [
  BEGIN,
  ...(
    [
      [0, 'web2', 'check', 'running'],
      [0.1, 'web2', 'check', 'done'],
      [0.1, 'web2', 'drain', 'running'],
      [0.5, 'web2', 'drain', 'waiting', '3 requests on lb1'],
      [1.1, 'web2', 'drain', 'done'],
      [1.1, 'web2', 'work', 'running'],
      [6.1, 'web2', 'work', 'done'],
      [6.1, 'web2', 'recover', 'running'],
      [7.1, 'web2', 'recover', 'done'],
      [7.1, 'web2', 'undrain', 'running'],
      [7.3, 'web2', 'undrain', 'done'],
      [7.3, 'web2', 'settle', 'running'],
      [8.3, 'web2', 'settle', 'done'],
      [8.4, 'web3', 'check', 'running'],
      [8.5, 'web3', 'check', 'done'],
      [8.5, 'web3', 'drain', 'running'],
      [9, 'web3', 'drain', 'done'],
      [9, 'web3', 'work', 'running'],
    ] as const satisfies readonly Short[]
  ).map(phase),
];

/** The work on web3 fails, and the roll stops. */
export const FAILURE: readonly RollEvent[] = [
  phase([12, 'web3', 'work', 'failed', 'Restart <nginx>: exit 1 & no more']),
  {
    type: 'roll-end',
    id: '20261129T020000-roll',
    at: START + 12_100,
    outcome: 'stopped',
    message: 'web3: Restart <nginx>: exit 1 & no more',
  },
];

/** Each event with the record after it. */
export function told(
  events: readonly RollEvent[],
): readonly { readonly event: RollEvent; readonly record: RollRecord }[] {
  let record: RollRecord | undefined;
  return events.map((event) => ({ event, record: (record = recorded(record, event)) }));
}

export function recordOf(events: readonly RollEvent[]): RollRecord {
  const last = told(events).at(-1);
  if (last === undefined) throw new Error('no events');
  return last.record;
}

export function batches(): readonly Batch[] {
  return timetable(survey(), wish(), { done: new Set(), begun: new Set() });
}

/** Twelve seconds at a hundred requests each. */
function traffic(): Traffic {
  const at = (second: number): number => START + second * 1000;
  const values = (second: number): Readonly<Partial<Record<CounterName, number>>> => ({
    requests: 5000 + second * 100,
    '2xx': 5000 + second * 100,
    retries: second > 5 ? 3 : 0,
  });
  const looks = Array.from({ length: 13 }, (_, second) => ({
    at: at(second),
    process: {
      pid: 612,
      counts: countsBy((name) => values(second)[name] ?? 0),
      slowestMs: second < 3 ? 40 : 213,
    },
  }));
  const last = looks.reduce<Traffic | undefined>(
    (before, look) => looked(before, [look.process], look.at),
    undefined,
  );
  if (last === undefined) throw new Error('no looks');
  return last;
}

/** The roll that stopped; one of the balancers counted. */
export const REPORT: RollReport = {
  record: recordOf([...MIDDLE, ...FAILURE]),
  traffic: new Map<string, Traffic | string>([
    ['lb1', traffic()],
    ['lb2', 'it did not answer'],
  ]),
};
