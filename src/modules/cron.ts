import { posix } from 'node:path';

import { commandOutput } from '../facts/command-output.ts';
import { query, type FactQuery } from '../facts/fact.ts';
import { command, quote } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import { args, bool, choice, filled, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { editFacts, planEdit } from './parts/edit.ts';
import { toBytesText } from '../lib/python-regex.ts';

const cronArgs = args(
  {
    name: str.describe("The job's name, kept in a comment above it; with `env`, the variable's name."),
    job: str.optional().describe("The command; with `env`, the variable's value."),
    state: choice('absent', 'present').default('present').describe('Whether it shall be there.'),
    user: filled
      .optional()
      .describe(
        'Whose crontab it is, or with `cron_file` who runs the job; the user of the task without it.',
      ),
    cron_file: path.optional().describe('A file in /etc/cron.d instead of a crontab.'),
    minute: str.default('*').describe('The minute, as in a crontab.'),
    hour: str.default('*').describe('The hour, as in a crontab.'),
    day: str.default('*').describe('The day of the month, as in a crontab.'),
    month: str.default('*').describe('The month, as in a crontab.'),
    weekday: str.default('*').describe('The day of the week, as in a crontab; 0 is Sunday.'),
    special_time: choice('annually', 'daily', 'hourly', 'monthly', 'reboot', 'weekly', 'yearly')
      .optional()
      .describe('A word instead of the five fields.'),
    disabled: bool.default(false).describe('Keep the job as a comment, so that it does not run.'),
    env: bool.default(false).describe('Manage a variable of the crontab instead of a job.'),
    insertafter: str.optional().describe('With `env`, the variable after which a new one goes.'),
    insertbefore: str.optional().describe('With `env`, the variable before which a new one goes.'),
    backup: bool
      .default(false)
      .describe('Keep a copy of the `cron_file` as it was, with the time in its name.'),
  },
  { exclusive: [['insertafter', 'insertbefore']] },
).superRefine((given, context) => {
  const problem = (message: string): void => context.addIssue({ code: 'custom', message });
  if (given.state === 'present' && given.job === undefined) problem('job: is required with state: present');
  if (given.cron_file !== undefined && given.user === undefined && given.state === 'present') {
    problem('user: is required with cron_file');
  }
  if (given.job !== undefined && /[\r\n]/.test(given.job)) problem('job: must be one line');
  const times = [given.minute, given.hour, given.day, given.month, given.weekday];
  if (given.special_time !== undefined && times.some((time) => time !== '*')) {
    problem('special_time and minute, hour, day, month, weekday exclude each other');
  }
  if (!given.env && (given.insertafter ?? given.insertbefore) !== undefined) {
    problem('insertafter and insertbefore need env: true');
  }
  if (given.backup && given.cron_file === undefined) problem('backup: is supported with cron_file only');
});

type CronArgs = (typeof cronArgs)['_output'];

const MARK = '#Ansible: ';

/** Jobs and variables of a crontab. */
export const cron = defineModule({
  name: 'ansible.builtin.cron',
  summary: 'Manages jobs of a crontab or of a file in /etc/cron.d.',
  example: `
- name: Back up every night
  ansible.builtin.cron:
    name: backup
    hour: '3'
    minute: '0'
    job: /usr/local/bin/backup
`,
  args: cronArgs,
  aliases: { job: ['value'], day: ['dom'], weekday: ['dow'] },
  facts: (given, context): FactQuery[] =>
    given.cron_file === undefined ? [tableQuery(given, context.user)] : editFacts(filePath(given.cron_file)),
  plan(given, facts, context): Plan {
    const edit = (text: string): string => editTable(given, text);
    if (given.cron_file !== undefined) {
      const path = filePath(given.cron_file);
      return planEdit({ path, attributes: {}, backup: given.backup }, facts, (text) => {
        if (text === undefined && given.state === 'absent')
          return { unchanged: true, result: { cron_file: path } };
        return { text: edit(text ?? ''), result: { cron_file: path, ...names(given, text ?? '') } };
      });
    }
    const found = facts.get(tableQuery(given, context.user));
    // Without crontab there is nothing to change; "no crontab for …" ends with 1 and prints nothing.
    if (found.status === 127) return { kind: 'failed', message: 'crontab is not installed on the target' };
    const before = Buffer.from(found.stdout).toString('latin1');
    const after = edit(before);
    const user = given.user ?? context.user;
    if (after === before) return { kind: 'unchanged', result: names(given, after) };
    const text = (table: string): string => Buffer.from(table, 'latin1').toString('utf8');
    return {
      kind: 'change',
      diffs: [{ subject: `crontab of ${user}`, before: text(before), after: text(after) }],
      steps: [
        {
          kind: 'script',
          description: `change the crontab of ${user}`,
          script: `printf '%s' ${quote(text(after))} | ${command(['crontab', ...whose(given, context.user), '-'])}`,
        },
      ],
      result: names(given, after),
    };
  },
});

function whose(given: CronArgs, current: string): string[] {
  return given.user === undefined || given.user === current ? [] : ['-u', given.user];
}

function tableQuery(given: CronArgs, current: string) {
  return query(commandOutput, ['crontab', ...whose(given, current), '-l']);
}

function filePath(name: string): string {
  return posix.isAbsolute(name) ? name : posix.join('/etc/cron.d', name);
}

function names(given: CronArgs, table: string): Readonly<Record<string, unknown>> {
  const lines = table.split('\n');
  return {
    jobs: lines.filter((line) => line.startsWith(MARK)).map((line) => line.slice(MARK.length)),
    envs: lines.flatMap((line) => /^([A-Za-z_]\w*)\s*=/.exec(line)?.[1] ?? []),
    state: given.state,
  };
}

function editTable(given: CronArgs, text: string): string {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const edited = given.env ? editVariable(given, lines) : editJob(given, lines);
  return edited.length === 0 ? '' : `${edited.join('\n')}\n`;
}

function editVariable(given: CronArgs, lines: readonly string[]): readonly string[] {
  const isNamed = (line: string, name: string): boolean =>
    new RegExp(`^${name.replaceAll(/\W/g, '\\$&')}\\s*=`).test(line);
  const at = lines.findIndex((line) => isNamed(line, given.name));
  if (given.state === 'absent') return at < 0 ? lines : lines.toSpliced(at, 1);
  const wanted = toBytesText(`${given.name}="${given.job ?? ''}"`);
  if (at >= 0) return lines.with(at, wanted);
  const anchor = given.insertafter ?? given.insertbefore;
  const near = anchor === undefined ? -1 : lines.findIndex((line) => isNamed(line, anchor));
  if (near < 0) return [wanted, ...lines];
  return lines.toSpliced(given.insertafter === undefined ? near : near + 1, 0, wanted);
}

function editJob(given: CronArgs, lines: readonly string[]): readonly string[] {
  const mark = toBytesText(`${MARK}${given.name}`);
  const at = lines.indexOf(mark);
  if (given.state === 'absent') return at < 0 ? lines : lines.toSpliced(at, 2);
  const wanted = toBytesText(jobLine(given));
  // A job that was written by hand, without a name, gets one instead of a twin.
  const unnamed =
    at < 0 ? lines.findIndex((line, index) => line === wanted && !lines[index - 1]?.startsWith(MARK)) : -1;
  if (unnamed >= 0) return lines.toSpliced(unnamed, 0, mark);
  return at < 0 ? [...lines, mark, wanted] : lines.toSpliced(at, 2, mark, wanted);
}

function jobLine(given: CronArgs): string {
  const time =
    given.special_time === undefined
      ? [given.minute, given.hour, given.day, given.month, given.weekday].join(' ')
      : `@${given.special_time}`;
  const user = given.cron_file === undefined ? '' : `${given.user ?? 'root'} `;
  return `${given.disabled ? '#' : ''}${time} ${user}${given.job ?? ''}`;
}
