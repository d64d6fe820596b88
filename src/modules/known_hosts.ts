import { createHmac, createHash } from 'node:crypto';

import { args, bool, choice, path, str } from './kit/arguments.ts';
import { placedAt } from './parts/file-plan.ts';
import { defineModule } from './kit/define.ts';
import { blankSeparated, editFacts, planEdit, readLines, trimBlanks } from './parts/edit.ts';
import { toBytesText } from '../lib/python-regex.ts';

const knownArgs = args({
  name: str.transform((value) => value.toLowerCase()).describe("The host, as the key's line names it."),
  key: str.optional().describe('The line or lines for known_hosts, beginning with the name.'),
  path: path.default('~/.ssh/known_hosts').describe('The file.'),
  hash_host: bool.default(false).describe('Write the name as a hash, so that the file does not tell it.'),
  state: choice('absent', 'present')
    .default('present')
    .describe('Whether the key shall be there; `absent` without `key` removes all of the host.'),
}).superRefine((given, context) => {
  if (given.state === 'present' && given.key === undefined) {
    context.addIssue({ code: 'custom', message: 'key: is required with state: present' });
  }
});

type KnownArgs = (typeof knownArgs)['_output'];

/** Host keys that SSH clients of the target trust. */
export const knownHosts = defineModule({
  name: 'ansible.builtin.known_hosts',
  summary: 'Adds and removes host keys in a known_hosts file.',
  example: `
- name: Trust the backup server
  ansible.builtin.known_hosts:
    name: backup
    key: "{{ lookup('file', 'backup.known_hosts') }}"
    path: /etc/ssh/ssh_known_hosts
`,
  args: knownArgs,
  aliases: { name: ['host'] },
  paths: ['path'],
  afterwards: placedAt('path'),
  facts: (given) => editFacts(given.path),
  plan: (given, facts) =>
    planEdit({ path: given.path, attributes: {} }, facts, (text) => {
      const result = {
        name: given.name,
        key: given.key ?? '',
        hash_host: given.hash_host,
        state: given.state,
      };
      if (given.state === 'absent') {
        if (text === undefined) return { unchanged: true, result };
        return {
          text: readLines(text)
            .filter((line) => !matches(line, given))
            .join(''),
          result,
        };
      }
      const wanted = wantedLines(given);
      if ('failed' in wanted) return wanted;
      const lines = readLines(text ?? '');
      if (wanted.every((line) => lines.some((found) => isSame(found, line, given))))
        return { unchanged: true, result };
      // One key of a type for a host: the others of that type are old ones.
      const types = new Set(wanted.map((line) => blankSeparated(line)[1]));
      const kept = lines.filter((line) => !(matches(line, given) && types.has(blankSeparated(line)[1])));
      if (kept.length > 0 && !kept.at(-1)?.endsWith('\n')) kept.push('\n');
      const written = wanted.map((line) =>
        toBytesText(given.hash_host ? hashed(line, given.name) : `${line}\n`),
      );
      return { text: [...kept, ...written].join(''), result };
    }),
});

/** The lines of `key` that are for the host; a key without a host gets it. */
function wantedLines(given: KnownArgs): string[] | { readonly failed: string } {
  const lines = (given.key ?? '')
    .split('\n')
    .map((line) => trimBlanks(line))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => (/^(ssh-|ecdsa-|sk-)/.test(line) ? `${given.name} ${line}` : line));
  const wrong = lines.find((line) => !matches(line, given));
  if (wrong !== undefined || lines.length === 0) {
    return {
      failed: `Host parameter does not match hashed host field in supplied key: ${wrong ?? '(no key)'}`,
    };
  }
  return lines;
}

/** Whether a line is for the host: by name, or by the hash of it. */
function matches(line: string, given: KnownArgs): boolean {
  const words = blankSeparated(line);
  const hosts = words[0]?.startsWith('@') ? words[1] : words[0];
  if (hosts === undefined || hosts.startsWith('#')) return false;
  const hash = /^\|1\|([^|]+)\|(.+)$/.exec(hosts);
  if (hash) {
    const [, salt = '', digest = ''] = hash;
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(given.name).digest('base64') === digest;
  }
  return hosts.toLowerCase().split(',').includes(given.name);
}

function isSame(found: string, wanted: string, given: KnownArgs): boolean {
  const [, ...key] = blankSeparated(wanted);
  const [host = '', ...other] = blankSeparated(found);
  return (
    matches(found, given) &&
    host.startsWith('|1|') === given.hash_host &&
    key.slice(0, 2).join(' ') === other.slice(0, 2).join(' ')
  );
}

/** The salt is made of the name and key, so that the same task always writes the same line. */
function hashed(line: string, name: string): string {
  const [, ...key] = blankSeparated(line);
  const salt = createHash('sha1').update(line).digest();
  const digest = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${digest} ${key.join(' ')}\n`;
}
