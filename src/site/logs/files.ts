/*
 * Logs that are files, because their programs write them so. What reads their lines gives the time in microseconds since
 * 1970, or undefined for a line that goes on with the entry before it.
 */

export interface LogFile {
  readonly path: string;
  readonly unit: string;
  readonly entry: (line: string, zone: string) => FileEntry | undefined;
}

export interface FileEntry {
  /** Undefined: that of the entry before, which MariaDB's slow log leaves out. */
  readonly at: number | undefined;
  readonly priority?: number | undefined;
  readonly message: string;
}

const NGINX_LEVELS = ['emerg', 'alert', 'crit', 'error', 'warn', 'notice', 'info', 'debug'];
const MYSQL_LEVELS: Readonly<Record<string, number>> = { ERROR: 3, Warning: 4, System: 5, Note: 6 };

export const LOG_FILES: readonly LogFile[] = [
  {
    path: '/var/log/nginx/access.log',
    unit: 'nginx',
    // Ends with the time to the millisecond, which the role nginx has written there.
    entry: (line) => {
      const match = /^(?:\S+ )(.*) (\d{9,11})\.(\d{3})$/.exec(line);
      return match
        ? { at: Number(match[2]) * 1_000_000 + Number(match[3]) * 1000, priority: 6, message: match[1] ?? '' }
        : undefined;
    },
  },
  {
    path: '/var/log/nginx/error.log',
    unit: 'nginx',
    entry: (line, zone) => {
      const match = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d) \[(\w+)\] (.*)$/s.exec(line);
      if (!match) return undefined;
      const [, year, month, day, time, level = '', message = ''] = match;
      const priority = NGINX_LEVELS.indexOf(level);
      return {
        at: micros(`${year}-${month}-${day}T${time}${zone}`),
        priority: priority < 0 ? undefined : priority,
        message,
      };
    },
  },
  {
    path: '/var/log/mysql/error.log',
    unit: 'mysql',
    entry: (line, zone) => {
      const match =
        /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)? +\d+ \[(\w+)\] (.*)$/s.exec(line);
      if (!match) return undefined;
      const [, day, time, offset = zone, level = '', message = ''] = match;
      return { at: micros(`${day}T${time}${offset}`), priority: MYSQL_LEVELS[level], message };
    },
  },
  { path: '/var/log/mysql/slow.log', unit: 'mysql', entry: slowEntry },
  { path: '/var/log/mysql/mariadb-slow.log', unit: 'mariadb', entry: slowEntry },
];

/** Several lines an entry, whose time is that of its end. MariaDB leaves it out when it is that of the entry before. */
function slowEntry(line: string, zone: string): FileEntry | undefined {
  const mysql = /^# Time: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))$/.exec(line);
  if (mysql) return { at: micros(mysql[1] ?? ''), priority: 5, message: 'slow statement' };
  const mariadb = /^# Time: (\d\d)(\d\d)(\d\d) +(\d{1,2}):(\d\d):(\d\d)$/.exec(line);
  if (!mariadb)
    return line.startsWith('# User@Host:')
      ? { at: undefined, priority: 5, message: `slow statement\n${line}` }
      : undefined;
  const [, year, month, day, hour = '', minute, second] = mariadb;
  const at = micros(`20${year}-${month}-${day}T${hour.padStart(2, '0')}:${minute}:${second}${zone}`);
  return { at, priority: 5, message: 'slow statement' };
}

/** Of a time in ISO 8601, whose fraction may be finer than a millisecond. */
export function micros(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  const seconds = Date.parse(text.replace(/\.\d+/, '')) / 1000;
  return seconds * 1_000_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
