import { again } from '../../lib/async.ts';
import { rollView } from '../../report/roll/roll-view.ts';
import type { RollView } from '../../report/roll/view.ts';
import type { RollEvent, RollRecord } from '../../site/roll/record.ts';
import { surveySite } from './roll-survey.ts';
import type { WholeSite } from './site-session.ts';

/** How often those who watch a roll get new numbers. */
const EVERY_MS = 1000;

/** A roll as others see it. */
export interface RollShow extends Pick<RollView, 'timetable' | 'work'> {
  readonly event: (event: RollEvent, record: RollRecord) => void;
  /** Without secrets. */
  readonly redact: (text: string) => string;
  readonly close: () => Promise<void>;
}

/** Shows a roll, with the numbers of its hosts while it runs. */
export async function rollShow(site: WholeSite, { json }: { readonly json: boolean }): Promise<RollShow> {
  const redact = (text: string): string => site.databases.reduce((said, one) => one.redact(said), text);
  const view = await rollView({ json, redact });
  const ended = new AbortController();
  let record: RollRecord | undefined;
  let numbers: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    // While a primary moves, its instances have better to do than to answer us.
    if (record?.hosts.some(({ phases }) => isMoving(phases.at(-1)))) return;
    const survey = await surveySite(site);
    if (!ended.signal.aborted) view.numbers?.(survey);
  };
  return {
    timetable: view.timetable,
    work: view.work,
    redact,
    event(event, after) {
      record = after;
      view.event(event, after);
      if (event.type === 'roll-end') ended.abort();
      else if (view.numbers !== undefined) {
        // What cannot be read this time is read the next; what is wrong is for the roll itself to say.
        numbers ??= again(look, { everyMs: EVERY_MS, signal: ended.signal, failed: () => {} });
      }
    },
    async close() {
      ended.abort();
      await numbers;
      await view.close();
    },
  };
}

function isMoving(phase: RollRecord['hosts'][number]['phases'][number] | undefined): boolean {
  return phase?.phase === 'move' && phase.status === 'running';
}
