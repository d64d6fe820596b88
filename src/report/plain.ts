import type { RunEvent } from '../run/events.ts';
import { paintDiff, shownDiff } from './diff.ts';
import { paintStatus, palette, wantsColour } from './palette.ts';
import { drained, type Report, type ReportOptions, type ReportStream } from './stream.ts';
import {
  harmless,
  indent,
  isNotable,
  playTitle,
  recapText,
  type ResultEvent,
  taskTitle,
  warningText,
} from './text.ts';

const RULE_WIDTH = 79;

/** Lines as Ansible prints them, for logs, pipes and terminals that cannot redraw. */
export function plainReport(stream: ReportStream, options: ReportOptions): Report {
  const styles = palette(wantsColour(stream, options.environment ?? process.env));
  const print = (text: string): void => {
    stream.write(`${text}\n`);
  };
  const clean = (text: string): string => harmless(options.redact(text));

  function emit(event: RunEvent): void {
    switch (event.type) {
      case 'play':
        print(`\n${styles.strong(rule(`PLAY [${clean(playTitle(event))}]`))}`);
        break;
      case 'task': {
        const kind = event.handler ? 'RUNNING HANDLER' : 'TASK';
        print(`\n${styles.strong(rule(`${kind} [${clean(taskTitle(event))}]`))}`);
        break;
      }
      case 'result':
        if (isNotable(event) || options.verbose > 0) printResult(event);
        break;
      case 'progress':
        if (options.verbose > 1) print(styles.quiet(`${event.host}: ${clean(event.line)}`));
        break;
      case 'warning':
        print(styles.changed(clean(warningText(event))));
        break;
      case 'recap':
        print(`\n${styles.strong(rule('PLAY RECAP'))}\n${recapText(event, styles, options)}`);
        break;
    }
  }

  function printResult(result: ResultEvent): void {
    const message = result.message === undefined ? '' : `: ${clean(result.message)}`;
    print(paintStatus(styles, result.status)(`${resultLead(result, clean)}${message}`));
    if (result.output) print(indent(clean(result.output), '    '));
    if (options.diff) {
      for (const diff of result.diff ?? []) print(paintDiff(shownDiff(diff, clean), styles));
    }
    if (result.ignored) print('...ignoring');
  }

  return { emit, close: () => drained(stream) };
}

function resultLead(result: ResultEvent, clean: (text: string) => string): string {
  const host = result.delegatedTo === undefined ? result.host : `${result.host} -> ${result.delegatedTo}`;
  const item = result.item === undefined ? '' : ` => (item=${clean(result.item)})`;
  return `${STATUS_WORDS[result.status]}: [${host}]${item}`;
}

const STATUS_WORDS = {
  ok: 'ok',
  changed: 'changed',
  skipped: 'skipping',
  failed: 'failed',
  unreachable: 'unreachable',
} as const satisfies Record<ResultEvent['status'], string>;

function rule(title: string): string {
  return `${title} ${'*'.repeat(Math.max(3, RULE_WIDTH - title.length - 1))}`;
}
