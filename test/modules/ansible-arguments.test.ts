import test from 'ava';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { allModules } from '../../src/modules/find-module.ts';
import { argumentNames, parseArguments } from '../../src/modules/kit/parse.ts';

interface Documented {
  readonly aliases?: readonly string[];
  readonly choices?: readonly unknown[];
}

/** What the documentation of ansible-core 2.19, ansible.posix and community.general lists for the modules that we have. */
const DOCUMENTED = JSON.parse(
  readFileSync(join(import.meta.dirname, 'ansible-arguments.json'), 'utf8'),
) as Readonly<Record<string, Readonly<Record<string, Documented>>>>;

const modules = await allModules();

/** What is said about an argument, whatever else its module lacks. */
function saidAbout(module: string, argument: string, value: unknown): string | undefined {
  const found = modules[module];
  if (!found) return 'there is no such module';
  const parsed = parseArguments(found, { [argument]: value });
  const problems = 'problems' in parsed ? parsed.problems : [];
  return problems.find((problem) => /^(\w|-)+: /.test(problem) && problem.startsWith(`${argument}:`));
}

test("the table is of every module that is Ansible's", (t) => {
  const ours = Object.keys(modules).filter((name) => !name.startsWith('understudy.'));
  t.deepEqual(Object.keys(DOCUMENTED).sort(), ours.sort());
});

for (const [module, documented] of Object.entries(DOCUMENTED)) {
  // A module that is refused as a whole says so of itself.
  if (module === 'ansible.builtin.apt_key') continue;
  test(`${module} takes every documented argument, or refuses it by name`, (t) => {
    const found = modules[module];
    t.truthy(found);
    const known = found ? argumentNames(found) : [];
    for (const [name, { aliases = [], choices = [] }] of Object.entries(documented)) {
      t.true(known.includes(name), `${name} is not known`);
      for (const alias of aliases)
        t.true(found?.aliases?.[name]?.includes(alias), `${alias} does not stand for ${name}`);
      for (const choice of choices) {
        const said = saidAbout(module, name, choice);
        t.regex(
          said ?? 'is not supported',
          /is not supported|: expected one of /,
          `${name}: ${String(choice)}`,
        );
      }
    }
  });
}
