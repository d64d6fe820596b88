import { query, type FactReader } from '../facts/fact.ts';
import { file as fileFact } from '../facts/file.ts';
import { sysctl as sysctlFact, sysctlPath } from '../facts/sysctl.ts';
import { quote } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import { args, bool, choice, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { blankSeparated, editFacts, planEdit, readLines } from './parts/edit.ts';
import { toBytesText } from '../lib/python-regex.ts';

const sysctlArgs = args({
  name: str
    .refine((value) => /^[A-Za-z0-9_./*:@-]+$/.test(value), {
      error: 'expected the name of a kernel parameter',
    })
    .describe('The parameter, with dots or slashes.'),
  value: str.optional().describe('Its value; required unless it is removed.'),
  state: choice('absent', 'present').default('present').describe('Whether the file shall set it.'),
  reload: bool.default(true).describe('Make the running value the same when the file changes.'),
  sysctl_set: bool
    .default(false)
    .describe('Make the running value the same, even if the file does not change.'),
  sysctl_file: path
    .optional()
    .describe(
      'The file; without it `/etc/sysctl.conf` or, where that is not read at boot (as on Debian 13), `/etc/sysctl.d/99-sysctl.conf`.',
    ),
  ignoreerrors: bool.default(false).describe('Let parameters pass that the kernel does not know or refuses.'),
}).superRefine((given, context) => {
  if (given.state === 'present' && given.value === undefined) {
    context.addIssue({ code: 'custom', message: 'value: is required with state: present' });
  }
});

/** Values are the same whatever their blanks; booleans are numbers to the kernel. */
function normal(value: string): string {
  const text = blankSeparated(value).join(' ');
  if (/^(true|yes|on)$/i.test(text)) return '1';
  return /^(false|no|off)$/i.test(text) ? '0' : text;
}

const CONF = '/etc/sysctl.conf';
const DROP_IN = '/etc/sysctl.d/99-sysctl.conf';
const LINK = query(fileFact, { path: DROP_IN });
const SYSTEMD = query(fileFact, { path: '/run/systemd/system' });

/** Kernel parameters: in a file, and now. */
export const sysctl = defineModule({
  name: 'ansible.posix.sysctl',
  summary: 'Sets kernel parameters, in a file and right now.',
  example: `
- name: Let HAProxy bind the address before it is here
  ansible.posix.sysctl:
    name: net.ipv4.ip_nonlocal_bind
    value: '1'
    sysctl_file: /etc/sysctl.d/90-balancer.conf
`,
  args: sysctlArgs,
  aliases: { name: ['key'], value: ['val'] },
  facts: (given) => [
    ...(given.sysctl_file === undefined
      ? [LINK, SYSTEMD, ...editFacts(CONF), ...editFacts(DROP_IN)]
      : editFacts(given.sysctl_file)),
    query(sysctlFact, given.name),
  ],
  plan(given, facts): Plan {
    const value = normal(given.value ?? '');
    const name = toBytesText(given.name);
    const result = { name: given.name, value: given.value };
    const inFile = planEdit({ path: fileOf(given.sysctl_file, facts), attributes: {} }, facts, (text) => {
      const lines = readLines(text ?? '');
      const isOurs = (line: string): boolean => new RegExp(`^\\s*-?\\s*${escape(name)}\\s*=`).test(line);
      const last = lines.findLastIndex(isOurs);
      const current = lines[last]?.replace(/^[^=]*=/, '');
      if (given.state === 'absent') return { text: lines.filter((line) => !isOurs(line)).join(''), result };
      if (current !== undefined && normal(current) === value && lines.filter(isOurs).length === 1) {
        return { unchanged: true, result };
      }
      const wanted = `${name}=${toBytesText(value)}\n`;
      const kept = lines.flatMap((line, index) => (index === last ? [wanted] : isOurs(line) ? [] : [line]));
      if (last < 0) {
        if (kept.length > 0 && !kept.at(-1)?.endsWith('\n')) kept.push('\n');
        kept.push(wanted);
      }
      return { text: kept.join(''), result };
    });
    if (inFile.kind === 'need' || inFile.kind === 'failed') return inFile;
    const now = facts.get(query(sysctlFact, given.name));
    // Ansible sets the running value on `sysctl_set`, and with all others of the file on `reload`.
    const differs = given.state === 'present' && (now === undefined || normal(now) !== value);
    const applies = given.sysctl_set || (given.reload && inFile.kind === 'change');
    if (!differs || !applies || (now === undefined && given.ignoreerrors)) return inFile;
    const line = `printf '%s\\n' ${quote(value)} > ${quote(sysctlPath(given.name))}`;
    return {
      kind: 'change',
      diffs: [
        ...(inFile.kind === 'change' ? inFile.diffs : []),
        { subject: `sysctl ${given.name}`, before: `${now ?? '(none)'}\n`, after: `${value}\n` },
      ],
      steps: [
        ...(inFile.kind === 'change' ? inFile.steps : []),
        {
          kind: 'script',
          description: `set ${given.name} to ${value}`,
          script: given.ignoreerrors ? `{ ${line}; } 2>/dev/null || :` : line,
        },
      ],
      result,
    };
  },
});

/**
 * Ansible writes /etc/sysctl.conf whether it is read at boot or not. systemd reads the files below /etc/sysctl.d only:
 * Debian 12, Ubuntu and Red Hat have a link to it there, Debian 13 has none.
 */
function fileOf(given: string | undefined, facts: FactReader): string {
  if (given !== undefined) return given;
  const link = facts.get(LINK);
  const isRead = link.exists && link.realPath === CONF;
  return isRead || !facts.get(SYSTEMD).exists ? CONF : DROP_IN;
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\\\.|\//g, '[./]');
}
