import { resolve } from 'node:path';

import { Command } from 'commander';

import { settings } from '../../config/settings.ts';
import type { CommandContext } from '../context.ts';
import { type DnsSite, dnsSite } from './dns-site.ts';
import { nameFindings } from './name-findings.ts';
import { addExamples, addRunOptions, type RunOptions, runOptions } from './options.ts';
import { runCommandWith } from './run-command.ts';

/** `provision check`: shows how the hosts differ from the playbook, with diffs, and touches nothing. */
export function checkCommand(context: CommandContext): Command {
  const command = new Command('check')
    .description('show what would change, and change nothing')
    .argument('[playbook]', 'the playbook', settings().playbook);
  addRunOptions(command, { omit: ['check'] });
  addExamples(command, [
    ['provision check', 'exit code 3 when anything differs'],
    ['provision check --limit web2 --json', 'one host, for a program to read'],
  ]);
  return command.action(async (playbook: string) => {
    const options = runOptions(command);
    // What is wrong with the variable is said before anybody is asked anything.
    const names = isSite(playbook, options) ? dnsSite(options) : undefined;
    await runCommandWith(playbook, { ...options, check: true, diff: true }, context);
    if (names !== undefined && !context.signal.aborted) await warnOf(names);
  });
}

/** Names are the whole site's: not one host's, and not another playbook's. */
function isSite(playbook: string, { limit, syntaxCheck, list }: RunOptions): boolean {
  const isMeant = limit === undefined && !syntaxCheck && list.length === 0;
  return isMeant && resolve(playbook) === resolve(settings().playbook);
}

/** That names lead elsewhere is nothing that a run would change, so the exit code does not say it. */
async function warnOf(names: DnsSite): Promise<void> {
  const { warnings } = await nameFindings(names);
  for (const one of warnings) process.stderr.write(`[warning] ${one}\n`);
}
