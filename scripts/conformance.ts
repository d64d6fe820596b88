import { resolve } from 'node:path';

import { formatProblem, type Problem } from '../src/lib/errors.ts';
import { judgeRole, rolesBelow, type RoleVerdict } from './conformance/roles.ts';
import { scriptCommand } from './options.ts';

// Says of other people's roles what loads here, and why the rest does not.

const command = scriptCommand('conformance', 'Loads every role below a folder, and says which ones do not.', [
  ['npm run conformance -- ~/roles', 'all roles below a folder'],
  ['npm run conformance -- --reasons ~/roles', 'the reasons alone, the most frequent first'],
])
  .argument('<folder>', 'where the roles are')
  .option('--reasons', 'show the reasons alone, with how many roles each keeps out');
command.parse();
const [folder = ''] = command.args;
const root = resolve(folder);

const verdicts: RoleVerdict[] = [];
for (const role of rolesBelow(root)) {
  const verdict = await judgeRole(role, root);
  verdicts.push(verdict);
  if (command.opts<{ reasons?: true }>().reasons) continue;
  print(`${verdict.refusals.length === 0 ? 'loaded' : 'refused'}  ${verdict.name}`);
  for (const problem of verdict.refusals) print(indented(formatProblem(problem)));
}
const refused = verdicts.filter((one) => one.refusals.length > 0);
showReasons('What keeps roles from loading', (one) => one.refusals);
showReasons('What included files and templates would meet in a run', (one) => one.later);
const clean = verdicts.filter((one) => one.refusals.length === 0 && one.later.length === 0);
print(
  `${verdicts.length} roles: ${verdicts.length - refused.length} loaded, ${refused.length} refused; ${clean.length} without any finding`,
);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function showReasons(title: string, problemsOf: (verdict: RoleVerdict) => readonly Problem[]): void {
  const roles = new Map<string, Set<string>>();
  for (const verdict of verdicts) {
    for (const { message } of problemsOf(verdict))
      roles.set(message, (roles.get(message) ?? new Set()).add(verdict.name));
  }
  if (roles.size === 0) return;
  print(`\n${title}:`);
  for (const [message, names] of [...roles].sort((one, other) => other[1].size - one[1].size)) {
    const [first = ''] = names;
    print(`${String(names.size).padStart(5)}  ${message.split('\n', 1)[0]}  (${first})`);
  }
  print('');
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
