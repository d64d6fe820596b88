import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface CandidateKey {
  readonly name: string;
  /** As apt-get's `-t`. */
  readonly release?: string | undefined;
}

export interface CandidateFact {
  /** apt knows a package of this name, and not just packages that provide it. */
  readonly known: boolean;
  /** The version that would be installed. */
  readonly version?: string | undefined;
}

/** What apt would install of a package, by the lists that the target has now. */
export const candidate: FactKind<CandidateKey, CandidateFact> = {
  name: 'candidate',
  scope: 'host',
  id: (key) => `${key.name}${key.release === undefined ? '' : ` of ${key.release}`}`,
  script: (keys) =>
    subshell(
      releases(keys).map(([release, names]) => {
        const option = release === undefined ? '' : ` -t ${quote(release)}`;
        return `apt-cache${option} policy -- ${names.map(quote).join(' ')} 2>/dev/null; printf '\\0'`;
      }),
    ),
  parse(stdout, keys) {
    const reader = new FieldReader('candidate', stdout);
    const found = new Map<string | undefined, Map<string, string>>();
    for (const [release] of releases(keys)) found.set(release, parsePolicy(reader.lines()));
    return keys.map((key) => {
      const version = found.get(key.release)?.get(key.name);
      return version === undefined || version === '(none)' ? { known: false } : { known: true, version };
    });
  },
};

function releases(keys: readonly CandidateKey[]): [string | undefined, string[]][] {
  const groups = new Map<string | undefined, string[]>();
  for (const key of keys) groups.set(key.release, [...(groups.get(key.release) ?? []), key.name]);
  return [...groups];
}

function parsePolicy(lines: readonly string[]): Map<string, string> {
  const result = new Map<string, string>();
  let name: string | undefined;
  for (const line of lines) {
    const heading = /^(\S+):$/.exec(line);
    if (heading) name = heading[1];
    const version = /^ {2}Candidate: (.+)$/.exec(line)?.[1];
    if (name !== undefined && version !== undefined) result.set(name, version);
  }
  return result;
}
