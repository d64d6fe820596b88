import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface AptListsFact {
  /** When the package lists were last fetched, in seconds since 1970; 0 is never. */
  readonly updatedAt: number;
  /** The target's clock when that was read. */
  readonly now: number;
}

/** Says when the package lists were last fetched. Without any list the age of the directory means nothing. */
export const APT_LISTS_TIME = [
  'lists_time() {',
  'for f in /var/lib/apt/lists/*Packages*; do',
  'if [ -e "$f" ]; then',
  'stat -c %Y /var/lib/apt/periodic/update-success-stamp 2>/dev/null || stat -c %Y /var/lib/apt/lists; return; fi; done',
  'echo 0',
  '}',
].join('\n');

/** How old the target's package lists are. */
export const aptLists: FactKind<'lists', AptListsFact> = {
  name: 'apt',
  scope: 'host',
  id: (key) => key,
  script: () => subshell([APT_LISTS_TIME, `printf '%s\\0%s\\0' "$(lists_time)" "$(date +%s)"`]),
  parse(stdout, keys) {
    const reader = new FieldReader('apt', stdout);
    const fact = { updatedAt: Number(reader.next()), now: Number(reader.next()) };
    return keys.map(() => fact);
  },
};
