import test from 'ava';
import { fresh } from '../../../files/app/fresh.ts';

function readings() {
  const pending: PromiseWithResolvers<number>[] = [];
  const ask = fresh(() => {
    const reading = Promise.withResolvers<number>();
    pending.push(reading);
    return reading.promise;
  });
  return { ask, pending };
}

test('nobody gets what began to be read before they asked', async (t) => {
  const { ask, pending } = readings();
  const first = ask();
  const second = ask();
  const third = ask();
  t.is(pending.length, 1);
  pending[0]?.resolve(1);
  t.is(await first, 1);
  await new Promise(setImmediate);
  t.is(pending.length, 2, 'the two that came later share one reading');
  const fourth = ask();
  pending[1]?.resolve(2);
  t.deepEqual(await Promise.all([second, third]), [2, 2]);
  await new Promise(setImmediate);
  pending[2]?.resolve(3);
  t.is(await fourth, 3);
});

test('a reading that fails is over, and those who came later read again', async (t) => {
  const { ask, pending } = readings();
  const first = ask();
  const second = ask();
  pending[0]?.reject(new Error('no answer'));
  await t.throwsAsync(first, { message: 'no answer' });
  await new Promise(setImmediate);
  pending[1]?.resolve(2);
  t.is(await second, 2);
  const third = ask();
  pending[2]?.resolve(3);
  t.is(await third, 3);
});
