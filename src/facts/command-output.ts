import { command } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface CommandFact {
  readonly status: number;
  readonly stdout: string;
}

/** What a program that only looks prints: the key is its argument list. For state that has no file and no kind of its own. */
export const commandOutput: FactKind<readonly string[], CommandFact> = {
  name: 'output',
  scope: 'host',
  id: (words) => command(words),
  script: (keys) =>
    subshell([
      'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin',
      ...keys.map((words) => `${command(words)} 2>/dev/null; printf '\\0%s\\0' "$?"`),
    ]),
  parse(stdout, keys) {
    const reader = new FieldReader('output', stdout);
    return keys.map(() => {
      const text = reader.next();
      return { status: Number(reader.next()), stdout: text };
    });
  },
};
