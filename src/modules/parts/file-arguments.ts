import { posix } from 'node:path';

import { args, bool, choice, fileArguments, path, str } from '../kit/arguments.ts';

/** What ansible.builtin.file takes. */
export const fileArgs = args({
  path: path.describe('The path on the target.'),
  state: choice('absent', 'directory', 'file', 'hard', 'link', 'touch')
    .optional()
    .describe(
      'What shall be there: `file` only sets attributes of what exists, `touch` creates an empty file or sets its times, `absent` removes, directories with all that is in them.',
    ),
  src: path.optional().describe('What a link points to.'),
  recurse: bool.default(false).describe('Give all that is in the directory the same owner, group and mode.'),
  force: bool
    .default(false)
    .describe('Create a symbolic link even if its target is missing, or in the place of a file.'),
  follow: bool
    .default(true)
    .describe('Set the attributes of what a symbolic link points to, not of the link.'),
  modification_time: str.optional().describe('With `touch`: `preserve`, `now`, or a time.'),
  modification_time_format: str
    .default('%Y%m%d%H%M.%S')
    .describe('How that time is written; only the default is supported.'),
  access_time: str.optional().describe('With `touch`: `preserve`, `now`, or a time.'),
  access_time_format: str
    .default('%Y%m%d%H%M.%S')
    .describe('How that time is written; only the default is supported.'),
  ...fileArguments,
}).superRefine((given, context) => {
  const problem = (message: string): void => context.addIssue({ code: 'custom', message });
  if (given.recurse && given.state !== undefined && given.state !== 'directory') {
    problem('recurse: needs state: directory');
  }
  if (given.src !== undefined && given.state !== 'link' && given.state !== 'hard') {
    problem('src: needs state: link or hard');
  }
  for (const name of ['modification_time', 'access_time'] as const) {
    const time = given[name];
    if (time === undefined || time === 'preserve') continue;
    if (given.state !== 'touch') problem(`${name}: is supported with state: touch only`);
    else if (time !== 'now' && !/^\d{12}(\.\d\d)?$/.test(time)) {
      problem(`${name}: expected preserve, now or a time like 202612312359.59; found '${time}'`);
    }
    if (given[`${name}_format`] !== '%Y%m%d%H%M.%S')
      problem(`${name}_format: is not supported; use the default`);
  }
  if (given.state === 'absent' && /^\/*$/.test(posix.normalize(given.path))) {
    problem('path: refusing to remove /');
  }
});

export type FileArgs = (typeof fileArgs)['_output'];
