import { quote } from '../lib/shell.ts';

/** What one server says of the app on it. */
export interface ServerReleases {
  /** What a start would run; undefined: nothing yet. */
  readonly current: string | undefined;
  /** What the process that serves was started as; undefined: none runs. */
  readonly runs: string | undefined;
  /** The releases that lie there. */
  readonly kept: readonly string[];
}

/** Prints lines of `name=value`; run as root. */
export function releasesScript(root: string): string {
  return [
    `cd ${quote(root)} 2>/dev/null || exit 0`,
    `printf 'current=%s\\n' "$(readlink current | sed 's,^releases/,,')"`,
    'pid=$(systemctl show --property MainPID --value app.service)',
    // Set by the unit, for whichever app it runs.
    `printf 'runs=%s\\n' "$(tr '\\0' '\\n' < "/proc/$pid/environ" 2>/dev/null | sed -n 's/^APP_VERSION=//p')"`,
    `ls -1 releases 2>/dev/null | sed 's/^/kept=/'`,
  ].join('\n');
}

export function parseReleases(text: string): ServerReleases {
  const lines = text.split('\n').map((line) => /^(\w+)=(.+)$/.exec(line));
  const all = (name: string): readonly string[] =>
    lines.flatMap((match) => (match?.[1] === name && match[2] !== undefined ? [match[2]] : []));
  return { current: all('current')[0], runs: all('runs')[0], kept: all('kept') };
}

/** Whether a server serves this release, and would after a restart. */
export function serves({ current, runs }: ServerReleases, release: string): boolean {
  return current === release && runs === release;
}
