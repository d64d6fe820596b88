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

/** A log of whole events of 100 bytes, and what is there of the last one. */
function logOf(events: number, lastLength: number): Buffer {
  const event = Buffer.alloc(100);
  event.writeUInt32LE(100, 9);
  return Buffer.concat([
    Buffer.from('fe62696e', 'hex'),
    ...Array.from({ length: events }, () => event),
    event.subarray(0, lastLength),
  ]);
}

interface Reads {
  readonly flavour?: 'mysql' | 'mariadb';
  readonly log?: Buffer;
  /** What the program says of a log, and of what it fails. */
  readonly said: string;
  readonly fails?: string;
  readonly warns?: string;
}

/** The script on a machine of stand-ins whose server is fenced. */
function machine(
  t: ExecutionContext,
  { flavour = 'mysql', log = logOf(2, 0), said, fails, warns = '' }: Reads,
) {
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
    `echo '${warns}' >&2; cat '${root}/said'; [ ! -s '${root}/fails' ] || { cat '${root}/fails' >&2; exit 1; }`,
  );
  writeFileSync(join(root, 'said'), said);
  writeFileSync(join(root, 'fails'), fails ?? '');
  writeFileSync(join(data, 'binlog.index'), './binlog.000001\n');
  writeFileSync(join(data, 'binlog.000001'), log);
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

for (const length of [5, 60]) {
  test(`a log that ends ${length} bytes within its last event is cut there`, async (t) => {
    const fails =
      'ERROR: Could not read entry at offset 204: Error in log format or read error 1.\nERROR: truncated\n';
    const run = machine(t, { said: SAID, log: logOf(2, length), fails });
    const { status, stdout } = await run('log-events', 'binlog.000001');
    t.is(status, 0);
    t.true(stdout.toString().startsWith(`#has ${UUID} 1 2\n#cut\n#events\n`), stdout.toString());
    t.is((await run('log-statements', 'binlog.000001')).status, 0);
  });
}

test('a log that nobody has closed, and of whose end is warned, is cut there', async (t) => {
  const run = machine(t, {
    said: SAID,
    log: logOf(2, 9),
    warns: 'WARNING: File ends with a truncated event.',
  });
  const { status, stdout } = await run('log-events', 'binlog.000001');
  t.is(status, 0);
  t.true(stdout.toString().startsWith(`#has ${UUID} 1 2\n#cut\n#events\n`), stdout.toString());
  t.is((await run('log-statements', 'binlog.000001')).status, 0);
});

for (const [what, fails] of [
  ['a disk that cannot be read', 'mysqlbinlog: Error reading file (OS errno 5 - Input/output error)\n'],
  ['a damaged event', 'ERROR: Could not read entry at offset 104: Error in log format or read error 1.\n'],
  ['a directory that is missing', "mysqlbinlog: Can't get stat of '/tmp'\n"],
] as const) {
  test(`${what} fails the reading of a log`, async (t) => {
    const run = machine(t, { said: SAID, fails });
    for (const verb of ['log-events', 'log-statements']) {
      const { status, stderr } = await run(verb, 'binlog.000001');
      t.is(status, 1);
      t.true(stderr.includes(fails.trim().slice(0, 30)), stderr);
      t.regex(stderr, /to (its|their) end/);
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
