import test from 'ava';

import { resumeCommand, settingsOf } from '../../../src/commands/provision/roll-settings.ts';
import { settings } from '../../../src/config/settings.ts';
import { UserError } from '../../../src/lib/errors.ts';
import type { RollRecord, RollSettings } from '../../../src/site/roll/record.ts';

const record = (kept?: RollSettings): RollRecord => ({
  version: 1,
  id: 'one',
  purpose: 'roll my.yml',
  who: 'ann@desk',
  startedAt: 0,
  outcome: 'stopped',
  hosts: [],
  ...(kept && { settings: kept }),
});

const USUAL: RollSettings = {
  serial: { kind: 'number', number: 1 },
  settleMs: 1000,
  timeoutMs: 300_000,
  drainTimeoutMs: 60_000,
  variables: [],
};
const KEPT: RollSettings = {
  serial: { kind: 'percent', percent: 30 },
  minAvailable: { kind: 'number', number: 4 },
  settleMs: 5000,
  timeoutMs: 1000,
  drainTimeoutMs: 2000,
  variables: ['limit', 'password'],
};
const VARIABLES = new Map([
  ['limit', '1'],
  ['password', 'secret'],
]);

test('a roll goes as usual but for what the command line says', (t) => {
  t.deepEqual(settingsOf({ given: {}, extraVariables: new Map() }, undefined), USUAL);
  t.deepEqual(settingsOf({ given: { settleMs: 0 }, extraVariables: new Map([['limit', '1']]) }, undefined), {
    ...USUAL,
    settleMs: 0,
    variables: ['limit'],
  });
});

test('one that was cut off goes on as it was, but for what the command line says now', (t) => {
  t.deepEqual(settingsOf({ given: {}, extraVariables: VARIABLES }, record(KEPT)), KEPT);
  const serial = { kind: 'number', number: 2 } as const;
  t.deepEqual(settingsOf({ given: { serial }, extraVariables: VARIABLES }, record(KEPT)), {
    ...KEPT,
    serial,
  });
  t.deepEqual(settingsOf({ given: {}, extraVariables: new Map() }, record()), USUAL, 'of an older release');
});

test('variables are asked for by their names, since their values are not kept', (t) => {
  const error = t.throws(
    () => settingsOf({ given: {}, extraVariables: new Map([['limit', '1']]) }, record(KEPT)),
    { instanceOf: UserError },
  );
  t.regex(error?.message ?? '', /"roll my\.yml" was begun with password on the command line/);
  t.regex(error?.message ?? '', /--resume -e password=…/);
});

test('what is to be typed has the inventory and the variables', (t) => {
  t.is(resumeCommand(record(), settings().inventory), 'provision roll my.yml --resume');
  t.is(
    resumeCommand(record(KEPT), 'inventory/two sites'),
    "provision roll my.yml --resume -i 'inventory/two sites' -e limit=… -e password=…",
  );
});
