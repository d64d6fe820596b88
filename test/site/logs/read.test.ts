import test from 'ava';
import fc from 'fast-check';

import { byTime, isWanted, type LogFilter } from '../../../src/site/logs/filter.ts';
import { LOG_FILES } from '../../../src/site/logs/files.ts';
import { isoTime, type LogLine } from '../../../src/site/logs/line.ts';
import { LogReader } from '../../../src/site/logs/read.ts';
import { logScript } from '../../../src/site/logs/script.ts';

const numberOf = (path: string): number => LOG_FILES.findIndex((file) => file.path === path);
const ACCESS = numberOf('/var/log/nginx/access.log');
const ERRORS = numberOf('/var/log/nginx/error.log');
const MYSQL = numberOf('/var/log/mysql/error.log');
const SLOW = numberOf('/var/log/mysql/slow.log');
const MARIADB_SLOW = numberOf('/var/log/mysql/mariadb-slow.log');

function read(...lines: readonly string[]): readonly LogLine[] {
  const found: LogLine[] = [];
  const reader = new LogReader('web1', (line) => found.push(line));
  reader.push(Buffer.from(`${lines.join('\n')}\n`));
  reader.flush();
  return found;
}

const shown = (lines: readonly LogLine[]): readonly string[] =>
  lines.map(({ at, unit, priority, message }) => `${isoTime(at)} ${unit} ${priority ?? '-'} ${message}`);

const entry = (fields: Readonly<Record<string, unknown>>): string =>
  `J ${JSON.stringify({ __REALTIME_TIMESTAMP: '1795948145260123', ...fields })}`;

test('an entry of the journal has the name of its service, and that of its program outside of one', (t) => {
  t.deepEqual(
    shown(
      read(
        entry({
          _SYSTEMD_UNIT: 'haproxy.service',
          SYSLOG_IDENTIFIER: 'haproxy',
          PRIORITY: '6',
          MESSAGE: 'a',
        }),
        entry({ _SYSTEMD_UNIT: 'session-1.scope', SYSLOG_IDENTIFIER: 'sudo', PRIORITY: '5', MESSAGE: 'b' }),
        entry({ SYSLOG_IDENTIFIER: 'kernel', MESSAGE: 'c' }),
      ),
    ),
    [
      '2026-11-29T10:29:05.260123Z haproxy 6 a',
      '2026-11-29T10:29:05.260123Z sudo 5 b',
      '2026-11-29T10:29:05.260123Z kernel - c',
    ],
  );
});

test('what is no text in the journal is read all the same, and what is no entry is left out', (t) => {
  t.deepEqual(
    read(
      entry({ SYSLOG_IDENTIFIER: 'x', MESSAGE: [104, 195, 164, 10] }),
      entry({ SYSLOG_IDENTIFIER: ['x', 'y'], MESSAGE: null }),
      'J {"__REALTIME',
      'nothing',
      '',
    ).map(({ unit, message }) => `${unit}: ${message}`),
    ['x: hä\n', 'x y: '],
  );
});

test("Nginx's access log gives its milliseconds, its error log the time of the host's zone", (t) => {
  t.deepEqual(
    shown(
      read(
        'Z +02:00',
        `${ACCESS} 2026-11-29T12:29:05+02:00 10.0.0.9 "GET / HTTP/1.1" 200 950 0.012 0.013 7e555d9f-771b 1795948145.267`,
        `${ERRORS} 2026/11/29 12:29:06 [error] 12#12: *3 connect() failed`,
      ),
    ),
    [
      '2026-11-29T10:29:05.267000Z nginx 6 10.0.0.9 "GET / HTTP/1.1" 200 950 0.012 0.013 7e555d9f-771b',
      '2026-11-29T10:29:06.000000Z nginx 3 12#12: *3 connect() failed',
    ],
  );
});

test("the database's error log is read in both flavours, and goes on over several lines", (t) => {
  t.deepEqual(
    shown(
      read(
        'Z +01:00',
        `${MYSQL} 2026-11-29T10:14:14.729427Z 0 [System] [MY-013602] [Server] Channel`,
        `${MYSQL} 2026-11-29 11:14:15 0 [Warning] Aborted connection`,
        `${MYSQL} to db: 'app'`,
      ),
    ),
    [
      '2026-11-29T10:14:14.729427Z mysql 5 [MY-013602] [Server] Channel',
      "2026-11-29T10:14:15.000000Z mysql 4 Aborted connection\nto db: 'app'",
    ],
  );
});

test('a slow statement is one entry, and has the time of the one before where the log says none', (t) => {
  t.deepEqual(
    shown(
      read(
        `${SLOW} /usr/sbin/mysqld, Version: 9.7.4-2 (Debian). started with:`,
        `${SLOW} # Time: 2026-11-29T10:49:05.123456Z`,
        `${SLOW} # User@Host: app[app] @  [10.0.0.1]  Id:   11`,
        `${SLOW} SELECT 1;`,
        `${MARIADB_SLOW} # Time: 261129  9:05:06`,
        `${MARIADB_SLOW} # User@Host: app[app] @  [10.0.0.2]`,
        `${MARIADB_SLOW} SELECT 2;`,
        `${MARIADB_SLOW} # User@Host: app[app] @  [10.0.0.3]`,
        `${MARIADB_SLOW} SELECT 3;`,
      ),
    ),
    [
      '2026-11-29T09:05:06.000000Z mariadb 5 slow statement\n# User@Host: app[app] @  [10.0.0.2]\nSELECT 2;',
      '2026-11-29T10:49:05.123456Z mysql 5 slow statement\n# User@Host: app[app] @  [10.0.0.1]  Id:   11\nSELECT 1;',
      '2026-11-29T09:05:06.000000Z mariadb 5 slow statement\n# User@Host: app[app] @  [10.0.0.3]\nSELECT 3;',
    ],
  );
});

test('however the output is cut into pieces, the same entries come out', (t) => {
  const text = Buffer.from(
    `Z +00:00\n${entry({ SYSLOG_IDENTIFIER: 'x', MESSAGE: 'grüße' })}\n${ACCESS} 2026-11-29T12:29:05+02:00 ä 1795948145.267\n`,
  );
  const whole: LogLine[] = [];
  const reader = new LogReader('web1', (line) => whole.push(line));
  reader.push(text);
  reader.flush();
  t.is(whole.length, 2);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(text.length)), (cuts) => {
      const found: LogLine[] = [];
      const inPieces = new LogReader('web1', (line) => found.push(line));
      let from = 0;
      for (const cut of [...cuts.toSorted((a, b) => a - b), text.length]) {
        inPieces.push(text.subarray(from, cut));
        from = cut;
      }
      inPieces.flush();
      t.deepEqual(found, whole);
    }),
  );
});

const LINE: LogLine = { host: 'web1', at: 2_000_000, unit: 'mariadb@db2', priority: 4, message: 'id abc' };
const FILTERS: readonly (readonly [Partial<LogFilter>, boolean])[] = [
  [{}, true],
  [{ since: 2_000_001 }, false],
  [{ unit: 'mariadb' }, true],
  [{ unit: 'maria' }, false],
  [{ text: 'abc' }, true],
  [{ text: 'abd' }, false],
  [{ pattern: /^id/u }, true],
  [{ pattern: /^abc/u }, false],
  [{ priority: 4 }, true],
  [{ priority: 3 }, false],
];
for (const [filter, wanted] of FILTERS) {
  test(`a line is ${wanted ? '' : 'not '}wanted by ${JSON.stringify(filter)} ${filter.pattern?.source ?? ''}`, (t) => {
    t.is(isWanted(LINE, { since: 0, ...filter }), wanted);
  });
}

test('lines are put in order by their time, then by their host', (t) => {
  const at = (host: string, micros: number): LogLine => ({ ...LINE, host, at: micros });
  t.deepEqual(
    [at('b', 2), at('a', 2), at('c', 1)].sort(byTime).map(({ host }) => host),
    ['c', 'a', 'b'],
  );
});

test('the script asks only for the files of the unit, and quotes what it is given', (t) => {
  const script = logScript({ since: 1.5, unit: "x'; rm -rf /", text: undefined, follow: false });
  t.true(script.includes(`--unit='x'\\''; rm -rf /'`));
  t.false(script.includes('/var/log/'));
  t.true(logScript({ since: 0, unit: 'nginx', text: undefined, follow: true }).includes('tail -q'));
});
