import { formatProblem } from '../../lib/errors.ts';
import { type Batch, type RollWish, timetable } from '../../site/roll/next.ts';
import { type HostRecord, type RollEvent, type RollRecord, stateOf } from '../../site/roll/record.ts';
import type { RollSurvey } from '../../site/roll/survey.ts';
import { reportOn } from '../listr.ts';
import { LiveScreen, type Screen } from '../live-screen.ts';
import type { LiveHost, LiveTask } from '../live-view.ts';
import type { Report, ReportStream } from '../stream.ts';
import { harmless } from '../text.ts';
import { rowText, runningPhase, upcoming } from './row.ts';
import { eventLine, reportText, timetableText } from './text.ts';
import type { RollView, TextOptions } from './view.ts';

/** On a terminal: a row for each host, above them what moved, what the work changed and what failed. */
export function liveView(stream: ReportStream, options: TextOptions): RollView {
  const { styles, redact } = options;
  const screen = new LiveScreen(stream, styles);
  const rows = new Rows(options);
  const say = (line: string): void => screen.print(redact(`${line}\n`));
  return {
    timetable(survey, batches, wish, inTheWay) {
      rows.plan(survey, batches, wish);
      say(batches.length === 0 ? 'every host is done' : timetableText(survey, batches, wish, styles));
      for (const problem of inTheWay) say(`${styles.changed('now in the way')}: ${formatProblem(problem)}`);
    },
    event(event, record) {
      rows.take(event, record);
      if (event.type === 'roll') screen.show(rows.begin());
      if (event.type === 'phase' && (event.phase === 'move' || event.status === 'failed')) {
        const line = event.status === 'waiting' ? undefined : eventLine(event, record, styles);
        if (line !== undefined) say(line);
      }
      if (event.type === 'roll-end') screen.rest();
    },
    report: (report) => say(`\n${reportText(report, styles)}`),
    numbers: (survey) => rows.look(survey),
    async work(run) {
      const report = reportOn(rows.screenAbove(screen), run, styles);
      return {
        emit(event) {
          // A play for others.
          if (event.type !== 'play' || event.hosts.length > 0) report.emit(event);
        },
        close: () => report.close(),
      } satisfies Report;
    },
    close: () => screen.close(),
  };
}

function on(screen: Screen): Screen {
  return {
    show: (task) => screen.show(task),
    rest: () => screen.rest(),
    print: (text) => screen.print(text),
    close: async () => await screen.close(),
  };
}

/** The hosts of a roll as the terminal shows them: read whenever it is drawn. */
class Rows {
  #wish: RollWish | undefined;
  #batches: readonly Batch[] = [];
  #survey: RollSurvey | undefined;
  /** Hosts in the order in which they were to go at the beginning: rows stay where they are. */
  #order: readonly string[] = [];
  readonly #options: TextOptions;
  readonly #waits = new Map<string, string>();
  #record: RollRecord | undefined;
  /** The task of the work's own run. */
  #task: LiveTask | undefined;

  constructor(options: TextOptions) {
    this.#options = options;
  }

  plan(survey: RollSurvey, batches: readonly Batch[], wish: RollWish): void {
    this.#survey = survey;
    this.#batches = batches;
    this.#wish = wish;
    this.#order = batches.flatMap(({ hosts }) => hosts);
  }

  look(survey: RollSurvey): void {
    this.#survey = survey;
    if (this.#wish === undefined || this.#record === undefined) return;
    this.#batches = timetable(survey, this.#wish, stateOf(this.#record));
  }

  take(event: RollEvent, record: RollRecord): void {
    this.#record = record;
    if (event.type !== 'phase') return;
    if (event.status === 'waiting') this.#waits.set(event.host, event.message ?? '');
    else this.#waits.delete(event.host);
  }

  /** What is shown until the roll ends. */
  begin(): LiveTask {
    const hosts = this.#record?.hosts ?? [];
    const width = Math.max(0, ...hosts.map(({ name }) => name.length));
    const title = (): string => this.#title();
    return {
      get title() {
        return title();
      },
      startedAt: performance.now(),
      hosts: this.#inTurn(hosts).map(({ name }) => this.#row(name, name.padEnd(width))),
    };
  }

  /** Where a run draws: its task in the rows, all else above them. Before there are rows it has the screen for itself. */
  screenAbove(screen: Screen): Screen {
    if (this.#record === undefined) return { ...on(screen), close: async () => screen.rest() };
    return {
      ...on(screen),
      show: (task) => void (this.#task = task),
      rest: () => void (this.#task = undefined),
      close: async () => void (this.#task = undefined),
    };
  }

  /** Those that go first are at the top. */
  #inTurn(hosts: readonly HostRecord[]): readonly HostRecord[] {
    const place = ({ name }: HostRecord): number => this.#order.indexOf(name);
    return [...hosts].sort((a, b) => place(a) - place(b));
  }

  #row(name: string, shown: string): LiveHost {
    const host = (): HostRecord | undefined => this.#record?.hosts.find((one) => one.name === name);
    const line = (): string => this.#line(host());
    return {
      name: shown,
      get status() {
        const now = host();
        if (now?.phases.at(-1)?.status === 'failed') return 'failed';
        return now?.state === 'done' ? 'ok' : undefined;
      },
      get isWaiting() {
        const now = host();
        return now?.state === 'waiting' && runningPhase(now) === undefined;
      },
      get line() {
        return line();
      },
    };
  }

  #title(): string {
    const { purpose = '', hosts = [] } = this.#record ?? {};
    const { next, later } = upcoming(this.#batches, hosts);
    const rest = later > 0 ? ` and ${later} more` : '';
    return this.#clean(next.length === 0 ? purpose : `${purpose}, next: ${next.join(', ')}${rest}`);
  }

  #line(host: HostRecord | undefined): string {
    if (host === undefined) return '';
    const { next } = upcoming(this.#batches, this.#record?.hosts ?? []);
    const batch = this.#batches.find(({ hosts }) => hosts.includes(host.name));
    return rowText(
      {
        host,
        survey: this.#survey,
        now: Date.now(),
        doing: this.#doing(host),
        isNext: next.includes(host.name),
        moves: batch?.moves ?? [],
      },
      this.#options.styles,
    );
  }

  #doing(host: HostRecord): string {
    const wait = this.#waits.get(host.name);
    if (wait !== undefined) return this.#clean(wait);
    if (runningPhase(host) !== 'work') return '';
    const mine = this.#task?.hosts.find(({ name }) => name === host.name);
    return mine === undefined || this.#task === undefined
      ? ''
      : `${this.#task.title}  ${mine.line}`.trimEnd();
  }

  #clean(text: string): string {
    return harmless(this.#options.redact(text)).replaceAll(/\s+/g, ' ');
  }
}
