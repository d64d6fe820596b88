import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fileDetails } from '../../src/facts/file-details.ts';
import { readFacts, SHELLS, testIn } from './run-script.ts';

for (const shell of SHELLS) {
  testIn(shell)(`${shell.join(' ')}: details of a file, what a link leads to, and what is not there`, (t) => {
    const root = mkdtempSync(join(tmpdir(), 'facts-'));
    t.teardown(() => rmSync(root, { recursive: true }));
    writeFileSync(join(root, 'a b'), 'text\n');
    mkdirSync(join(root, 'd'));
    symlinkSync('a b', join(root, 'l'));
    const keys = [
      { path: join(root, 'a b'), follow: false },
      { path: join(root, 'none'), follow: false },
      { path: join(root, 'l'), follow: true },
      { path: join(root, 'l'), follow: false },
      { path: '/dev/null', follow: false },
      { path: join(root, 'd'), follow: false },
    ];
    const [file, none, followed, link, device, directory] = readFacts(shell, fileDetails, keys);
    t.is(none, undefined);
    t.like(file, { blockSize: 4096, deviceType: 0 });
    t.is(followed?.blocks, file?.blocks);
    t.is(link?.blocks, 0);
    t.is(device?.deviceType, 0x103);
    // Without file(1) all are unknown.
    if (file?.mimeType === 'unknown') return;
    t.like(file, { mimeType: 'text/plain', charset: 'us-ascii' });
    t.like(followed, { mimeType: 'text/plain', charset: 'us-ascii' });
    t.like(link, { mimeType: 'inode/symlink', charset: 'binary' });
    t.like(directory, { mimeType: 'inode/directory', charset: 'binary' });
  });
}
