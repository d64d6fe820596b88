import { content } from '../facts/content.ts';
import { query } from '../facts/fact.ts';
import { args, path } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

/** The content of a file of the target, as base64. */
export const slurp = defineModule({
  name: 'ansible.builtin.slurp',
  summary: 'Returns the content of a file of the target, as base64.',
  example: `
- name: Read the public key
  ansible.builtin.slurp:
    src: /etc/ssh/ssh_host_ed25519_key.pub
`,
  args: args({ src: path.describe('The file on the target, of at most 1 MiB.') }),
  aliases: { src: ['path'] },
  paths: ['src'],
  facts: (given) => [query(content, given.src)],
  plan(given, facts) {
    const found = facts.get(query(content, given.src));
    switch (found.kind) {
      case 'file':
        return {
          kind: 'unchanged',
          result: { content: found.bytes.toString('base64'), encoding: 'base64', source: given.src },
        };
      case 'missing':
        return { kind: 'failed', message: `file not found: ${given.src}` };
      case 'directory':
        return { kind: 'failed', message: `source is a directory and must be a file: ${given.src}` };
      case 'unreadable':
        return { kind: 'failed', message: `file is not readable: ${given.src}` };
      case 'too large':
        return {
          kind: 'failed',
          message: `${given.src} has ${found.size} bytes; files above 1 MiB are not slurped`,
        };
    }
  },
});
