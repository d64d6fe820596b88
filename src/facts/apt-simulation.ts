import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface SimulationFact {
  /** One line a package: `nginx 1.2 → 1.3`; without `from` it is new. */
  readonly installs: readonly {
    readonly name: string;
    readonly from?: string | undefined;
    readonly to: string;
  }[];
  readonly removes: readonly { readonly name: string; readonly version: string }[];
  /** All that apt-get says. */
  readonly said?: string;
}

/** What apt-get would do if it were called with these arguments; nothing is done, and no lock is needed. */
export const aptSimulation: FactKind<readonly string[], SimulationFact> = {
  name: 'apt-get',
  scope: 'host',
  id: (words) => words.join(' '),
  script: (keys) =>
    subshell(
      keys.map(
        (words) =>
          `apt-get -s -q -o Debug::NoLocking=1 ${words.map(quote).join(' ')} 2>/dev/null; printf '\\0'`,
      ),
    ),
  parse(stdout, keys) {
    const reader = new FieldReader('apt-get', stdout);
    return keys.map(() => parseSimulation(reader.lines()));
  },
};

/** Reads what `apt-get -s` prints; lines that say nothing of packages are left out. */
export function parseSimulation(lines: readonly string[]): SimulationFact {
  return {
    installs: lines.flatMap((line) => {
      const match = /^Inst (\S+) (?:\[([^\]]+)\] )?\((\S+)/.exec(line);
      return match ? [{ name: match[1] ?? '', from: match[2], to: match[3] ?? '' }] : [];
    }),
    said: lines.map((line) => `${line}\n`).join(''),
    removes: lines.flatMap((line) => {
      const match = /^(?:Remv|Purg) (\S+)(?: \[([^\]]+)\])?/.exec(line);
      return match ? [{ name: match[1] ?? '', version: match[2] ?? '' }] : [];
    }),
  };
}
