import { quote } from '../lib/shell.ts';
import { args, choice, path, str } from './kit/arguments.ts';
import { placedAt } from './parts/file-plan.ts';
import { defineModule } from './kit/define.ts';
import { outputText } from './kit/outputs.ts';

const tempArgs = args({
  state: choice('file', 'directory').default('file').describe('What to create.'),
  path: path
    .optional()
    .describe("The directory to create it in; the system's for temporary files without it."),
  prefix: str.default('ansible.').describe('How its name begins.'),
  suffix: str.default('').describe('How its name ends.'),
});

/** Makes a new temporary file or directory. */
export const tempfile = defineModule({
  name: 'ansible.builtin.tempfile',
  summary: 'Makes a temporary file or directory and returns its path.',
  example: `
- name: Make a place to work
  ansible.builtin.tempfile:
    state: directory
`,
  args: tempArgs,
  paths: ['path'],
  afterwards: placedAt('path'),
  facts: () => [],
  plan(given) {
    const directory = given.path === undefined ? '"${TMPDIR:-/tmp}"' : quote(given.path);
    const kind = given.state === 'directory' ? ' -d' : '';
    return {
      kind: 'action',
      steps: [
        {
          kind: 'command',
          run: {
            shell: `mktemp${kind} -p ${directory} -- ${quote(`${given.prefix}XXXXXXXX${given.suffix}`)}`,
          },
        },
      ],
      finish([output]) {
        if (output?.kind !== 'exit' || output.status !== 0) {
          const message = output?.kind === 'exit' ? output.stderr.toString().trim() : 'mktemp gave no result';
          return { status: 'failed', message, result: {} };
        }
        const made = outputText(output).replace(/\n$/, '');
        const mode = given.state === 'directory' ? '0700' : '0600';
        return { status: 'ok', changed: true, result: { path: made, state: given.state, mode } };
      },
      inCheckMode: 'skip',
      effect: 'host',
    };
  },
});
