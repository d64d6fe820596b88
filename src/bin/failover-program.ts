import { Command } from 'commander';

import type { CommandContext } from '../commands/context.ts';
import { VERSION } from './package.ts';
import { addVerbs, type Verb } from './verbs.ts';

/** The commands of `failover`, in the order of its help. */
export const FAILOVER_VERBS: readonly Verb[] = [
  {
    name: 'status',
    summary: 'show the topology, and what is wrong with it',
    load: async () => (await import('../commands/failover/status.ts')).statusCommand,
  },
  {
    name: 'analyse',
    summary: 'say what is wrong, and who could become the primary',
    load: async () => (await import('../commands/failover/analyse.ts')).analyseCommand,
  },
  {
    name: 'promote',
    summary: 'make an instance the primary: a switchover when the present one lives, a failover when not',
    usage: '[instance]',
    load: async () => (await import('../commands/failover/promote.ts')).promoteCommand,
  },
  {
    name: 'rejoin',
    summary: 'make an instance a replica of the primary again',
    usage: '<instance>',
    load: async () => (await import('../commands/failover/rejoin.ts')).rejoinCommand,
  },
  {
    name: 'relocate',
    summary: 'let a replica follow another source',
    usage: '<instance> <source>',
    load: async () => (await import('../commands/failover/relocate.ts')).relocateCommand,
  },
  {
    name: 'add',
    summary: 'make a server that the inventory names a replica, when it can be one',
    usage: '<instance>',
    load: async () => (await import('../commands/failover/add.ts')).addCommand,
  },
  {
    name: 'remove',
    summary: 'take a replica out of the cluster for good: it follows nobody, and is forgotten',
    usage: '<instance>',
    load: async () => (await import('../commands/failover/remove.ts')).removeCommand,
  },
  {
    name: 'replace',
    summary: 'let a new server take the place of a replica',
    usage: '<old> <new>',
    load: async () => (await import('../commands/failover/replace.ts')).replaceCommand,
  },
  {
    name: 'lag',
    summary: 'show how far each replica is behind',
    load: async () => (await import('../commands/failover/lag.ts')).lagCommand,
  },
  {
    name: 'errant',
    summary: 'list transactions that an instance has and the primary has not',
    usage: '[instance]',
    load: async () => (await import('../commands/failover/errant.ts')).errantCommand,
  },
  {
    name: 'adopt',
    summary: 'read the topology of a cluster that others built, and write an inventory for it',
    usage: '<address...>',
    load: async () => (await import('../commands/failover/adopt.ts')).adoptCommand,
  },
  {
    name: 'history',
    summary: 'show the changes of topology, the newest first',
    load: async () => (await import('../commands/failover/history.ts')).historyCommand,
  },
  {
    name: 'watch',
    summary: 'watch the clusters, and recover them by itself: the daemon that runs on the balancers',
    load: async () => (await import('../commands/failover/watch.ts')).watchCommand,
  },
  {
    name: 'page',
    summary: 'serve a live page of the site to browsers on this machine: the service behind `provision page`',
    load: async () => (await import('../commands/failover/page.ts')).pageCommand,
  },
  {
    name: 'keep',
    summary: 'serve the lock and the journal of this machine to an operator elsewhere; systemd starts it',
    load: async () => (await import('../commands/failover/keep.ts')).keepCommand,
  },
  {
    name: 'pause',
    summary: 'let the watch only look, until resume or for a time',
    usage: '[reason...]',
    load: async () => (await import('../commands/failover/pause.ts')).pauseCommand,
  },
  {
    name: 'resume',
    summary: 'let the watch act again',
    load: async () => (await import('../commands/failover/resume.ts')).resumeCommand,
  },
  {
    name: 'ack',
    summary: 'acknowledge the last automatic failover, so that another may follow',
    load: async () => (await import('../commands/failover/ack.ts')).ackCommand,
  },
  {
    name: 'downtime',
    summary: 'leave an instance alone while it is worked on',
    load: async () => (await import('../commands/failover/downtime.ts')).downtimeCommand,
  },
  {
    name: 'drill',
    summary: 'cause a fault on a lab or staging site, and report what it cost',
    usage: '[scenario]',
    load: async () => (await import('../commands/failover/drill.ts')).drillCommand,
  },
  {
    name: 'set-rule',
    summary: 'rank an instance as the next primary',
    usage: '<instance> <rule>',
    load: async () => (await import('../commands/failover/set-rule.ts')).setRuleCommand,
  },
];

/** The command line of `failover`, complete for the verb that the arguments name. */
export async function failoverProgram(argv: readonly string[], context: CommandContext): Promise<Command> {
  const program = new Command('failover')
    .description('Knows the MySQL or MariaDB topology of an inventory, and moves its primary.')
    .version(VERSION, '-V, --version')
    .addHelpText(
      'after',
      `
Examples:
  failover status                    who is the primary, who follows, what is wrong
  failover promote db2               make db2 the primary; it asks first
  failover promote --dry-run         the best candidate, and every step
  failover rejoin db1                the old primary becomes a replica
  failover help promote              all options of a command

Exit codes: 0 done, 1 usage or load error, 2 refused or not complete, 4 unreachable, 130 interrupted.`,
    );
  await addVerbs(program, FAILOVER_VERBS, argv, context);
  return program;
}
