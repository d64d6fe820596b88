import { databaseTone, databaseView, type DatabaseView } from './database.ts';
import { type Mark, type Tone, worst } from './mark.ts';
import { stackView, type StackView } from './stack.ts';
import type { PageState } from './state.ts';
import { counted } from './text.ts';

/** Everything that the page shows, of the state that it was sent. */
export interface PageView {
  /** How the site is, in one sentence. */
  readonly headline: Mark;
  /** What else counts. */
  readonly details: string;
  readonly stack: StackView;
  readonly databases: readonly DatabaseView[];
}

export function pageView(state: PageState): PageView {
  const stack = stackView(state);
  const databases = state.databases.map(databaseView);
  return { ...headlineOf(stack, databases), stack, databases };
}

function headlineOf(
  stack: StackView,
  databases: readonly DatabaseView[],
): Pick<PageView, 'headline' | 'details'> {
  const tone = worst([
    ...databases.map(databaseTone),
    ...stack.addresses.map(({ mark }) => mark.tone),
    ...stack.balancers.map(({ mark }) => mark.tone),
    ...stack.servers.flatMap(({ requests, instances }) => [
      ...(requests === undefined ? [] : [requests.tone]),
      ...instances.map(({ mark }) => mark.tone),
    ]),
  ]);
  const counts = countsOf(databases);
  const running = databases.flatMap(({ history }) => history).find(({ isRunning }) => isRunning);
  if (running !== undefined) {
    const text = `A ${running.kind} is under way: ${running.change}`;
    return { headline: { tone: worst([tone, 'notice']), text }, details: counts };
  }
  if (counts !== '') return { headline: { tone, text: counts }, details: '' };
  return { headline: { tone, text: WORDS[tone] }, details: '' };
}

/** Without a problem of a database. */
const WORDS: Readonly<Record<Tone, string>> = {
  good: 'Everything works',
  unknown: 'Not everything is known yet',
  notice: 'It works, with something to know',
  warning: 'Something is wrong',
  critical: 'Something is wrong',
};

/** `1 critical problem, 2 warnings`. */
function countsOf(databases: readonly DatabaseView[]): string {
  const problems = databases.flatMap((one) => one.problems);
  return (['critical', 'warning', 'notice'] as const)
    .map((tone) => ({ tone, count: problems.filter((problem) => problem.tone === tone).length }))
    .filter(({ count }) => count > 0)
    .map(({ tone, count }) => counted(count, tone === 'critical' ? 'critical problem' : tone))
    .join(', ');
}
