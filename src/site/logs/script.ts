import { quote } from '../../lib/shell.ts';
import { LOG_FILES } from './files.ts';

export interface LogWish {
  /** Seconds since 1970. */
  readonly since: number;
  readonly unit?: string | undefined;
  /** Only lines that hold this text; the host looks already, so that less travels. */
  readonly text?: string | undefined;
  readonly follow: boolean;
}

/** How much of each file is read at most, from its end. */
const MOST_BYTES = 16_000_000;

/**
 * The script that says what was logged. Its lines begin with a letter: Z and the host's offset to UTC, J and an entry of
 * the journal as JSON, or the number of a file of LOG_FILES and a line of it.
 */
export function logScript({ since, unit, text, follow }: LogWish): string {
  const files = LOG_FILES.map((file, number) => ({ ...file, number })).filter(
    (file) => unit === undefined || file.unit === unit,
  );
  const journal = [
    'journalctl --quiet --no-pager --all --output=json',
    '--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_SYSTEMD_UNIT',
    `--since=@${Math.floor(since)}`,
    ...(unit === undefined ? [] : [`--unit=${quote(unit)}`]),
    ...(follow ? ['--follow --lines=all'] : []),
  ].join(' ');
  const only = (unbuffered: string): string =>
    text === undefined ? '' : ` | grep ${unbuffered}-F -e ${quote(text)}`;
  const marked = (mark: string): string => ` | sed ${follow ? '-u ' : ''}'s/^/${mark} /'`;
  const each = files.map(({ path, number }) => {
    // An entry over several lines holds the text in one of them only, so the lines of a file are all sent.
    const read = follow
      ? `tail -q -c ${MOST_BYTES} -F ${path} 2>/dev/null`
      : `[ ! -e ${path} ] || { [ ! -e ${path}.1 ] || tail -c ${MOST_BYTES} ${path}.1; tail -c ${MOST_BYTES} ${path}; }`;
    return `{ ${read}; }${marked(String(number))}`;
  });
  const jobs = [`${journal}${only(follow ? '--line-buffered ' : '')}${marked('J')}`, ...each];
  return [
    `date '+Z %:z'`,
    ...jobs.map((job) => (follow ? `${job} &` : `${job} || :`)),
    ...(follow ? ['wait'] : []),
  ].join('\n');
}

/** The same of what the role `logs` has kept of all hosts: each line begins with an A. */
export function archiveScript({ since, text }: Pick<LogWish, 'since' | 'text'>): string {
  // The lines of a file's entry are several entries here, of which only one may hold the text.
  const only = text === undefined ? '' : ` | grep -F -e ${quote(text)} -e '"file":'`;
  return [
    'command -v zstdcat > /dev/null || { echo "no logs are kept here: provision up --tags logs" >&2; exit 1; }',
    `find /var/log/hosts -name '*.jsonl*' -newermt '@${Math.floor(since)}' | sort | while read -r file; do`,
    '  case $file in *.zst) zstdcat "$file" ;; *) cat "$file" ;; esac',
    `done${only} | sed 's/^/A /'`,
  ].join('\n');
}
