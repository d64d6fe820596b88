import { apt } from './apt.ts';
import { aptAliases, aptArgs } from './parts/apt-arguments.ts';
import { defineModule } from './kit/define.ts';
import { choice } from './kit/arguments.ts';
import { z } from 'zod';

const packageArgs = z.preprocess(
  (input: unknown) => {
    if (typeof input !== 'object' || input === null) return input;
    const { use, state, ...rest } = input as Record<string, unknown>;
    if (use !== undefined && use !== 'auto' && use !== 'apt' && use !== 'ansible.builtin.apt') {
      return { ...rest, use };
    }
    // `installed` and `removed` are what other package managers' modules call it.
    const states: Readonly<Record<string, string>> = { installed: 'present', removed: 'absent' };
    return { ...rest, ...(state === undefined ? {} : { state: states[String(state)] ?? state }) };
  },
  aptArgs.safeExtend({
    use: choice('auto', 'apt').optional().describe('The package manager, which is apt.'),
  }),
);

/** Packages, whatever the target's package manager is; here that is apt. */
export const packageModule = defineModule({
  name: 'ansible.builtin.package',
  summary: "Installs and removes packages with the target's package manager, which must be apt.",
  example: `
- name: Install curl
  ansible.builtin.package:
    name: curl
    state: present
`,
  args: packageArgs,
  aliases: aptAliases,
  facts: (given, context) => apt.facts(given, context),
  plan: (given, facts, context) => apt.plan(given, facts, context),
});
