import { Command } from 'commander';

import { selectHosts } from '../../inventory/select.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import { rollbackTarget } from '../../release/rollback-target.ts';
import { serves } from '../../release/servers.ts';
import type { CommandContext } from '../context.ts';
import { appSite, type ServerAnswer } from './app-site.ts';
import { addExamples } from './options.ts';
import { begunServers, noteRelease, rollRelease } from './release-roll.ts';
import { addRollOptions, rollOptions } from './roll-options.ts';

/** `provision rollback`: the release before, on every server that serves another one; a sick one first. */
export function rollbackCommand(context: CommandContext): Command {
  const command = new Command('rollback')
    .description('put the previous release of the app back, also after a deploy that failed or was cut off')
    .argument('[release]', 'a kept release (default: the one before the last deploy)');
  addExamples(addRollOptions(command), [
    ['provision rollback', 'what was there before the last deploy, finished or not'],
    ['provision rollback 1.2', 'any release that is kept: see `provision releases`'],
  ]).addHelpText(
    'after',
    '\nThe database is not migrated back.\n\nExit codes: as of `provision deploy`; 4 also when a server does not answer, and the others are done.',
  );
  return command.action(async (wanted: string | undefined) => {
    // Whoever is done serves the release: to resume is to do it again.
    const options = { ...rollOptions(command), resume: false };
    const site = appSite(options);
    const name = rollbackTarget(site.store.record(), wanted);
    const answers = await site.ask(site.servers);
    const cutOff = begunServers(site);
    const wrong = [...answers].flatMap(([host, answer]) =>
      answer.kind === 'answering' && (cutOff.has(host) || !serves(answer.releases, name)) ? [host] : [],
    );
    refuseSilence(answers);
    const hosts = wrong.length === 0 ? [] : selectHosts(site.inventory, wrong.join(','), options.hosts).hosts;
    if (wrong.length > 0 && hosts.length === 0) {
      throw new UserError({
        message: `--hosts leaves out ${listed(wrong)}, where ${name} is to be put back`,
        hint: 'leave --hosts out, or name one of them',
      });
    }
    if (hosts.length > 0)
      await rollRelease(site, { kind: 'rollback', name, hosts: hosts.join(',') }, options, context);
    else if (options.dryRun) process.stderr.write(`every server that answers serves ${name} already\n`);
    else await noteRelease(site, { kind: 'rollback', name, hosts: '' }, options);
    const isSilent = [...answers.values()].some(({ kind }) => kind === 'silent');
    if (isSilent) process.exitCode ??= EXIT.unreachable;
  });
}

/** Who serves what must be known of somebody at least. */
function refuseSilence(answers: ReadonlyMap<string, ServerAnswer>): void {
  const silent = [...answers].flatMap(([host, answer]) =>
    answer.kind === 'silent' ? [{ message: `${host} does not answer: ${answer.why}` }] : [],
  );
  if (silent.length === answers.size) throw new UserError(silent, { exitCode: EXIT.unreachable });
}
