import { formatProblem } from '../../lib/errors.ts';
import { drained, type ReportStream } from '../stream.ts';
import { eventLine, reportText, timetableText } from './text.ts';
import type { RollView, TextOptions } from './view.ts';

/** A line for everything that happens. */
export function plainView(stream: ReportStream, { styles, redact }: TextOptions): Omit<RollView, 'work'> {
  const say = (line: string): void => void stream.write(redact(`${line}\n`));
  return {
    timetable(survey, batches, wish, inTheWay) {
      say(batches.length === 0 ? 'every host is done' : timetableText(survey, batches, wish, styles));
      for (const problem of inTheWay) say(`${styles.changed('now in the way')}: ${formatProblem(problem)}`);
    },
    event(event, record) {
      const line = eventLine(event, record, styles);
      if (line !== undefined) say(line);
    },
    report: (report) => say(`\n${reportText(report, styles)}`),
    close: () => drained(stream),
  };
}
