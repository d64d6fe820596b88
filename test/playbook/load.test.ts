import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';
import { parse } from 'yaml';

import { UserError } from '../../src/lib/errors.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { renderStatic } from './render-static.ts';
import { summarise } from './summary.ts';

/** A playbook (playbook.yml, or other files beside it) and what loading it gives. */
interface Case {
  readonly name: string;
  readonly playbook: string;
  readonly files?: Record<string, string>;
  readonly plays?: unknown;
  readonly warnings?: readonly string[];
  /** `file:line:column: message (hint)`, all of them. */
  readonly errors?: readonly string[];
}

const directory = fileURLToPath(new URL('cases', import.meta.url));

for (const file of readdirSync(directory).filter((name) => name.endsWith('.yml'))) {
  const cases = parse(readFileSync(join(directory, file), 'utf8')) as readonly Case[];
  for (const { name, playbook, files = {}, plays, warnings = [], errors } of cases) {
    test(`${file}: ${name}`, (t) => {
      const root = mkdtempSync(join(tmpdir(), 'playbook-'));
      t.teardown(() => rmSync(root, { recursive: true }));
      for (const [path, text] of Object.entries({ 'playbook.yml': playbook, ...files })) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
      const within = (text: string): string =>
        text.replaceAll(`${root}/`, '').replaceAll(root, '.').replaceAll(homedir(), '~');
      try {
        const loaded = loadPlaybook(join(root, 'playbook.yml'), { renderStatic });
        t.deepEqual(JSON.parse(within(JSON.stringify(summarise(loaded)))), plays);
        t.deepEqual(
          loaded.warnings.map((warning) => within(warning.message)),
          [...warnings],
        );
      } catch (error) {
        if (!(error instanceof UserError) || errors === undefined) throw error;
        t.deepEqual(
          error.problems.map(({ location, message, hint }) => {
            const place = location ? `${location.file}:${location.line}:${location.column}: ` : '';
            return within(`${place}${message}${hint === undefined ? '' : ` (${hint})`}`);
          }),
          [...errors],
        );
        return;
      }
      t.is(errors, undefined);
    });
  }
}
