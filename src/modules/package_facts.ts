import { commandOutput } from '../facts/command-output.ts';
import { query } from '../facts/fact.ts';
import { args, choice, list } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

const PACKAGES = query(commandOutput, [
  'dpkg-query',
  '-W',
  '-f=${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\t${Section}\\t${Origin}\\n',
]);

/** All of Ansible's; where apt is among them, it is the one that the target has. */
const MANAGERS = [
  'auto',
  'apk',
  'apt',
  'dnf',
  'dnf5',
  'openbsd_pkg',
  'pacman',
  'pkg',
  'pkg5',
  'pkg_info',
  'pkgng',
  'portage',
  'rpm',
  'yum',
  'zypper',
] as const;

interface Package {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  readonly category: string;
  readonly origin: string;
  readonly source: 'apt';
}

/** The installed packages of the target, as the fact `packages`. */
export const packageFacts = defineModule({
  name: 'ansible.builtin.package_facts',
  summary: 'Reads which packages are installed, in which versions.',
  example: `
- name: Learn what is installed
  ansible.builtin.package_facts:
`,
  args: args({
    manager: list(choice(...MANAGERS))
      .refine((names) => names.some((name) => name === 'auto' || name === 'apt'), {
        error: 'is not supported without apt, or auto, among them',
      })
      .default(['auto'])
      .describe('Accepted; packages are read from dpkg.'),
    strategy: choice('first', 'all')
      .default('first')
      .describe('Accepted, and without effect: there is one package manager.'),
  }),
  facts: () => [PACKAGES],
  plan(_given, facts) {
    const { status, stdout } = facts.get(PACKAGES);
    if (status !== 0) {
      return {
        kind: 'failed',
        message: 'Could not detect a supported package manager: dpkg-query does not answer',
      };
    }
    const packages: Record<string, Package[]> = {};
    for (const line of stdout.split('\n')) {
      const [state, name = '', version = '', arch = '', category = '', origin = ''] = line.split('\t');
      if (state === undefined || !/^(installed|triggers-)/.test(state)) continue;
      (packages[name] ??= []).push({ name, version, arch, category, origin, source: 'apt' });
    }
    return { kind: 'unchanged', result: { ansible_facts: { packages } } };
  },
});
