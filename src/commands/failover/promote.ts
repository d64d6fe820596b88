import { Command, InvalidArgumentError } from 'commander';

import { candidates } from '../../failover/plan/candidates.ts';
import { planFinish } from '../../failover/plan/finish.ts';
import { planPromote, type PromoteWish } from '../../failover/plan/promote.ts';
import type { Planned } from '../../failover/plan/refusals.ts';
import type { PreparedEnd } from '../../failover/plan/sessions.ts';
import { PROMOTE_RISKS, type RiskCode } from '../../failover/plan/risks.ts';
import type { Topology } from '../../failover/cluster/topology.ts';
import { palette, wantsColour } from '../../report/palette.ts';
import type { CommandContext } from '../context.ts';
import { change } from './change.ts';
import { candidatesText } from './change-text.ts';
import {
  addStoreOption,
  addClusterOptions,
  addExamples,
  clusterChoice,
  findInstance,
  parseDuration,
} from './options.ts';
import { addForceOption, type Force, forceOf } from './force.ts';
import { withSession } from './session.ts';
import { RESCUE_MS, SHOW_MS, tailText, withTail } from './tail.ts';

interface PromoteOptions {
  readonly yes?: true;
  readonly dryRun?: true;
  readonly force?: Force | true;
  readonly rejoin: boolean;
  readonly rescueTail?: true;
  readonly json?: true;
  readonly timeout?: number;
  readonly endSessions?: true;
  readonly endXa?: readonly PreparedEnd[];
  readonly reason?: string;
}

/** `failover promote`: another instance becomes the primary, whether the present one is alive or not. */
export function promoteCommand(context: CommandContext): Command {
  const command = new Command('promote')
    .description('make an instance the primary: a switchover when the present one lives, a failover when not')
    .argument('[instance]', 'its name, or its host; without, the best candidate');
  addForceOption(addStoreOption(addClusterOptions(command)), PROMOTE_RISKS)
    .option('-y, --yes', 'do not ask')
    .option('-n, --dry-run', 'show every step, and change nothing')
    .option(
      '--end-sessions',
      'a switchover ends the sessions that stand in its way: long transactions, locked tables, locks on the candidate',
    )
    .option(
      '--end-xa <xid=how>',
      'end a prepared XA transaction first: XID=rollback or XID=commit; can be repeated',
      parsePreparedEnd,
    )
    .option('--no-rejoin', 'leave the old primary alone, read-only')
    .option(
      '--rescue-tail',
      "apply first what only a dead primary's binary log holds; its machine must answer, and is fenced",
    )
    .option(
      '--timeout <time>',
      'how long writes may stand still, e.g. 3s, before all is taken back',
      parseDuration,
    )
    .option('--reason <text>', 'for the journal')
    .option('--json', 'one JSON object a line on stdout, text for people on stderr');
  addExamples(command, [
    ['failover promote', 'propose the best candidate, and say why not the others'],
    ['failover promote db2', 'show what would happen, ask, do it'],
    ['failover promote db2 --dry-run', 'every step, and nothing done'],
    ['failover promote db2 --yes', 'at once'],
    ['failover promote db2 --force too-few-ackers', 'in spite of this one risk, which a refusal has named'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 done and verified, 2 refused, taken back or not complete, 4 no instance answers, 130 interrupted.',
  );
  return command.action(async (word: string | undefined) => {
    const options = command.opts<PromoteOptions>();
    const { signal } = context;
    await withSession(clusterChoice(command, word), async (session) => {
      const to = word === undefined ? undefined : findInstance(session.cluster, word).name;
      const settings = {
        ...session.cluster.settings,
        ...(options.timeout === undefined ? {} : { switchoverTimeoutMs: options.timeout }),
      };
      const makePlan = (
        topology: Topology,
        accepts: readonly RiskCode[],
      ): Planned & { readonly again?: boolean } => {
        const wish: PromoteWish = {
          to,
          accepts,
          rejoin: options.rejoin,
          rescueTail: options.rescueTail,
          endSessions: options.endSessions,
          endPrepared: options.endXa,
        };
        // What was cut off comes first: nobody can plan upon half of a change.
        const finish = planFinish(topology, settings, wish);
        // Whoever named nobody has a primary then, and wants no other one.
        if (finish !== undefined && 'plan' in finish && finish.plan.to !== to)
          return { ...finish, again: to !== undefined };
        return planPromote(topology, wish, settings);
      };
      const styles = palette(wantsColour(options.json ? process.stderr : process.stdout, process.env));
      await change({ ...session, cluster: { ...session.cluster, settings } }, makePlan, {
        yes: options.yes ?? false,
        dryRun: options.dryRun ?? false,
        json: options.json ?? false,
        reason: options.reason ?? 'an operator asked for it',
        purpose: `promote ${to ?? 'the best candidate'}`,
        signal,
        mayReplace: true,
        force: forceOf(options.force),
        // Who is asked sees what the log holds. Without a question, only who needs it waits for that.
        deepen: (topology, isShown) =>
          isShown || options.rescueTail
            ? withTail(session, topology, { limitMs: options.rescueTail ? RESCUE_MS : SHOW_MS, signal })
            : Promise.resolve(topology),
        preface: (topology) =>
          [
            ...(to === undefined ? [candidatesText(candidates(topology, settings), styles)] : []),
            ...tailText(topology),
          ].join('\n') || undefined,
      });
    });
  });
}

/** `XID=rollback` or `XID=commit`; the name itself may contain an equals sign. */
export function parsePreparedEnd(text: string, before: readonly PreparedEnd[] = []): readonly PreparedEnd[] {
  const [, xid = '', how] = /^(.+)=(commit|rollback)$/.exec(text) ?? [];
  if (how !== 'commit' && how !== 'rollback') {
    throw new InvalidArgumentError(
      'It is XID=rollback or XID=commit, with the name that the refusal and `XA RECOVER` give.',
    );
  }
  return [...before, { xid, how }];
}
