import { posix } from 'node:path';

import { quote } from '../../lib/shell.ts';
import type { FileAttributes } from '../../steps/step.ts';

/** Script lines that create a directory and those above it, each new one with the attributes. */
export function makeDirectories(path: string, commands: readonly ((path: string) => string)[]): string[] {
  const parts = posix.normalize(path).split('/').filter(Boolean);
  const root = path.startsWith('/') ? '/' : '';
  return parts.map((_, index) => {
    const word = quote(root + parts.slice(0, index + 1).join('/'));
    const last = index === parts.length - 1;
    // The last one is given its attributes even when it appeared meanwhile, so that an interrupted run is repaired.
    const make = ['mkdir -- ' + word, ...(last ? [] : commands.map((run) => run(word)))].join('; ');
    return [`[ -d ${word} ] || { ${make}; }`, ...(last ? commands.map((run) => run(word)) : [])].join('\n');
  });
}

/** Commands that set attributes of a path, which is given quoted. */
export function attributeCommands(attributes: FileAttributes): ((word: string) => string)[] {
  const { owner, group, mode } = attributes;
  return [
    ...(owner === undefined ? [] : [(word: string) => `chown -h -- ${quote(owner)} ${word}`]),
    ...(group === undefined ? [] : [(word: string) => `chgrp -h -- ${quote(group)} ${word}`]),
    ...(mode === undefined ? [] : [(word: string) => `chmod ${quote(mode)} -- ${word}`]),
  ];
}
