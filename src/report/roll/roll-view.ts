import { palette, wantsColour } from '../palette.ts';
import { canRedraw, createReport } from '../report.ts';
import type { Report, ReportStream } from '../stream.ts';
import { rollJson } from './json.ts';
import { plainView } from './plain.ts';
import type { RollView } from './view.ts';

export interface RollViewOptions {
  readonly json: boolean;
  /** Everything that is written passes through it. */
  readonly redact: (text: string) => string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** NDJSON on stdout with lines for people on stderr; or on stdout a row for each host on a terminal, and lines elsewhere. */
export async function rollView(
  options: RollViewOptions,
  stdout: ReportStream = process.stdout,
  stderr: ReportStream = process.stderr,
): Promise<RollView> {
  const { json, redact, environment = process.env } = options;
  const text = json ? stderr : stdout;
  const styles = palette(wantsColour(text, environment));
  if (!json && canRedraw(stdout, environment)) {
    // listr2 is loaded only where there is a terminal to draw on.
    const { liveView } = await import('./live.ts');
    return liveView(stdout, { styles, redact });
  }
  const lines = plainView(text, { styles, redact });
  const work = async (run: Parameters<RollView['work']>[0]): Promise<Report> =>
    await createReport(run, stdout, stderr);
  return json ? { ...both(rollJson(stdout, redact), lines), work } : { ...lines, work };
}

type Lines = Omit<RollView, 'work'>;

function both(first: Lines, second: Lines): Lines {
  return {
    timetable(...about) {
      first.timetable(...about);
      second.timetable(...about);
    },
    event(...about) {
      first.event(...about);
      second.event(...about);
    },
    report(about) {
      first.report(about);
      second.report(about);
    },
    async close() {
      await first.close();
      await second.close();
    },
  };
}
