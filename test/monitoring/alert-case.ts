/** What the figures of a site say, when the alert must not be there yet, when it is, and when it has ended. */
export interface AlertCase {
  readonly alert: string;
  /** What is tried, where one alert has several cases. */
  readonly what?: string;
  /** In the notation of promtool, a value every 15 seconds. */
  readonly series: Readonly<Record<string, string>>;
  readonly notYet?: string;
  readonly fires: string;
  /** How many of it. */
  readonly count?: number;
  readonly ended?: string;
  /** The message of one that fires. */
  readonly summary?: string;
}

/** Right, then wrong from the second minute on, then right from the twelfth. */
export const spell = (right: number | string, wrong: number | string): string =>
  `${right}x7 ${wrong}x39 ${right}x40`;

/** When a spell is noticed that must last for so many seconds. */
export const times = (seconds: number): Pick<AlertCase, 'notYet' | 'fires' | 'ended'> => ({
  notYet: `${120 + seconds - 15}s`,
  fires: `${120 + seconds + 15}s`,
  ended: '13m',
});
