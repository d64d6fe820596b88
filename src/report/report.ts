import { jsonReport } from './json.ts';
import { plainReport } from './plain.ts';
import type { Report, ReportOptions, ReportStream } from './stream.ts';

/**
 * The report for what the user asked for: NDJSON on stdout with human text on stderr, or human text on stdout, live
 * where it goes to a terminal.
 */
export async function createReport(
  options: ReportOptions & { readonly json: boolean },
  stdout: ReportStream = process.stdout,
  stderr: ReportStream = process.stderr,
): Promise<Report> {
  if (!options.json) return humanReport(stdout, options);
  return both(jsonReport(stdout, options), await humanReport(stderr, options, stdout.isTTY === true));
}

async function humanReport(stream: ReportStream, options: ReportOptions, shared = false): Promise<Report> {
  if (!canRedraw(stream, options.environment) || shared) return plainReport(stream, options);
  // listr2 is loaded only where there is a terminal to draw on.
  const { listrReport } = await import('./listr.ts');
  return listrReport(stream, options);
}

/** Whether something can be shown and taken back there: a terminal that says how large it is. */
export function canRedraw(
  { isTTY, columns, rows }: ReportStream,
  environment: ReportOptions['environment'] = process.env,
): boolean {
  return isTTY === true && Boolean(columns) && Boolean(rows) && environment['TERM'] !== 'dumb';
}

function both(first: Report, second: Report): Report {
  return {
    emit(event) {
      first.emit(event);
      second.emit(event);
    },
    async close() {
      await first.close();
      await second.close();
    },
  };
}
