import { formatProblem, type Problem } from '../../lib/errors.ts';
import { palette, wantsColour } from '../../report/palette.ts';
import type { Batch, RollWish } from '../../site/roll/next.ts';
import type { RollEvent, RollRecord } from '../../site/roll/record.ts';
import type { RollSurvey } from '../../site/roll/survey.ts';
import { eventLine, recordText, timetableText } from './roll-text.ts';

/** What people, and with `--json` programs, see of a roll. */
export interface RollView {
  /** Who goes when. `inTheWay`: what would keep the first ones from going now. */
  timetable(
    survey: RollSurvey,
    batches: readonly Batch[],
    wish: RollWish,
    inTheWay: readonly Problem[],
  ): void;
  event(event: RollEvent, record: RollRecord): void;
}

/** A line for everything that happens; with `--json` on stderr, and an object a line on stdout. */
export function rollView(json: boolean, redact: (text: string) => string): RollView {
  const text = json ? process.stderr : process.stdout;
  const styles = palette(wantsColour(text, process.env));
  const say = (line: string): void => void text.write(redact(`${line}\n`));
  const print = (value: unknown): void => {
    if (json) process.stdout.write(redact(`${JSON.stringify(value)}\n`));
  };
  return {
    timetable(survey, batches, wish, inTheWay) {
      say(batches.length === 0 ? 'every host is done' : timetableText(survey, batches, wish, styles));
      for (const problem of inTheWay) say(`${styles.changed('now in the way')}: ${formatProblem(problem)}`);
      print({ type: 'timetable', batches });
    },
    event(event, record) {
      print(event);
      const line = eventLine(event, record, styles);
      if (line !== undefined) say(line);
      if (event.type === 'roll-end') say(`\n${recordText(record, event.at, styles)}`);
    },
  };
}
