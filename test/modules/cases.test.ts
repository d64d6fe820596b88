import test from 'ava';

import { allModules } from '../../src/modules/find-module.ts';
import { loadCases, outputOf, planCase, stepText } from './run-cases.ts';

test('every module has cases, and no cases are of a module that is not there', async (t) => {
  const names = Object.keys(await allModules()).map((name) => name.split('.').at(-1));
  t.deepEqual([...new Set(loadCases().map(({ module }) => module.split('.').at(-1)))].sort(), names.sort());
});

for (const { module, file, cases } of loadCases()) {
  for (const given of cases) {
    test(`${module} (${file}): ${given.name}`, (t) => {
      const plan = planCase(module, given);
      if ('problems' in plan) {
        t.deepEqual(plan.problems, given.problems ?? []);
        return;
      }
      t.is(given.problems, undefined, 'expected problems, found none');
      t.is(plan.kind, given.plan ?? 'change', 'message' in plan ? plan.message : undefined);
      if (given.message !== undefined) t.is('message' in plan ? plan.message : undefined, given.message);
      if (given.diffs) t.deepEqual('diffs' in plan ? plan.diffs : [], given.diffs);
      if (given.steps) {
        const texts = ('steps' in plan ? plan.steps : []).map(stepText);
        t.is(texts.length, given.steps.length, texts.join('\n---\n'));
        given.steps.forEach((part, index) =>
          t.true(texts[index]?.includes(part), `${texts[index]}\n--- lacks ---\n${part}`),
        );
      }
      if (given.result) t.like('result' in plan ? plan.result : {}, given.result);
      if (given.outcome) {
        const finish = 'finish' in plan ? plan.finish : undefined;
        t.truthy(finish, 'the plan has no finish');
        t.like(finish?.((given.outputs ?? []).map(outputOf)), given.outcome);
      }
      const hasPlan = plan.kind === 'change' || plan.kind === 'action';
      if (hasPlan && given.check !== true) {
        const proof = [given.factsAfter, given.again].filter((item) => item !== undefined).length;
        t.is(proof, 1, 'a case that plans something needs factsAfter, or again: why it does it another time');
      } else t.is(given.again, undefined, 'nothing is planned, so nothing is done again');
      if (given.factsAfter) {
        const again = planCase(module, given, { ...given.facts, ...given.factsAfter });
        t.is('kind' in again ? again.kind : 'problems', 'unchanged', JSON.stringify(again));
      }
    });
  }
}
