import test from 'ava';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { FOLDERS } from '../../scripts/rooms.ts';
import { withRooms } from '../../scripts/architecture.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');

test('the table of rooms in ARCHITECTURE.md is current; if not, run node scripts/generate-docs.ts', (t) => {
  t.is(PAGE, withRooms(PAGE));
});

test('every folder of src with code in it is a room, and no other is', (t) => {
  const found = new Set(
    globSync('src/**/*.ts', { cwd: ROOT }).map((file) => file.split('/').slice(1, -1).join('/')),
  );
  t.deepEqual([...found].sort(), [...FOLDERS].sort());
});

const PATH = /^(?:src|scripts|test|playbooks|files|inventory|docs|bench|bin)\/[\w./-]*$/;

test('every path that ARCHITECTURE.md names is there', (t) => {
  const named = [...PAGE.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
  const drawn = [...PAGE.matchAll(/^```\n(.*?)^```$/gms)].flatMap(
    ([, text = '']) => text.match(/src\/[\w/-]+/g) ?? [],
  );
  const paths = [...named.filter((text) => PATH.test(text)), ...drawn];
  t.true(paths.length > 40);
  t.deepEqual(
    paths.filter((path) => !existsSync(join(ROOT, path))),
    [],
  );
});

test('in a row of the table of tasks, files without a folder are in the folder named before them', (t) => {
  const rows = PAGE.split('## To do this, go there')[1]?.split('\n## ')[0]?.split('\n') ?? [];
  const missing = rows
    .filter((row) => row.startsWith('| ') && !row.startsWith('| to… '))
    .flatMap((row) => {
      const place = row.split(' | ').slice(1).join(' ');
      let folder = '';
      return [...place.matchAll(/`([^`]+)`/g)].flatMap(([, text = '']) => {
        if (PATH.test(text)) {
          folder = text.endsWith('/') ? text : text.slice(0, text.lastIndexOf('/') + 1);
          return [];
        }
        if (!/^[\w/-]+\.ts$/.test(text)) return [];
        return [folder, 'src/'].some((below) => existsSync(join(ROOT, below, text)))
          ? []
          : [`${folder}: ${text}`];
      });
    });
  t.deepEqual(missing, []);
});
