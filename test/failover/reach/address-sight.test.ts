import { fileURLToPath } from 'node:url';

import test from 'ava';

import { seeAddresses } from '../../../src/failover/reach/address-sight.ts';
import { run } from '../../../src/lib/process.ts';
import type { RunVerb, VerbResult } from '../../../src/failover/reach/machine-verbs.ts';

const [ONE, TWO] = ['203.0.113.100', '2001:db8::65'] as const;
const LB2 = { name: 'lb2', address: '10.0.0.12', interface: 'front0' };

/** What this balancer prints, and how the verb ends on the other one. */
async function seen(printed: string, other: Partial<VerbResult> = {}) {
  const asked: string[] = [];
  const verbs = (): RunVerb => async (argv) => {
    asked.push(argv.join(' '));
    return { status: 0, stdout: '', stderr: '', ...other };
  };
  const program = ['sh', '-c', `printf '${printed}'`];
  const held = await seeAddresses({ addresses: [ONE, TWO], others: [LB2], program, verbs });
  return { held: [...held], asked };
}

test('what is here, or answered for, is held, and nobody else is asked', async (t) => {
  t.deepEqual(await seen(`${ONE} here\\n${TWO} answers\\n`), {
    held: [
      [ONE, true],
      [TWO, true],
    ],
    asked: [],
  });
});

const OTHERS: readonly (readonly [string, Partial<VerbResult>, boolean])[] = [
  ['has it, behind a network that is cut', { status: 0 }, true],
  ['does not have it', { status: 3 }, false],
  ['cannot be reached', { status: -1, unreachable: 'No route to host' }, false],
];

for (const [what, other, held] of OTHERS) {
  test(`what nobody answers for is ${held ? '' : 'not '}held when the other balancer ${what}`, async (t) => {
    t.deepEqual(await seen(`${ONE} here\\n${TWO} silent\\n`, other), {
      held: [
        [ONE, true],
        [TWO, held],
      ],
      asked: [`address-look ${TWO}/128 front0`],
    });
  });
}

test('the script of the other balancer takes what it is asked', async (t) => {
  const script = fileURLToPath(new URL('../../../files/failover/understudy-node', import.meta.url));
  const verbs = (): RunVerb => async (argv) => await run(['sh', script, ...argv]);
  const here = { ...LB2, interface: 'lo' };
  const program = ['sh', '-c', `printf '127.0.0.1 silent\\n${ONE} silent\\n'`];
  t.deepEqual(
    [...(await seeAddresses({ addresses: ['127.0.0.1', ONE], others: [here], program, verbs }))],
    [
      ['127.0.0.1', true],
      [ONE, false],
    ],
  );
});

test('an address of which nothing is said is not known', async (t) => {
  t.deepEqual((await seen(`${ONE} here\\n`)).held, [[ONE, true]]);
});

test('who cannot look says why', async (t) => {
  const options = { addresses: [ONE], others: [] };
  await t.throwsAsync(seeAddresses({ ...options, program: ['sh', '-c', 'echo no interface >&2; exit 1'] }), {
    message: /cannot be seen: no interface$/,
  });
  await t.throwsAsync(seeAddresses({ ...options, program: ['/nonexistent/vip-handover', 'seen'] }), {
    message: /cannot be seen/,
  });
});

test('an older script on the other balancer is no proof of anything', async (t) => {
  await t.throwsAsync(seen(`${ONE} silent\\n`, { status: 64 }), { message: /lb2: 'address-look/ });
});
