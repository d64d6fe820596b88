import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync, chmodSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import fc from 'fast-check';

import { allModules, findModule } from '../../../src/modules/find-module.ts';
import { resolveMode } from '../../../src/modules/parts/mode.ts';
import { shellPattern } from '../../../src/modules/parts/shell-pattern.ts';
import { listName } from '../../../src/modules/apt_repository.ts';

const registry = await allModules();

test('modules are found by their names, short names and second names', (t) => {
  for (const name of ['copy', 'ansible.builtin.copy', 'ansible.legacy.copy']) {
    t.is(findModule(name)?.name, 'ansible.builtin.copy', name);
  }
  t.is(findModule('systemd')?.name, 'ansible.builtin.systemd_service');
  t.is(findModule('gather_facts')?.name, 'ansible.builtin.setup');
  t.is(findModule('ufw')?.name, 'community.general.ufw');
  t.is(findModule('nosuch'), undefined);
  t.is(findModule('toString'), undefined);
});

test('every module is registered under its own name and says what it does', (t) => {
  for (const [name, module] of Object.entries(registry)) {
    t.is(module.name, name);
    t.regex(module.summary, /^[A-Z].*\.$/, name);
  }
});

test('symbolic modes mean what chmod makes of them', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'mode-'));
  const clause = fc
    .tuple(
      fc.constantFrom('', 'u', 'g', 'o', 'a', 'ug', 'go'),
      fc.constantFrom('+', '-', '='),
      fc.constantFrom('', 'r', 'w', 'x', 'X', 'rw', 'rwx', 'rX', 's', 't', 'u', 'g', 'o'),
    )
    .map((parts) => parts.join(''));
  const modes = fc.array(clause, { minLength: 1, maxLength: 3 }).map((clauses) => clauses.join(','));
  fc.assert(
    fc.property(modes, fc.integer({ min: 0, max: 0o7777 }), fc.boolean(), (mode, start, isDirectory) => {
      const path = join(root, isDirectory ? 'd' : 'f');
      if (isDirectory) mkdirSync(path);
      else writeFileSync(path, '');
      chmodSync(path, start);
      const result = spawnSync('sh', ['-c', 'umask 022; chmod -- "$1" "$2"', 'sh', mode, path]);
      const expected = statSync(path).mode & 0o7777;
      rmSync(path, { recursive: true });
      // chmod complains where the umask kept something back, but does it.
      t.true(result.status === 0 || result.stderr.includes('new permissions are'), result.stderr.toString());
      t.is(
        resolveMode(mode, start, isDirectory).toString(8),
        expected.toString(8),
        `${mode} on ${start.toString(8)}`,
      );
    }),
    { numRuns: 150 },
  );
  rmSync(root, { recursive: true });
});

test('shell patterns match whole names', (t) => {
  t.true(shellPattern('*.c[ao]?').test('a.b.cat'));
  t.false(shellPattern('*.c').test('a.cc'));
  t.true(shellPattern('[!a]b').test('cb'));
  t.false(shellPattern('a.c').test('abc'));
});

test('list files of package sources are named as Ansible names them', (t) => {
  t.is(
    listName('deb [signed-by=/k.gpg arch=amd64] https://user:pw@repo.example.com/apt/debian bookworm main'),
    'repo_example_com_apt_debian_bookworm_main.list',
  );
  t.is(
    listName('deb-src http://deb.debian.org/debian trixie main contrib'),
    'deb_debian_org_debian_trixie_main_contrib.list',
  );
});
