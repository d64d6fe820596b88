import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { type Command, InvalidArgumentError, Option } from 'commander';

import type { Amount } from '../../site/roll/next.ts';
import { parseDuration } from '../failover/options.ts';
import {
  addExtraVariables,
  addInventoryOptions,
  inventoryOptions,
  type InventoryOptions,
} from './options.ts';
import type { GivenSettings } from './roll-settings.ts';

/** What the command line says to a roll. */
export interface RollOptions extends InventoryOptions {
  readonly hosts: string | undefined;
  readonly given: GivenSettings;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
  /** Where a page about the roll is written at its end. */
  readonly report: string | undefined;
  readonly resume: boolean;
}

interface RawRollOptions {
  readonly hosts?: string;
  readonly serial?: Amount;
  readonly minAvailable?: Amount;
  readonly settle?: number;
  readonly timeout?: number;
  readonly drainTimeout?: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
  readonly report?: string;
  readonly resume?: true;
}

/** Adds the options that all rolling commands share. */
export function addRollOptions(command: Command): Command {
  return addExtraVariables(addInventoryOptions(command, { omit: 'limit' }))
    .option('--hosts <pattern>', 'only these hosts and groups, e.g. web:!web2')
    .addOption(
      new Option(
        '--serial <amount>',
        'servers at the same time: a number or a percentage (default: 1)',
      ).argParser(parseAmount),
    )
    .addOption(
      new Option(
        '--min-available <amount>',
        'servers that have to stay in service: a number or a percentage (default: half)',
      ).argParser(parseAmount),
    )
    .option(
      '--settle <time>',
      'how long a host has to be well before the next one goes (default: 1s)',
      parseDuration,
    )
    .option(
      '--timeout <time>',
      'how long a host may take to be well, and others to be ready (default: 5m)',
      parseDuration,
    )
    .option('--drain-timeout <time>', 'how long running requests may take (default: 1m)', parseDuration)
    .option('--resume', 'go on with the last roll, which was stopped or cut off')
    .option('--dry-run', 'show which host goes when, and what the site is left with')
    .option('-y, --yes', 'do not ask')
    .option(
      '--report <file>',
      'at the end, write a page about it: a timeline, and what HAProxy counted',
      parseFile,
    )
    .option('--json', 'one JSON object a line on stdout, text for people on stderr');
}

/** The parsed options of a command made with `addRollOptions`. */
export function rollOptions(command: Command): RollOptions {
  const raw = command.opts<RawRollOptions>();
  return {
    ...inventoryOptions(command),
    hosts: raw.hosts,
    given: {
      ...(raw.serial !== undefined && { serial: raw.serial }),
      ...(raw.minAvailable !== undefined && { minAvailable: raw.minAvailable }),
      ...(raw.settle !== undefined && { settleMs: raw.settle }),
      ...(raw.timeout !== undefined && { timeoutMs: raw.timeout }),
      ...(raw.drainTimeout !== undefined && { drainTimeoutMs: raw.drainTimeout }),
    },
    dryRun: raw.dryRun ?? false,
    yes: raw.yes ?? false,
    json: raw.json ?? false,
    report: raw.report,
    resume: raw.resume ?? false,
  };
}

/** Before a long roll, not after it. */
function parseFile(file: string): string {
  const directory = dirname(resolve(file));
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
    throw new InvalidArgumentError(`There is no directory ${directory}.`);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    throw new InvalidArgumentError('It is a directory, and has to be a file.');
  return file;
}

function parseAmount(text: string): Amount {
  const match = /^(\d+)(%?)$/.exec(text.trim());
  const number = Number(match?.[1]);
  if (match === null || (match[2] === '%' && number > 100)) {
    throw new InvalidArgumentError('It is a whole number or a percentage, like 2 or 50%.');
  }
  return match[2] === '%' ? { kind: 'percent', percent: number } : { kind: 'number', number };
}
