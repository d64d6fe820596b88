import { z } from 'zod';

import { jsonText } from '../../lib/json-text.ts';
import { fromPlain } from '../../lib/value.ts';
import {
  args,
  bool,
  fileArguments,
  filled,
  mode,
  modeOrPreserve,
  path,
  str,
  validateArgument,
} from '../kit/arguments.ts';

/** What ansible.builtin.copy takes. */
export const copyArgs = args(
  {
    src: path
      .optional()
      .describe(
        "A file or directory of the controller, looked for in the role's `files/` first; a directory with `/` at its end stands for what is in it.",
      ),
    content: z
      .unknown()
      .transform((value) =>
        typeof value === 'object' && value !== null ? jsonText(fromPlain(value)) : str.parse(value),
      )
      .optional()
      .describe('The text of the file; dictionaries and lists are written as JSON.'),
    dest: path.describe(
      'Where it goes on the target: a file, or a directory when it is one or ends with `/`.',
    ),
    backup: bool.default(false).describe('Keep a copy of the file as it was, with the time in its name.'),
    force: bool
      .default(true)
      .describe('Replace a file whose content differs; `no` writes only what is missing.'),
    validate: validateArgument,
    directory_mode: mode.optional().describe('The permissions of directories that are created.'),
    remote_src: bool.default(false).describe('`src` is on the target.'),
    local_follow: bool
      .default(true)
      .describe('Accepted, and without effect: symbolic links of the controller are followed.'),
    checksum: filled.optional().describe('The SHA-1 that the source must have, or the task fails.'),
    follow: bool.default(false).describe('Write through a symbolic link at `dest` rather than replace it.'),
    decrypt: bool
      .default(true)
      .describe('Accepted; files that Ansible Vault encrypted are opened in any case.'),
    ...fileArguments,
    mode: modeOrPreserve
      .optional()
      .describe("The permissions, such as `'0644'` or `u=rw,g=r,o=r`; `preserve` takes those of the source."),
  },
  { exclusive: [['src', 'content']], oneOf: [['src', 'content']] },
).superRefine((given, context) => {
  const problem = (message: string): void => context.addIssue({ code: 'custom', message });
  if (given.content !== undefined && given.dest.endsWith('/')) {
    problem('dest: must be a file, not a directory, when content is given');
  }
  if (given.content !== undefined && given.mode === 'preserve') problem('mode: preserve needs src');
});

export type CopyArgs = (typeof copyArgs)['_output'];
