import type { Problem } from '../../lib/errors.ts';
import type { Batch, RollWish } from '../../site/roll/next.ts';
import type { RollEvent, RollRecord } from '../../site/roll/record.ts';
import type { RollReport } from '../../site/roll/report.ts';
import type { RollSurvey } from '../../site/roll/survey.ts';
import type { Palette } from '../palette.ts';
import type { Report, ReportOptions } from '../stream.ts';

/** What people, and with `--json` programs, see of a roll. */
export interface RollView {
  /** Who goes when. `inTheWay`: what would keep the first ones from going now. */
  readonly timetable: (
    survey: RollSurvey,
    batches: readonly Batch[],
    wish: RollWish,
    inTheWay: readonly Problem[],
  ) => void;
  readonly event: (event: RollEvent, record: RollRecord) => void;
  /** What the site says at this moment. Without it the view has no use for that. */
  readonly numbers?: ((survey: RollSurvey) => void) | undefined;
  /** What became of it all. */
  readonly report: (report: RollReport) => void;
  /** A report of the run that does the work. */
  readonly work: (options: ReportOptions & { readonly json: boolean }) => Promise<Report>;
  /** To be called after the last event, also when the roll was cut short. */
  readonly close: () => Promise<void>;
}

export interface TextOptions {
  readonly styles: Palette;
  /** Everything that is written passes through it. */
  readonly redact: (text: string) => string;
}
