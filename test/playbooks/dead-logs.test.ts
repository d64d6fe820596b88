import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import test, { type ExecutionContext } from 'ava';

import { run as runProgram } from '../../src/lib/process.ts';

/* What a machine says of the binary logs of its dead server; the server and the program that reads logs are stand-ins. */

const script = readFileSync(
  fileURLToPath(new URL('../../files/failover/understudy-node', import.meta.url)),
  'utf8',
);
const UUID = '00000000-0000-0000-0000-000000000001';

interface Reads {
  readonly flavour?: 'mysql' | 'mariadb';
  /** What the program says of a log, what on standard error, and its status. */
  readonly said: string;
  readonly warns?: string;
  readonly status?: number;
}

/** The script on a machine of stand-ins whose server is fenced. */
function machine(t: ExecutionContext, { flavour = 'mysql', said, warns = '', status = 0 }: Reads) {
  const root = mkdtempSync(join(tmpdir(), 'understudy-dead-logs-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const bin = join(root, 'bin');
  const data = join(root, 'data');
  for (const directory of [bin, data, join(root, 'proc')]) mkdirSync(directory);
  const put = (program: string, body: string): void => {
    writeFileSync(join(bin, program), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, program), 0o755);
  };
  for (const program of ['ss', 'systemctl', flavour === 'mysql' ? 'mysqld' : 'mariadbd']) put(program, ':');
  put('my_print_defaults', `echo --datadir=${data}`);
  put(
    flavour === 'mysql' ? 'mysqlbinlog' : 'mariadb-binlog',
    `cat '${root}/said'; cat '${root}/warns' >&2; exit ${status}`,
  );
  writeFileSync(join(root, 'said'), said);
  writeFileSync(join(root, 'warns'), warns);
  writeFileSync(join(data, 'binlog.index'), './binlog.000001\n');
  writeFileSync(join(data, 'binlog.000001'), Buffer.from(`fe62696e${'00'.repeat(100)}`, 'hex'));
  writeFileSync(join(root, 'fenced'), '2026-11-28T00:00:00Z running\n');
  symlinkSync('/dev/null', join(root, `${flavour}.service`));
  const here = script
    .replace('PATH=/usr/sbin:', `PATH=${bin}:/usr/sbin:`)
    .replace('proc=/proc\n', `proc=${root}/proc\n`)
    .replaceAll('/usr/sbin/mariadbd', join(bin, 'mariadbd'))
    .replaceAll('/usr/sbin/mysqld', join(bin, 'mysqld'))
    .replaceAll('/etc/systemd/system/', `${root}/`)
    .replace('state_in_memory=/run/', `state_in_memory=${root}/`)
    .replace('state_dir=/var/lib/understudy', `state_dir=${root}`);
  return async (...verb: readonly string[]) => {
    const chunks: Buffer[] = [];
    const onStdout = (chunk: Buffer): void => void chunks.push(chunk);
    const { status, stderr } = await runProgram(['sh', '-s', ...verb], { input: here, onStdout });
    return { status, stderr, stdout: Buffer.concat(chunks) };
  };
}

const SAID = [1, 2]
  .map(
    (number) =>
      `# at 4\n#261128 22:34:17 server id 1  end_log_pos 9 CRC32 0x0 \tGTID\tlast_committed=0\n` +
      `SET @@SESSION.GTID_NEXT= '${UUID}:${number}'/*!*/;\n` +
      '#261128 22:34:17 server id 1  end_log_pos 9 CRC32 0x0 \tQuery\tthread_id=1\nBEGIN\n/*!*/;\nCOMMIT/*!*/;\n',
  )
  .join('');

test('a log that was read to its end is told with what it holds first', async (t) => {
  const run = machine(t, { said: SAID });
  const { status, stdout } = await run('log-events', 'binlog.000001');
  t.is(status, 0);
  t.true(stdout.toString().startsWith(`#has ${UUID} 1 2\n#events\n# at 4\n`), stdout.toString());
  const statements = await run('log-statements', 'binlog.000001');
  t.is(statements.status, 0);
  t.is(gunzipSync(statements.stdout).toString(), SAID);
});

/* In these words: MySQL 9.7 for a log that was closed and for one that was not; MariaDB 10.11. */
for (const [warns, status] of [
  [
    'ERROR: Could not read entry at offset 32975: Error in log format or read error 1.\nERROR: binlog truncated in the middle of event; consider out of disk space',
    1,
  ],
  ['WARNING: File ends with a truncated event.', 0],
  ["ERROR: Error in Log_event::read_log_event(): 'Event truncated'", 0],
] as const) {
  test(`a log that ends within an event is cut there: ${warns}`, async (t) => {
    const run = machine(t, { said: SAID, warns, status });
    const events = await run('log-events', 'binlog.000001');
    t.is(events.status, 0);
    t.true(
      events.stdout.toString().startsWith(`#has ${UUID} 1 2\n#cut\n#events\n`),
      events.stdout.toString(),
    );
    t.is((await run('log-statements', 'binlog.000001')).status, 0);
  });
}

for (const [warns, status] of [
  ['mysqlbinlog: Error reading file (OS errno 5 - Input/output error)', 1],
  ['ERROR: Could not read entry at offset 19957: Error in log format or read error 1.', 1],
  ["mysqlbinlog: Can't get stat of '/tmp' (OS errno 2 - No such file or directory)", 1],
  [
    "ERROR: Error in Log_event::read_log_event(): 'Event crc check failed!', data_len: 5040, event_type: 23",
    0,
  ],
  ["ERROR: Error in Log_event::read_log_event(): 'read error', data_len: 0, event_type: 0", 0],
] as const) {
  test(`a log that cannot be read to its end fails: ${warns}`, async (t) => {
    const run = machine(t, { said: SAID, warns, status });
    for (const verb of ['log-events', 'log-statements']) {
      const ended = await run(verb, 'binlog.000001');
      t.is(ended.status, 1);
      t.true(ended.stderr.startsWith(warns), ended.stderr);
      t.regex(ended.stderr, /to (its|their) end/);
    }
  });
}

test('what clients wrote names no transaction', async (t) => {
  const said =
    SAID +
    '#261128 22:34:17 server id 1  end_log_pos 9 CRC32 0x0 \tQuery\tthread_id=1\ncreate procedure p() begin\n' +
    `SET @@SESSION.GTID_NEXT= '${UUID}:9'/*!*/;\n#261128 22:34:17 server id 1 \tGTID 0-7-9 trans\n#events\nend\n/*!*/;\n`;
  const { stdout } = await machine(t, { said })('log-events', 'binlog.000001');
  t.true(stdout.toString().startsWith(`#has ${UUID} 1 2\n#events\n`), stdout.toString());
});

test('the head of a log of MariaDB with an empty list names the first transaction of each domain', async (t) => {
  const event = (what: string): string =>
    `#261128 22:42:17 server id 7  end_log_pos 299 CRC32 0x0 \t${what}\n`;
  const body = ['GTID 0-7-51 trans', 'GTID 0-7-52 trans', 'GTID 1-7-20 ddl'].map(event).join('');
  const empty = event('Gtid list []');
  const first = await machine(t, { flavour: 'mariadb', said: empty + body })('logs', '4');
  t.is(
    first.stdout.toString(),
    `#log binlog.000001\n${empty}${event('GTID 0-7-51 trans')}${event('GTID 1-7-20 ddl')}`,
  );
  const full = event('Gtid list [0-7-50]');
  const later = await machine(t, { flavour: 'mariadb', said: full + body })('logs', '4');
  t.is(later.stdout.toString(), `#log binlog.000001\n${full}${event('GTID 0-7-51 trans')}`);
});
