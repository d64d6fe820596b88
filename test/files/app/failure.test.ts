import test from 'ava';
import { judge } from '../../../files/app/failure.ts';

const CASES = [
  { error: { code: 'ECONNREFUSED', fatal: true }, failure: 'elsewhere' },
  { error: { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }, failure: 'elsewhere' },
  { error: { code: 'PROTOCOL_SEQUENCE_TIMEOUT', fatal: true }, failure: 'elsewhere' },
  { error: { code: 'ER_OPTION_PREVENTS_STATEMENT', errno: 1290 }, failure: 'elsewhere' },
  { error: { errno: 1927 }, failure: 'elsewhere' },
  { error: { code: 'ER_LOCK_WAIT_TIMEOUT', errno: 1205 }, failure: 'again' },
  { error: { code: 'ER_DUP_ENTRY', errno: 1062 }, failure: 'final' },
  { error: { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045, fatal: true }, failure: 'final' },
  { error: new TypeError('a bug'), failure: 'final' },
] as const;

for (const { error, failure } of CASES) {
  test(`${JSON.stringify(error)} is ${failure}`, (t) => {
    t.is(judge(error), failure);
  });
}
