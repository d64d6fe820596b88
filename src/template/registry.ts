import { collectionFilters } from './filters/collections.ts';
import { controlFilters } from './filters/control.ts';
import type { Filter, Filters, Test, Tests } from './filters/define.ts';
import { encodingFilters } from './filters/encoding.ts';
import { mathFilters } from './filters/math.ts';
import { regexFilters } from './filters/regex.ts';
import { selectionFilters } from './filters/selection.ts';
import { serialFilters } from './filters/serial.ts';
import { setFilters } from './filters/sets.ts';
import { textFilters } from './filters/text.ts';
import { webFilters } from './filters/web.ts';
import { pathFilters } from './filters/paths.ts';
import { coreTests } from './tests/core.ts';
import { resultTests } from './tests/results.ts';

const filters: Filters = {
  ...collectionFilters,
  ...controlFilters,
  ...encodingFilters,
  ...mathFilters,
  ...pathFilters,
  ...regexFilters,
  ...selectionFilters,
  ...serialFilters,
  ...setFilters,
  ...textFilters,
  ...webFilters,
};

const tests: Tests = { ...coreTests, ...resultTests };

/** Ansible's filters that are left out on purpose, and what to do instead. */
const UNSUPPORTED_FILTERS: Readonly<Record<string, string>> = {
  json_query: 'use selectattr, map and the like',
  ipaddr: 'addresses are not calculated with',
  ipv4: 'addresses are not calculated with',
  ipv6: 'addresses are not calculated with',
  ipwrap: 'addresses are not calculated with',
  expanduser: 'it would read this machine, not the host',
  expandvars: 'it would read this machine, not the host',
  realpath: 'it would read this machine, not the host',
  relpath: 'it would read this machine, not the host',
  fileglob: "use lookup('fileglob', …)",
  vault: 'encrypt with ansible-vault',
  unvault: 'decrypt with ansible-vault',
};

/** Tests that would look at this machine's files. */
const UNSUPPORTED_TESTS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'file',
    'is_file',
    'directory',
    'is_dir',
    'exists',
    'link',
    'is_link',
    'link_exists',
    'mount',
    'is_mount',
    'same_file',
    'is_same_file',
  ].map((name) => [name, 'it would look at this machine, not at the host: use the stat module']),
);

const PREFIX = /^ansible\.(?:builtin|legacy|utils|posix|netcommon)\.|^community\.(?:general|crypto)\./;

/** A filter by its name, short or full; a text says why it is not supported. */
export function findFilter(name: string): Filter | string | undefined {
  const short = name.replace(PREFIX, '');
  if (Object.hasOwn(filters, short)) return filters[short];
  const reason = Object.hasOwn(UNSUPPORTED_FILTERS, short) ? UNSUPPORTED_FILTERS[short] : undefined;
  return reason && `the filter "${name}" is not supported: ${reason}`;
}

/** A test by its name, short or full; a text says why it is not supported. */
export function findTest(name: string): Test | string | undefined {
  const short = name.replace(PREFIX, '');
  if (Object.hasOwn(tests, short)) return tests[short];
  const reason = Object.hasOwn(UNSUPPORTED_TESTS, short) ? UNSUPPORTED_TESTS[short] : undefined;
  return reason && `the test "${name}" is not supported: ${reason}`;
}

/** A hint at a filter of a similar name. */
export function similarFilter(name: string): string | undefined {
  return similar(name.replace(PREFIX, ''), Object.keys(filters));
}

/** A hint at a test of a similar name. */
export function similarTest(name: string): string | undefined {
  return similar(name.replace(PREFIX, ''), Object.keys(tests));
}

function similar(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((one) => ({ one, distance: distanceBetween(name, one) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(1, Math.floor(name.length / 3))
    ? `did you mean "${best.one}"?`
    : undefined;
}

/** How many letters have to be changed, added or removed. */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
