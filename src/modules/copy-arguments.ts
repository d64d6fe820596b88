import { z } from 'zod';

import { args, bool, fileArguments, mode, modeOrPreserve, path, str } from './arguments.ts';

/** What ansible.builtin.copy takes. */
export const copyArgs = args(
  {
    src: path.optional(),
    content: z
      .unknown()
      .transform((value) =>
        typeof value === 'object' && value !== null ? JSON.stringify(value) : str.parse(value),
      )
      .optional(),
    dest: path,
    backup: bool.default(false),
    force: bool.default(true),
    validate: str.optional(),
    directory_mode: mode.optional(),
    remote_src: bool.default(false),
    local_follow: bool.default(true),
    checksum: str.optional(),
    follow: bool.default(false),
    decrypt: bool.default(true),
    ...fileArguments,
    mode: modeOrPreserve.optional(),
  },
  { exclusive: [['src', 'content']], oneOf: [['src', 'content']] },
).superRefine((given, context) => {
  const problem = (message: string): void => context.addIssue({ code: 'custom', message });
  if (given.content !== undefined && given.dest.endsWith('/')) {
    problem('dest: must be a file, not a directory, when content is given');
  }
  if (given.content !== undefined && given.mode === 'preserve') problem('mode: preserve needs src');
  if (given.validate !== undefined && !given.validate.includes('%s')) problem('validate: must contain %s');
});

export type CopyArgs = (typeof copyArgs)['_output'];
