import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { account } from '../../src/facts/account.ts';
import { directory } from '../../src/facts/directory.ts';
import { file } from '../../src/facts/file.ts';
import { getent } from '../../src/facts/getent.ts';
import { group } from '../../src/facts/group.ts';
import { setup } from '../../src/facts/setup.ts';
import { needsRoot, testWith } from '../needs.ts';
import { readFacts, SHELLS } from './run-script.ts';

const asRoot = testWith(needsRoot(), test);

/** A shell that sees other users and groups than this machine has, in a mount namespace of its own. */
function inside(root: string, shell: readonly string[]): readonly [string, ...string[]] {
  writeFileSync(
    join(root, 'passwd'),
    `${readFileSync('/etc/passwd', 'utf8')}FOO\\ann lee:x:54321:54322:Ann:/h:/bin/sh\n`,
  );
  writeFileSync(
    join(root, 'group'),
    `${readFileSync('/etc/group', 'utf8')}domain users:x:54322:\nFOO\\web admins:x:54323:FOO\\ann lee\nq"uo'te:x:54324:FOO\\ann lee\n`,
  );
  const binds = ['passwd', 'group'].map((name) => `mount --bind '${join(root, name)}' /etc/${name}`);
  return ['unshare', '--mount', '/bin/sh', '-c', `${binds.join(' && ')} && exec ${shell.join(' ')}`];
}

for (const shell of SHELLS) {
  asRoot(`${shell.join(' ')}: names of users and groups may hold blanks, backslashes and quotes`, (t) => {
    const root = mkdtempSync(join(tmpdir(), 'names '));
    try {
      const there = inside(root, shell);
      const path = join(root, 'a b');
      writeFileSync(path, '');
      chownSync(path, 54321, 54322);
      mkdirSync(join(root, 'd'));
      writeFileSync(join(root, 'd', 'x y'), '');
      chownSync(join(root, 'd', 'x y'), 54321, 54323);

      const [owned] = readFacts(there, file, [{ path }]);
      t.like(owned, { type: 'file', owner: 'FOO\\ann lee', group: 'domain users', uid: 54321, gid: 54322 });
      const [listed] = readFacts(there, directory, [{ path: join(root, 'd') }]);
      t.like(listed?.exists && listed.entries[0], {
        path: 'x y',
        owner: 'FOO\\ann lee',
        group: 'FOO\\web admins',
      });
      const [ann, nobody] = readFacts(there, account, ['FOO\\ann lee', 'no one']);
      t.like(ann, { uid: 54321, group: 'domain users', groups: ['FOO\\web admins', 'q"uo\'te'], home: '/h' });
      t.is(nobody, undefined);
      const [users, admins] = readFacts(there, group, ['domain users', 'FOO\\web admins']);
      t.deepEqual(users, { name: 'domain users', gid: 54322, members: [] });
      t.deepEqual(admins, { name: 'FOO\\web admins', gid: 54323, members: ['FOO\\ann lee'] });
      const [entry] = readFacts(there, getent, [{ database: 'group', key: 'domain users' }]);
      t.deepEqual(entry, { status: 0, lines: ['domain users:x:54322:'] });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
}

test('variables of the environment may hold lines that look like others', (t) => {
  const [facts] = readFacts(['env', 'TRICKY=a\nHOME=/no\n=', '/bin/sh'], setup, ['/none']);
  const environment = facts?.['env'] as Record<string, string>;
  t.is(environment['TRICKY'], 'a\nHOME=/no\n=');
  t.not(environment['HOME'], '/no');
});
