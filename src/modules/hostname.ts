import { content } from '../facts/content.ts';
import { query } from '../facts/fact.ts';
import { setup } from '../facts/setup.ts';
import { quote } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import { args, choice, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

const hostnameArgs = args({
  name: str
    .refine((value) => /^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/.test(value), {
      error: 'expected a host name of letters, digits, hyphens and dots',
    })
    .describe('The host name.'),
  use: choice('systemd', 'debian', 'generic')
    .optional()
    .describe(
      'Accepted, and without effect: it is set through systemd, or else the kernel and /etc/hostname.',
    ),
});

const SETUP = query(setup, '/etc/ansible/facts.d');
const FILE = query(content, '/etc/hostname');

/** The target's name: now, and after the next boot. */
export const hostname = defineModule({
  name: 'ansible.builtin.hostname',
  summary: "Sets the target's name.",
  example: `
- name: Name the host
  ansible.builtin.hostname:
    name: web1
`,
  args: hostnameArgs,
  facts: () => [SETUP, FILE],
  plan(given, facts): Plan {
    const now = String(facts.get(SETUP)['nodename'] ?? '');
    const file = facts.get(FILE);
    const kept = file.kind === 'file' ? file.bytes.toString().trim() : '';
    const short = given.name.split('.')[0] ?? given.name;
    const result = {
      name: given.name,
      ansible_facts: {
        ansible_hostname: short,
        ansible_nodename: given.name,
        ansible_fqdn: given.name,
        ansible_domain: given.name.split('.').slice(1).join('.'),
      },
    };
    if (now === given.name && kept === given.name) return { kind: 'unchanged', result };
    const word = quote(given.name);
    return {
      kind: 'change',
      diffs: [
        {
          subject: 'hostname',
          before: `now: ${now}\nafter boot: ${kept}\n`,
          after: `now: ${given.name}\nafter boot: ${given.name}\n`,
        },
      ],
      steps: [
        {
          kind: 'write',
          path: '/etc/hostname',
          content: Buffer.from(`${given.name}\n`),
          attributes: {},
        },
        {
          kind: 'script',
          description: `set the host name to ${given.name}`,
          // Where systemd's service does not run, the kernel is told directly.
          script: `hostnamectl set-hostname --static --transient ${word} 2>/dev/null || hostname ${word}`,
        },
      ],
      result,
    };
  },
});
