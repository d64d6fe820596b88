import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { clearHandlers, dueHandlers, noteHandlers } from '../../src/facts/due-handlers.ts';
import { runScript, SHELLS, testIn } from './run-script.ts';

for (const shell of SHELLS) {
  const name = shell.join(' ');

  testIn(shell)(`${name}: due handlers are noted for each playbook and host, and taken off`, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'understudy-notes-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    // Root's notes are elsewhere than others': both go to a directory of the test's.
    const run = (script: string): Buffer =>
      runScript(
        shell,
        script
          .replaceAll('/var/lib/understudy', directory)
          .replaceAll(/\$\{XDG_STATE_HOME:-[^}]*\}/g, directory),
      );
    const read = (...notes: string[]) => dueHandlers.parse(run(dueHandlers.script(notes)), notes);

    t.deepEqual(read('site.yml@a', 'site.yml@b'), [[], []]);
    run(noteHandlers('site.yml@a', ["restart web's", 'reload']));
    run(noteHandlers('site.yml@a', ['reload', '-n %s $HOME']));
    run(noteHandlers('site.yml@b', ['other']));
    run(noteHandlers('../up/site.yml@c', ['deep']));
    t.deepEqual(read('site.yml@b', 'site.yml@a', 'nobody', '../up/site.yml@c'), [
      ['other'],
      ["restart web's", 'reload', '-n %s $HOME'],
      [],
      ['deep'],
    ]);
    run(clearHandlers('site.yml@a', ['reload']));
    t.deepEqual(read('site.yml@a', 'site.yml@b'), [['reload'], ['other']]);
    for (const note of ['site.yml@a', 'site.yml@a', 'site.yml@b', '../up/site.yml@c'])
      run(clearHandlers(note));
    t.deepEqual(read('site.yml@a', 'site.yml@b'), [[], []]);
    const left = readdirSync(directory, { recursive: true, withFileTypes: true });
    t.deepEqual(
      left.filter((entry) => entry.isFile()).map((entry) => entry.name),
      [],
    );
  });
}
