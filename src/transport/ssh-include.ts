import { globSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { UserError } from '../lib/errors.ts';

/** As OpenSSH's own limit. */
const DEEPEST = 16;

/** An ssh configuration with the files that it includes put in its place. */
export function readSshConfig(file: string, home: string, depth = 0): string {
  if (depth > DEEPEST) throw new UserError(`${file}: Include leads too deep; does it include itself?`);
  let section = false;
  const lines = readFileSync(file, 'utf8').split('\n');
  const expanded = lines.map((line, index) => {
    const [, keyword = '', rest = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
    switch (keyword.toLowerCase()) {
      case 'host':
      case 'match':
        if (keyword.toLowerCase() === 'match') refuseCriteria(rest, file, index + 1);
        section = !/^(?:\*|all)\s*$/i.test(rest);
        return line;
      case 'include':
        if (section) {
          throw new UserError({
            message: `Include inside a Host or Match section is not supported`,
            location: { file, line: index + 1, column: 1 },
            hint: 'move it to the top of the file',
          });
        }
        // What follows belongs to no section of the included file.
        return `${includedFiles(rest, home)
          .map((included) => readSshConfig(included, home, depth + 1))
          .join('\n')}\nHost *`;
      default:
        return line;
    }
  });
  return expanded.join('\n');
}

const CRITERIA = new Set(['all', 'host', 'originalhost', 'user']);

/** A criterion that is not understood would match never or always. */
function refuseCriteria(text: string, file: string, line: number): void {
  const words = [...text.matchAll(/"[^"]*"|[^\s=]+/g)].map((match) => match[0]);
  for (let index = 0; index < words.length; index++) {
    const criterion = (words[index] ?? '').toLowerCase();
    if (!CRITERIA.has(criterion)) {
      throw new UserError({
        message: `Match ${criterion} is not supported; expected ${[...CRITERIA].join(', ')}`,
        location: { file, line, column: 1 },
        hint: 'say it with Host, or name another file with ansible_ssh_common_args: -F FILE',
      });
    }
    if (criterion !== 'all') index++;
  }
}

/** Files that do not exist include nothing, as with OpenSSH. */
function includedFiles(patterns: string, home: string): string[] {
  const words = [...patterns.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
  return words.flatMap((word) => {
    const path = word.startsWith('~/')
      ? join(home, word.slice(2))
      : isAbsolute(word)
        ? word
        : join(home, '.ssh', word);
    return globSync(path).toSorted();
  });
}
