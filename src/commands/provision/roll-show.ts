import { again } from '../../lib/async.ts';
import { replaceFile } from '../../lib/durable.ts';
import { rollView } from '../../report/roll/roll-view.ts';
import type { RollView } from '../../report/roll/view.ts';
import type { RollEvent, RollRecord } from '../../site/roll/record.ts';
import type { RollReport } from '../../site/roll/report.ts';
import type { RollOptions } from './roll-options.ts';
import { surveySite } from './roll-survey.ts';
import { type TrafficWatch, watchTraffic } from './roll-traffic.ts';
import type { WholeSite } from './site-session.ts';

/** How often those who watch a roll get new numbers. */
const EVERY_MS = 1000;

/** A roll as others see it. */
export interface RollShow extends Pick<RollView, 'timetable' | 'work' | 'close'> {
  /** To be awaited before the first event: from here on requests count. */
  readonly begin: () => Promise<void>;
  readonly event: (event: RollEvent, record: RollRecord) => void;
  /** To be called after the last event. */
  readonly report: () => Promise<void>;
  /** Without secrets. */
  readonly redact: (text: string) => string;
}

/** Shows a roll, with the numbers of its hosts while it runs, and what became of it at the end. */
export async function rollShow(
  site: WholeSite,
  { json, report: page }: Pick<RollOptions, 'json' | 'report'>,
): Promise<RollShow> {
  const redact = (text: string): string => site.databases.reduce((said, one) => one.redact(said), text);
  const view = await rollView({ json, redact });
  const ended = new AbortController();
  let record: RollRecord | undefined;
  let numbers: Promise<void> | undefined;
  let traffic: TrafficWatch | undefined;
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
    async begin() {
      traffic = await watchTraffic(site.balancers);
      if (view.numbers === undefined) return;
      // What cannot be read this time is read the next; what is wrong is for the roll itself to say.
      numbers = again(look, { everyMs: EVERY_MS, signal: ended.signal, failed: () => {} });
    },
    event(event, after) {
      record = after;
      view.event(event, after);
    },
    async report() {
      ended.abort();
      if (record === undefined) throw new Error('a roll that has ended has a record');
      const report: RollReport = { record, traffic: (await traffic?.end()) ?? new Map() };
      traffic = undefined;
      view.report(report);
      if (page === undefined) return;
      const { rollPage } = await import('../../report/roll/page.ts');
      try {
        replaceFile(page, rollPage(report));
      } catch (error) {
        // What was done is not undone by a page that cannot be written.
        process.stderr.write(`warning: ${page} was not written: ${(error as Error).message}\n`);
      }
    },
    async close() {
      ended.abort();
      await Promise.all([numbers, traffic?.end()]);
      await view.close();
    },
  };
}

function isMoving(phase: RollRecord['hosts'][number]['phases'][number] | undefined): boolean {
  return phase?.phase === 'move' && phase.status === 'running';
}
