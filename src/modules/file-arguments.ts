import { posix } from 'node:path';

import { args, bool, choice, fileArguments, path, str } from './arguments.ts';

/** What ansible.builtin.file takes. */
export const fileArgs = args({
  path,
  state: choice('absent', 'directory', 'file', 'hard', 'link', 'touch').optional(),
  src: path.optional(),
  recurse: bool.default(false),
  force: bool.default(false),
  follow: bool.default(true),
  modification_time: str.optional(),
  modification_time_format: str.default('%Y%m%d%H%M.%S'),
  access_time: str.optional(),
  access_time_format: str.default('%Y%m%d%H%M.%S'),
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
