import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import fc from 'fast-check';

import { content } from '../../src/facts/content.ts';
import { directory } from '../../src/facts/directory.ts';
import { file } from '../../src/facts/file.ts';
import { glob } from '../../src/facts/glob.ts';
import { readFacts, SHELLS, testIn } from './run-script.ts';

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'facts-'));
}

const sha1 = (bytes: string | Buffer): string => createHash('sha1').update(bytes).digest('hex');

for (const shell of SHELLS) {
  const name = shell.join(' ');

  for (const special of [0o1000, 0o2000, 0o4000, 0o3000, 0o7000]) {
    testIn(shell)(`${name}: the mode bits ${special.toString(8)} do not change what a file is`, (t) => {
      const root = temporary();
      writeFileSync(join(root, 'file'), '');
      mkdirSync(join(root, 'directory'));
      execFileSync('mkfifo', [join(root, 'fifo')]);
      const names = ['file', 'directory', 'fifo'] as const;
      for (const one of names) chmodSync(join(root, one), special | 0o755);
      const facts = readFacts(
        shell,
        file,
        names.map((one) => ({ path: join(root, one) })),
      );
      for (const [index, type] of names.entries()) t.like(facts[index], { type, mode: special | 0o755 });
      const [found] = readFacts(shell, directory, [{ path: root }]);
      t.deepEqual(
        found?.exists && found.entries.map((entry) => [entry.path, entry.type, entry.mode]),
        names.toSorted().map((one) => [one, one, special | 0o755]),
      );
    });
  }

  testIn(shell)(`${name}: files, directories, links and what is missing are told apart`, (t) => {
    const root = temporary();
    writeFileSync(join(root, 'a b'), 'hello\n');
    chmodSync(join(root, 'a b'), 0o4751);
    mkdirSync(join(root, 'd'));
    symlinkSync('a b', join(root, 'link'));
    symlinkSync('nowhere', join(root, 'broken'));
    const keys = [
      { path: join(root, 'missing'), checksum: 'sha1' as const },
      { path: join(root, 'a b'), checksum: 'sha1' as const },
      { path: join(root, 'd') },
      { path: join(root, 'link') },
      { path: join(root, 'link'), follow: true, checksum: 'sha256' as const },
      { path: join(root, 'broken') },
      { path: join(root, 'broken'), follow: true },
    ];
    const facts = readFacts(shell, file, keys);
    const stat = statSync(join(root, 'a b'));
    t.deepEqual(facts[0], { exists: false });
    t.like(facts[1], {
      type: 'file',
      mode: 0o4751,
      size: 6,
      uid: stat.uid,
      inode: stat.ino,
      links: 1,
      owner: 'root',
      checksum: sha1('hello\n'),
      readable: true,
    });
    t.true(Math.abs((facts[1]?.exists ? facts[1].mtime : 0) - stat.mtimeMs / 1000) < 1.001);
    t.like(facts[2], { type: 'directory' });
    t.like(facts[3], { type: 'link', target: 'a b', realPath: join(root, 'a b') });
    t.like(facts[4], {
      type: 'file',
      target: 'a b',
      checksum: createHash('sha256').update('hello\n').digest('hex'),
    });
    t.like(facts[5], { type: 'link', target: 'nowhere' });
    t.deepEqual(facts[6], { exists: false });
    rmSync(root, { recursive: true });
  });

  testIn(shell)(`${name}: content comes back byte for byte`, (t) => {
    const root = temporary();
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));
    writeFileSync(join(root, 'binary'), bytes);
    writeFileSync(join(root, 'large'), Buffer.alloc(1024 * 1024 + 1));
    writeFileSync(join(root, 'empty'), '');
    const facts = readFacts(
      shell,
      content,
      ['binary', 'large', 'empty', 'missing', '.'].map((path) => join(root, path)),
    );
    t.deepEqual(facts, [
      { kind: 'file', bytes },
      { kind: 'too large', size: 1024 * 1024 + 1 },
      { kind: 'file', bytes: Buffer.alloc(0) },
      { kind: 'missing' },
      { kind: 'directory' },
    ]);
    rmSync(root, { recursive: true });
  });

  testIn(shell)(`${name}: any file name is read back`, (t) => {
    const names = fc.uniqueArray(
      fc
        .string({
          unit: fc.constantFrom(...'ab \n\t\'"\\$`*?[]{}();&|<>~!#-=%\ré漢'),
          minLength: 1,
          maxLength: 20,
        })
        .filter((value) => value !== '.' && value !== '..'),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(names, (list) => {
        const root = temporary();
        for (const [index, item] of list.entries()) {
          if (index % 3 === 2) symlinkSync(item, join(root, item));
          else writeFileSync(join(root, item), item);
        }
        const facts = readFacts(
          shell,
          file,
          list.map((item) => ({ path: `${root}/${item}`, checksum: 'sha1' as const })),
        );
        list.forEach((item, index) => {
          const expected =
            index % 3 === 2 ? { type: 'link', target: item } : { type: 'file', checksum: sha1(item) };
          t.like(facts[index], expected, JSON.stringify(item));
        });
        t.deepEqual(
          readFacts(shell, glob, [
            `${root}/*`,
            ...list.map((item) => `${root}/${item.replaceAll(/[*?[\]]/g, '?')}`),
          ])
            .slice(1)
            .map((found, index) => found.includes(`${root}/${list[index]}`)),
          list.map(() => true),
        );
        rmSync(root, { recursive: true });
      }),
      { numRuns: 25 },
    );
  });

  testIn(shell)(`${name}: hundreds of paths are read in the order they were asked for`, (t) => {
    const root = temporary();
    const paths = Array.from({ length: 450 }, (_, index) => join(root, String(index)));
    paths.forEach((path, index) => {
      if (index % 2 === 0) writeFileSync(path, String(index));
    });
    const facts = readFacts(
      shell,
      file,
      paths.map((path) => ({ path, checksum: 'sha1' as const })),
    );
    t.deepEqual(
      facts.map((fact) => (fact.exists ? fact.checksum : undefined)),
      paths.map((_, index) => (index % 2 === 0 ? sha1(String(index)) : undefined)),
    );
    rmSync(root, { recursive: true });
  });
}

test('a directory is listed with the attributes of what is in it', (t) => {
  const root = temporary();
  mkdirSync(join(root, 'sub\nline'));
  writeFileSync(join(root, 'sub\nline', 'f'), 'x', { mode: 0o600 });
  symlinkSync('f', join(root, 'sub\nline', 'l'));
  const [all, flat, none, noDirectory] = readFacts(['/bin/sh'], directory, [
    { path: root },
    { path: root, depth: 1 },
    { path: join(root, 'none') },
    { path: join(root, 'sub\nline', 'f') },
  ]);
  t.like(all, {
    exists: true,
    entries: [
      { path: 'sub\nline', type: 'directory' },
      { path: 'sub\nline/f', type: 'file', mode: 0o600, size: 1, owner: 'root' },
      { path: 'sub\nline/l', type: 'link', target: 'f' },
    ],
  });
  t.is(flat?.exists && flat.entries.length, 1);
  t.deepEqual(none, { exists: false, reason: 'missing' });
  t.deepEqual(noDirectory, { exists: false, reason: 'not a directory' });
  rmSync(root, { recursive: true });
});
