import { type Command, InvalidArgumentError, Option } from 'commander';

import { settings } from '../../config/settings.ts';
import type { Dict } from '../../lib/value.ts';
import { parseExtraVariables } from './extra-variables.ts';
import { addVaultOptions } from './vault-options.ts';

/** What to list instead of running. */
export type Listing = 'hosts' | 'tasks' | 'tags';

/** The options of a command that picks hosts from an inventory. */
export interface InventoryOptions {
  readonly inventory: string;
  /** A host pattern as in Ansible (`web:!web2`). */
  readonly limit?: string;
  /** The strongest variables of all. */
  readonly extraVariables: Dict;
}

/** The options that all commands share which run playbooks; made by `runOptions` from what commander parsed. */
export interface RunOptions extends InventoryOptions {
  /** Empty: all. */
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly check: boolean;
  readonly diff: boolean;
  readonly forks: number;
  readonly json: boolean;
  readonly yes: boolean;
  readonly verbose: number;
  readonly startAtTask?: string;
  readonly forceHandlers: boolean;
  /** In the order hosts, tasks, tags. Not empty: nothing is run. */
  readonly list: readonly Listing[];
  readonly syntaxCheck: boolean;
}

interface RawInventoryOptions {
  readonly inventory?: string;
  readonly limit?: string;
  readonly extraVars?: Dict;
}

interface RawRunOptions extends RawInventoryOptions {
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly check?: true;
  readonly diff?: true;
  readonly forks?: number;
  readonly json?: true;
  readonly yes?: true;
  readonly verbose: number;
  readonly startAtTask?: string;
  readonly forceHandlers?: true;
  readonly listHosts?: true;
  readonly listTasks?: true;
  readonly listTags?: true;
  readonly syntaxCheck?: true;
}

/** Adds --inventory and --limit. `omit` leaves out what makes no sense for a command. */
export function addInventoryOptions(command: Command, options: { omit?: 'limit' } = {}): Command {
  const defaults = settings();
  command.option('-i, --inventory <path>', `hosts.yml or its directory (default: ${defaults.inventory})`);
  addVaultOptions(command);
  return options.omit === 'limit'
    ? command
    : command.option('-l, --limit <pattern>', 'only these hosts and groups, e.g. web:!web2');
}

/** What was given for --inventory and --limit. */
export function inventoryOptions(command: Command): InventoryOptions {
  const raw = command.opts<RawInventoryOptions>();
  return {
    inventory: raw.inventory ?? settings().inventory,
    ...(raw.limit !== undefined && { limit: raw.limit }),
    extraVariables: raw.extraVars ?? new Map(),
  };
}

/** Adds --extra-vars. */
export function addExtraVariables(command: Command): Command {
  return command.addOption(
    new Option('-e, --extra-vars <vars>', 'variables that beat all others: KEY=VALUE, YAML or @FILE')
      .argParser(addVariables)
      .default(new Map(), 'none'),
  );
}

/** Adds every option of a command that runs playbooks. `omit` leaves out those that make no sense for it. */
export function addRunOptions(command: Command, options: { omit?: readonly 'check'[] } = {}): Command {
  const defaults = settings();
  addInventoryOptions(command)
    .option('-t, --tags <names>', 'only tasks with one of these tags', addNames, [])
    .option('--skip-tags <names>', 'no tasks with one of these tags', addNames, []);
  if (!options.omit?.includes('check')) {
    command.option('-C, --check', 'show what would change, and change nothing');
  }
  return addExtraVariables(command.option('-D, --diff', 'show how files and settings change'))
    .option('-f, --forks <number>', `hosts at the same time (default: ${defaults.forks})`, parseForks)
    .option('--json', 'one JSON object a line on stdout, text for people on stderr')
    .option('-y, --yes', 'do not ask before an interruption of service')
    .option('-v, --verbose', 'show unchanged results too; -vv for more', (_, before: number) => before + 1, 0)
    .option('--start-at-task <name>', 'skip the tasks before this one')
    .option('--force-handlers', 'run the notified handlers of a host even after it failed')
    .option('--list-hosts', 'list the hosts and run nothing')
    .option('--list-tasks', 'list the tasks and run nothing')
    .option('--list-tags', 'list the tags and run nothing')
    .option('--syntax-check', 'load everything and run nothing');
}

/** The parsed options of a command made with `addRunOptions`. */
export function runOptions(command: Command): RunOptions {
  const raw = command.opts<RawRunOptions>();
  return {
    ...inventoryOptions(command),
    tags: raw.tags,
    skipTags: raw.skipTags,
    check: raw.check ?? false,
    diff: raw.diff ?? false,
    forks: raw.forks ?? settings().forks,
    json: raw.json ?? false,
    yes: raw.yes ?? false,
    verbose: raw.verbose,
    ...(raw.startAtTask !== undefined && { startAtTask: raw.startAtTask }),
    forceHandlers: raw.forceHandlers ?? false,
    list: [
      ...(raw.listHosts ? (['hosts'] as const) : []),
      ...(raw.listTasks ? (['tasks'] as const) : []),
      ...(raw.listTags ? (['tags'] as const) : []),
    ],
    syntaxCheck: raw.syntaxCheck ?? false,
  };
}

/** Examples below a command's help, aligned: `['provision up --diff', 'and show the changes']`. */
export function addExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

function addNames(text: string, before: readonly string[]): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('Names are separated by single commas.');
  return [...before, ...names];
}

function addVariables(text: string, before: Dict): Dict {
  return new Map([...before, ...parseExtraVariables(text)]);
}

function parseForks(text: string): number {
  const forks = Number(text);
  if (!Number.isInteger(forks) || forks < 1 || forks > 1000) {
    throw new InvalidArgumentError('It is a whole number from 1 to 1000.');
  }
  return forks;
}
