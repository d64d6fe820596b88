import test from 'ava';

import {
  abandoned,
  begunBy,
  leftOut,
  resumable,
  unfinished,
} from '../../../src/commands/provision/roll-resume.ts';
import { UserError } from '../../../src/lib/errors.ts';
import type { HostRecord, RollRecord } from '../../../src/site/roll/record.ts';
import { survey } from '../../site/roll/support.ts';

type States = Readonly<Record<string, HostRecord['state']>>;

/** Rolls of a journal, the newest first. */
function rolls(
  ...all: readonly (readonly [purpose: string, outcome: RollRecord['outcome'], states: States])[]
): readonly RollRecord[] {
  return all.map(([purpose, outcome, states], index) => ({
    version: 1,
    id: `${all.length - index}`,
    purpose,
    who: 'ann@desk',
    startedAt: 0,
    outcome,
    hosts: Object.entries(states).map(([name, state]) => ({ name, state, phases: [] })),
  }));
}

const STOPPED = ['upgrade', 'stopped', { web1: 'waiting', web2: 'begun', web3: 'done' }] as const;
const howTo = ({ purpose }: RollRecord): string => `provision ${purpose} --resume`;

const RESUMES: readonly (readonly [
  what: string,
  records: readonly RollRecord[],
  purpose: string,
  expected: string | RegExp,
])[] = [
  ['the last one, which has stopped', rolls(STOPPED), 'upgrade', '1'],
  ['one that was killed', rolls(['upgrade', 'running', { web2: 'worked' }]), 'upgrade', '1'],
  [
    'one before others that were on other hosts',
    rolls(['reboot', 'done', { web1: 'done' }], STOPPED),
    'upgrade',
    '1',
  ],
  ['none when there was none', rolls(), 'upgrade', /nothing to resume/],
  [
    'none when the last one has ended',
    rolls(['upgrade', 'done', { web2: 'done' }], STOPPED),
    'upgrade',
    /nothing to resume/,
  ],
  [
    'none but the one that has stopped',
    rolls(STOPPED),
    'reboot',
    /was stopped is "upgrade", not "reboot"\n.*provision upgrade --resume/,
  ],
  [
    'none on whose hosts there was another one since',
    rolls(['rollback 1.3', 'done', { web3: 'done' }], ['deploy 1.4', 'stopped', STOPPED[2]]),
    'deploy 1.4',
    /"rollback 1\.3" has worked on the same hosts since\n.*begin it anew/,
  ],
];

for (const [what, records, purpose, expected] of RESUMES) {
  test(`what is gone on with: ${what}`, (t) => {
    if (typeof expected === 'string') {
      t.is(resumable(records, purpose, howTo).id, expected);
      t.is(unfinished(records, purpose)?.id, expected);
      return;
    }
    t.throws(() => resumable(records, purpose, howTo), { instanceOf: UserError, message: expected });
    t.is(unfinished(records, purpose), undefined);
  });
}

test('a host was left by the last roll that began with it, whatever other rolls did since', (t) => {
  const records = rolls(
    ['reboot', 'done', { web1: 'done', web2: 'waiting' }],
    ['upgrade', 'stopped', { web1: 'begun', web2: 'begun', lb1: 'worked' }],
    ['roll a.yml', 'stopped', { web3: 'begun', lb1: 'done' }],
  );
  t.deepEqual(
    [...begunBy(records)].map(([host, { purpose }]) => `${host}: ${purpose}`),
    ['web2: upgrade', 'lb1: upgrade', 'web3: roll a.yml'],
  );
});

test('servers that are drained and balancers that yield were left out, and each is put back in its own way', (t) => {
  const records = rolls(
    ['reboot', 'done', { web1: 'done' }],
    ['upgrade', 'stopped', { web2: 'begun', web3: 'begun', lb1: 'begun', lb2: 'begun' }],
    ['roll a.yml', 'interrupted', { web1: 'begun' }],
  );
  const base = survey();
  const left = abandoned(
    records,
    survey({
      servers: base.servers.map((one) =>
        one.host === 'web3' ? one : { ...one, drained: { by: 'ann@desk', since: 0, reason: 'upgrade' } },
      ),
      balancers: base.balancers.map((one) => ({ ...one, yields: one.host === 'lb1' })),
    }),
  );
  t.deepEqual([...left.keys()].sort(), ['lb1', 'web2']);
  const { message } = leftOut(left, records, new Set(['lb1', 'lb2']), howTo);
  t.regex(message, /"upgrade" by ann@desk has left web2 and lb1 out of service/);
  t.regex(
    message,
    /go on with it: provision upgrade --resume; or put it back .*provision undrain web2, provision handover lb1 --stay/,
  );
});

test('a roll that cannot be gone on with any more is not offered', (t) => {
  const records = rolls(
    ['reboot', 'stopped', { web3: 'done', web2: 'waiting' }],
    ['upgrade', 'stopped', { web2: 'begun', web3: 'done' }],
  );
  const { message } = leftOut(begunBy(records), records, new Set(), howTo);
  t.regex(message, /"upgrade" by ann@desk has left web2 out of service/);
  t.notRegex(message, /--resume/);
});
