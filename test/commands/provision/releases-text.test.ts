import test from 'ava';
import type { z } from 'zod';

import { releasesSchema } from '../../../src/commands/provision/release-json.ts';
import { releasesText } from '../../../src/commands/provision/releases-text.ts';

type Shown = z.infer<typeof releasesSchema>;

const AT = Date.UTC(2026, 10, 29, 2, 0, 0);
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

const SHOWN: Shown = releasesSchema.parse({
  type: 'releases',
  current: '1.4',
  previous: '1.3',
  unfinished: null,
  releases: [
    { name: '1.3', digest: 'a', from: { kind: 'site' }, by: 'ann', at: AT, before: null },
    {
      name: '1.4',
      digest: 'b',
      from: { kind: 'git', ref: 'v1.4', commit: COMMIT },
      by: 'bob',
      at: AT,
      before: '1.3',
    },
  ],
  history: [{ kind: 'deploy', release: '1.4', by: 'bob', at: AT, endedAt: AT, outcome: 'done' }],
  servers: ['web1', 'web2', 'web3'].map((name) => ({
    name,
    current: '1.4',
    runs: '1.4',
    kept: ['1.3', '1.4'],
  })),
});

function withServer(change: Partial<Shown['servers'][number]>): Shown {
  const [first, ...rest] = SHOWN.servers;
  return { ...SHOWN, servers: first === undefined ? rest : [{ ...first, ...change }, ...rest] };
}

test('a site that serves what it shall: who deployed it, when and from where', (t) => {
  t.is(
    releasesText(SHOWN),
    `1.4  current   deployed 2026-11-29 02:00:00Z  by bob  from v1.4 (0123456789)   on web1, web2 and web3
1.3  previous  not deployed                   by ann  came with the playbooks
`,
  );
});

const CASES: readonly (readonly [what: string, shown: Shown, expected: RegExp])[] = [
  [
    'a server with another release',
    withServer({ current: '1.3', runs: '1.3' }),
    /^web1: serves 1\.3; the current release is 1\.4$/m,
  ],
  [
    'a server whose app was not started since',
    withServer({ runs: '1.3' }),
    /^web1: serves 1\.3, and would run 1\.4 after a restart; the current release is 1\.4$/m,
  ],
  ['a server without an app', withServer({ runs: null }), /^web1: no app runs; a start would run 1\.4$/m],
  ['a server that is silent', withServer({ trouble: 'no route' }), /^web1: does not answer: no route$/m],
  [
    'a deploy that was cut off',
    { ...SHOWN, unfinished: { kind: 'deploy', release: '1.5', by: 'bob', at: AT, migrated: true } },
    /^unfinished: deploy of 1\.5, .*`provision rollback` puts 1\.4 back$/m,
  ],
  [
    'a rollback that was cut off',
    { ...SHOWN, unfinished: { kind: 'rollback', release: '1.3', by: 'bob', at: AT, migrated: false } },
    /^unfinished: rollback of 1\.3, .*; `provision rollback` goes on$/m,
  ],
  [
    'a site on which nothing was deployed',
    { ...SHOWN, current: null, previous: null, releases: [], history: [] },
    /^nothing was deployed.*\nweb1: serves 1\.4\nweb2/m,
  ],
];
for (const [what, shown, expected] of CASES) {
  test(`${what} is shown`, (t) => t.regex(releasesText(shown), expected));
}
