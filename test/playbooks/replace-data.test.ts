import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../src/lib/process.ts';
import { firstMissing, needsProgram, needsRoot, testWith } from '../needs.ts';

/* How a copy of MariaDB takes the place of the data, on real file systems; the programs of MariaDB are stand-ins. */

const script = readFileSync(
  fileURLToPath(new URL('../../files/failover/understudy-node', import.meta.url)),
  'utf8',
);
const block = script.slice(script.indexOf('# --- data: begin'), script.indexOf('# --- data: end'));
const mounting = testWith(firstMissing(needsRoot(), needsProgram('unshare', 'util-linux')), test);

const FAKES: Readonly<Record<string, string>> = {
  my_print_defaults: 'echo "--datadir=$DATA"',
  mariadbd: 'echo "mariadbd  Ver 11.8.9-MariaDB"',
  mbstream:
    'cat > "$3/ibdata1"; [ ! -s "$3/ibdata1" ] || printf x > "$3/mariadb_backup_info"; mkdir "$3/app"; echo new > "$3/app/t.ibd"; echo hidden > "$3/.my"',
  'mariadb-backup': 'printf "binlog.000001\\t4\\t0-1-7\\n" > "${2#--target-dir=}/mariadb_backup_binlog_info"',
  chown: ':',
};

/** Replaces the data in a directory made by `setUp`, in a mount namespace of its own, and then says what is where. */
async function replace(
  t: ExecutionContext,
  setUp: string,
  stream = 'printf "1000\\nwhole"',
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const root = mkdtempSync(join(tmpdir(), 'understudy-data-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'bin'));
  for (const [name, body] of Object.entries(FAKES)) {
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(root, 'bin', name), 0o755);
  }
  const body = `set -euf
cd '${root}'
export PATH='${root}/bin':$PATH DATA='${root}/mysql'
fail() { printf '%s\\n' "$*" >&2; exit 1; }
${block}
mkdir real
${setUp}
mkdir "$DATA/old-schema"; echo old > "$DATA/old-schema/t.ibd"; echo old > "$DATA/ibdata1"; echo old > "$DATA/debian-10.11.flag"
look() { find "$(readlink -f "$DATA")" -mindepth 1 -printf '%P %l\\n' | sort; find . -maxdepth 1 -name '*.understudy*'; }
trap 'look' EXIT
find_data
${stream} | receive_copy || exit 1
prepare_copy prepare.log
replace_data
rm -rf "$old"
echo "position $position"
`;
  const result = await run(['unshare', '-m', 'sh', '-c', body]);
  return { ...result, status: result.status ?? -1 };
}

const NEW = [
  '.my',
  'app',
  'app/t.ibd',
  'debian-10.11.flag',
  'ibdata1',
  'mariadb_backup_binlog_info',
  'mariadb_backup_info',
];
const OLD = ['debian-10.11.flag', 'ibdata1', 'old-schema', 'old-schema/t.ibd'];
const filesIn = (stdout: string): readonly string[] =>
  stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('position'));

const PLACES: readonly (readonly [string, string])[] = [
  ['an ordinary directory', 'mkdir mysql'],
  ['a mount point', 'mkdir mysql; mount -t tmpfs -o size=80m tmpfs mysql'],
  ['a link to an ordinary directory', 'ln -s real mysql'],
  ['a link to a mount point', 'mount -t tmpfs -o size=80m tmpfs real; ln -s real mysql'],
  ['a bind mount', 'mkdir mysql; mount --bind real mysql'],
];

for (const [name, setUp] of PLACES) {
  mounting(`a copy takes the place of data in ${name}`, async (t) => {
    const { status, stdout, stderr } = await replace(t, setUp);
    t.is(status, 0, stderr);
    t.regex(stdout, /^position 0-1-7$/m);
    t.deepEqual(filesIn(stdout), NEW);
  });
}

mounting('what a file system has of its own stays in the data directory', async (t) => {
  const setUp = 'mkdir mysql; mount -t tmpfs -o size=80m tmpfs mysql; mkdir mysql/lost+found';
  const { status, stdout, stderr } = await replace(t, setUp);
  t.is(status, 0, stderr);
  t.deepEqual(filesIn(stdout), [...NEW.slice(0, 5), 'lost+found', ...NEW.slice(5)]);
});

const REFUSED: readonly (readonly [string, string, string | undefined, RegExp])[] = [
  [
    'other file systems are inside',
    'mkdir -p mysql/binlog; mount -t tmpfs tmpfs mysql/binlog',
    undefined,
    /there are other file systems: .*\/mysql\/binlog/,
  ],
  [
    'there is no room for it',
    'mkdir mysql; mount -t tmpfs -o size=40m tmpfs mysql',
    undefined,
    /needs 64 MB beside the data .* has \d+ MB free; nothing was changed/,
  ],
  [
    'the disk fills up while it comes in',
    'mkdir mysql; mount -t tmpfs -o size=70m tmpfs mysql',
    '{ echo 1000; head -c 80000000 /dev/zero; }',
    /No space left/i,
  ],
  ['nothing comes', 'mkdir mysql', ':', /nothing came from the donor/],
  [
    'an older release serves it',
    'mkdir mysql',
    'printf "XBSTCK01 whatever\\n"',
    /serves copies as an older release did/,
  ],
  ['it is not whole', 'mkdir mysql', 'printf "1000\\n"', /the copy is not whole/],
];

for (const [why, setUp, stream, message] of REFUSED) {
  mounting(`the data stay as they are when ${why}`, async (t) => {
    const { status, stdout, stderr } = await replace(t, setUp, stream);
    t.is(status, 1);
    t.regex(stderr, message);
    const files = filesIn(stdout);
    for (const file of OLD) t.true(files.includes(file), `${file} of ${files.join(', ')}`);
  });
}
