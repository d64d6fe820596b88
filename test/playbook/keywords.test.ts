import { readFileSync } from 'node:fs';

import test from 'ava';

import type { Keyword } from '../../src/playbook/keyword.ts';
import { KEYWORDS, keywordOf } from '../../src/playbook/keywords.ts';

type Row = Pick<Keyword, 'on' | 'inherit' | 'onInclude'>;

/** What Ansible's classes say of each keyword (see keywords.py). */
const ansible = JSON.parse(readFileSync(new URL('cases/keywords.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Row>
>;

/** Names of Ansible's for its own use. */
const INTERNAL = ['async_val', 'loop_with', 'import_playbook'];

/** On import_playbook Ansible lets these stand, and they have no effect; here they are refused. */
const REACHES_IMPORTED_PLAYS = ['name', 'tags', 'vars', 'when'];

const UNLIKE: Readonly<Record<string, { readonly row: Partial<Row>; readonly because: string }>> = {
  collections: { row: { inherit: 'none' }, because: 'modules are found by their names' },
  vars: { row: { inherit: 'merged' }, because: 'Ansible merges them elsewhere' },
};

for (const [name, theirs] of Object.entries(ansible)) {
  if (INTERNAL.includes(name)) continue;
  const unlike = UNLIKE[name];
  const end = unlike === undefined ? '' : `, but: ${unlike.because}`;
  test(`the keyword ${name} stands where it does in Ansible${end}`, (t) => {
    const ours = keywordOf(name);
    const refused = ours?.refused !== undefined;
    const on = theirs.on.filter(
      (level) => level !== 'import_playbook' || refused || REACHES_IMPORTED_PLAYS.includes(name),
    );
    t.deepEqual([...(ours?.on ?? [])].sort(), [...on].sort());
    t.is(ours?.inherit, unlike?.row.inherit ?? theirs.inherit);
    if (!refused) t.is(ours?.onInclude, theirs.onInclude);
  });
}

test('there are no keywords that Ansible does not have, but for two that it rewrites', (t) => {
  t.deepEqual(
    Object.keys(KEYWORDS).filter((name) => ansible[name] === undefined),
    ['user', 'local_action'],
  );
});
