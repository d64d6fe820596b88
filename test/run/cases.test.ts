import test from 'ava';

import { caseFiles, runCase } from './run-cases.ts';

for (const { name, cases, records, differences } of caseFiles()) {
  for (const one of cases) {
    const title = one.differs === undefined ? one.name : `${one.name} (unlike Ansible: ${one.differs})`;
    test(`${name}: ${title}`, async (t) => {
      const expected = (one.differs === undefined ? records : differences)[one.name];
      t.truthy(records[one.name], 'there is no record of what Ansible does: run oracle.py --update');
      t.deepEqual(await runCase(one), expected);
      // What does not differ any more needs no excuse.
      if (one.differs !== undefined) t.notDeepEqual(expected, records[one.name]);
    });
  }
}
