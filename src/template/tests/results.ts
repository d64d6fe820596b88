import { test, type Test, type Tests } from '../filters/define.ts';
import { equal, truth } from '../python/compare.ts';
import { isMapping, isSequence, typeFault, typeName, type Data, type DataDict } from '../python/objects.ts';

function ofResult(name: string, holds: (result: DataDict) => boolean): Test {
  return test('', (value) => {
    if (!isMapping(value))
      throw typeFault(`the '${name}' test expects a task's result, got ${typeName(value)}`);
    return holds(value);
  });
}

const has = (result: DataDict, key: string): boolean => truth(result.get(key) ?? false);

function isChanged(result: DataDict): boolean {
  const changed = result.get('changed');
  if (changed !== undefined) return truth(changed);
  const results: Data | undefined = result.get('results');
  return isSequence(results) && results.some((one) => isMapping(one) && has(one, 'changed'));
}

const failed = ofResult('failed', (result) => has(result, 'failed'));
const succeeded = ofResult('succeeded', (result) => !has(result, 'failed'));
const changed = ofResult('changed', isChanged);
const skipped = ofResult('skipped', (result) => has(result, 'skipped'));
const finished = (key: string): Test =>
  ofResult(key, (result) => {
    const state = result.get(key);
    return state === undefined || equal(state, 1);
  });

/** Ansible's tests of a task's result. */
export const resultTests: Tests = {
  failed,
  failure: failed,
  succeeded,
  success: succeeded,
  successful: succeeded,
  changed,
  change: changed,
  skipped,
  skip: skipped,
  unreachable: ofResult('unreachable', (result) => has(result, 'unreachable')),
  reachable: ofResult('reachable', (result) => !has(result, 'unreachable')),
  finished: finished('finished'),
  started: finished('started'),
};
