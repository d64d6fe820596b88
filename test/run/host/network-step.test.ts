import test from 'ava';

import { networkStep, type StepSession } from '../../../src/run/host/network-step.ts';

const ACTOR = { login: undefined, become: undefined, environment: {} } as never;
const REBOOT = { kind: 'reconnect', timeoutMs: 60_000, delayMs: 0, newBoot: true } as const;

/** A host that says which boot it is; `undefined` is an attempt that never gets an answer. */
function host(...boots: readonly (string | undefined)[]): StepSession {
  const answers = [...boots];
  return {
    name: 'web1',
    site: undefined,
    connection: () => Promise.reject(new Error('not asked for')),
    async script() {
      const boot = answers.length > 1 ? answers.shift() : answers[0];
      if (boot === undefined) return await new Promise(() => {});
      return { status: 0, stdout: Buffer.from(boot), stderr: Buffer.alloc(0), timedOut: false };
    },
    write: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
  };
}

test('a host that goes down in the middle of an attempt is asked again', async (t) => {
  t.deepEqual(await networkStep(REBOOT, host('first', 'first', undefined, 'second'), ACTOR), {
    kind: 'done',
  });
});

test('connections that cannot be closed do not keep a host from being asked again', async (t) => {
  const stuck = { ...host('first', 'second'), disconnect: () => new Promise<void>(() => {}) };
  t.deepEqual(await networkStep(REBOOT, stuck, ACTOR), { kind: 'done' });
});
