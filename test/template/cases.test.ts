import test from 'ava';

import { caseFiles, outcomeOf } from './cases.ts';

for (const { name, variables, cases } of caseFiles()) {
  test(`${name}: every template gives what Python's Jinja2 and Ansible give`, (t) => {
    t.true(cases.length > 0);
    for (const one of cases) {
      const outcome = outcomeOf(one, variables);
      const shown = JSON.stringify(one.template);
      if ('expect' in one) t.deepEqual(outcome, { expect: one.expect }, shown);
      else if ('error' in outcome) {
        t.is<string | undefined, string | undefined>(
          outcome.error,
          one.error,
          `${shown}: ${outcome.message}`,
        );
        if (one.message !== undefined)
          t.true(outcome.message.includes(one.message), `${shown}: ${outcome.message}`);
      } else t.fail(`${shown} should be an error, but gives ${JSON.stringify(outcome.expect)}`);
    }
  });
}
