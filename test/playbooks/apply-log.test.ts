import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../src/lib/process.ts';

/* How a log is applied on MariaDB, whose statements do not count as replicated; the server is a stand-in. */

const script = readFileSync(
  fileURLToPath(new URL('../../files/failover/understudy-node', import.meta.url)),
  'utf8',
);

interface Server {
  readonly replicated: string;
  readonly logged: string;
  /** What its binary log says after the statements, and how its client then ends. */
  readonly after: string;
  readonly ends?: string;
  readonly replicates?: true;
}

async function applied(t: ExecutionContext, server: Server) {
  const root = mkdtempSync(join(tmpdir(), 'understudy-apply-log-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const bin = join(root, 'bin');
  const state = join(root, 'state');
  mkdirSync(bin);
  const put = (program: string, body: string): void => {
    writeFileSync(join(bin, program), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, program), 0o755);
  };
  writeFileSync(join(root, 'logged'), server.logged);
  put(
    'mariadb',
    `case "$*" in
      *read_only*) echo ON ;;
      *IS_USED_LOCK*) cat '${root}/session' 2> /dev/null; echo ;;
      *"GET_LOCK"*) [ ! -e '${root}/session' ] && echo 1 || echo 0 ;;
      *KILL*) rm '${root}/session'; echo "$*" | sed 's/.*KILL/KILL/' >> '${root}/log' ;;
      *COUNT*) echo ${server.replicates ? 2 : 0} ;;
      *SET*) echo "$*" | sed 's/.*SET/SET/' >> '${root}/log' ;;
      *gtid_slave_pos*) echo '${server.replicated}'; cat '${root}/logged'; echo ;;
      *gtid_binlog_pos*) cat '${root}/logged' ;;
      *--binary-mode*)
        echo 7 > '${root}/session'
        cat > /dev/null
        printf %s '${server.after}' > '${root}/logged'
        ${server.ends ?? `rm '${root}/session'`}
        ;;
    esac`,
  );
  put('mariadbd', ':');
  put('my_print_defaults', 'echo --port=3306');
  const here = join(root, 'script');
  writeFileSync(
    here,
    script
      .replace('PATH=/usr/sbin:', `PATH=${bin}:/usr/sbin:`)
      .replaceAll('/usr/sbin/mariadbd', join(bin, 'mariadbd'))
      .replace('state_dir=/var/lib/understudy', `state_dir=${state}`),
  );
  const { status, stderr } = await run(['sh', '-c', `echo 'INSERT;' | gzip | sh '${here}' apply-log 1`]);
  const log = join(root, 'log');
  return {
    status,
    stderr,
    log: existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [],
    left: existsSync(state) ? readdirSync(state) : [],
  };
}

const POSITIONS: readonly (Omit<Server, 'ends'> & {
  readonly name: string;
  readonly counts: readonly string[];
})[] = [
  { name: 'one domain', replicated: '0-1-98', logged: '0-1-98', after: '0-1-100', counts: ['0-1-100'] },
  {
    name: 'a server that was the primary before',
    replicated: '0-1-50',
    logged: '0-3-98',
    after: '0-1-100',
    counts: ['0-1-100'],
  },
  {
    name: 'several domains, one of which has not moved',
    replicated: '0-1-98,1-1-7',
    logged: '1-1-7,0-1-98',
    after: '1-1-7,0-1-100,2-1-1',
    counts: ['0-1-100', '1-1-7', '2-1-1'],
  },
  {
    name: 'a domain that was never replicated stays so',
    replicated: '0-1-98',
    logged: '0-1-98,5-2-7',
    after: '0-1-100,5-2-7',
    counts: ['0-1-100'],
  },
  { name: 'nothing replicated before', replicated: '', logged: '', after: '0-1-2', counts: ['0-1-2'] },
];

for (const { name, counts, ...server } of POSITIONS) {
  test(`what was applied counts as replicated: ${name}`, async (t) => {
    const { status, stderr, log, left } = await applied(t, server);
    t.is(status, 0, stderr);
    const [, position = ''] = /^SET GLOBAL gtid_slave_pos = '(.*)'$/.exec(log.join('\n')) ?? [];
    t.deepEqual(position.split(',').toSorted(), [...counts]);
    t.deepEqual(left, []);
  });
}

const HALF = { replicated: '0-1-98', logged: '0-1-98', after: '0-1-99' };

test('what a statement that failed leaves applied counts as replicated, too', async (t) => {
  const { status, log, left } = await applied(t, { ...HALF, ends: 'echo ERROR 1062 >&2; exit 1' });
  t.is(status, 1);
  t.deepEqual(log, ['KILL 7', "SET GLOBAL gtid_slave_pos = '0-1-99'"]);
  t.deepEqual(left, []);
});

test('a client that takes longer than its limit is ended, with its session, before the position is read', async (t) => {
  const { status, stderr, log, left } = await applied(t, { ...HALF, ends: 'exec sleep 60' });
  t.is(status, 1);
  t.regex(stderr, /took longer than 1 s/);
  t.deepEqual(log, ['KILL 7', "SET GLOBAL gtid_slave_pos = '0-1-99'"]);
  t.deepEqual(left, []);
});

test('nothing is applied on a server that replicates', async (t) => {
  const { status, stderr, log } = await applied(t, { ...HALF, replicates: true });
  t.is(status, 1);
  t.regex(stderr, /this instance replicates/);
  t.deepEqual(log, []);
});
