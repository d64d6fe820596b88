import { InvalidArgumentError } from 'commander';

import { scriptCommand } from '../scripts/options.ts';
import { checkLabName } from '../src/lab/layout.ts';
import { UserError } from '../src/lib/errors.ts';

export const PARTS = [
  'bare',
  'site',
  'tasks',
  'switchover',
  'promote',
  'watch',
  'orchestrator',
  'roll',
  'analyse',
] as const;
export type Part = (typeof PARTS)[number];

/** What to measure, and where. */
export interface BenchOptions {
  readonly name: string;
  readonly parts: readonly Part[];
  /** Undefined: as many as each part needs for a steady figure. */
  readonly runs: number | undefined;
  readonly keep: boolean;
  /** The binary of Orchestrator; without it that part is left out. */
  readonly orchestrator: string | undefined;
}

/** Reads the command line; ends the process after `--help`, or with words about what is wrong. */
export function benchOptions(argv: readonly string[]): BenchOptions {
  const command = scriptCommand(
    'bench',
    'measures side by side with others; needs root. docs/benchmarks.md',
    [
      ['npm run bench', 'everything, on a lab of its own: about an hour'],
      ['npm run bench -- --only site,tasks --runs 3', 'two parts, three times each'],
      ['npm run bench -- --only analyse', 'without a lab'],
      ['npm run bench -- --only watch,orchestrator --orchestrator PATH', 'beside Orchestrator'],
    ],
  )
    .option('--name <lab>', 'the lab that is made, and removed again', labName, 'bench')
    .option(`--only <parts>`, `some of ${PARTS.join(', ')}, with commas between`, partsOf)
    .option('--runs <number>', 'how often each is measured', countOf)
    .option('--orchestrator <path>', 'its binary, which docs/benchmarks.md says how to build')
    .option('--keep', 'leave the lab')
    .parse(argv, { from: 'user' });
  const given = command.opts<{
    name: string;
    only?: readonly Part[];
    runs?: number;
    keep?: true;
    orchestrator?: string;
  }>();
  if (given.only?.includes('orchestrator') === true && given.orchestrator === undefined)
    command.error('error: the part orchestrator needs --orchestrator PATH');
  return {
    name: given.name,
    parts: given.only ?? PARTS,
    runs: given.runs,
    keep: given.keep === true,
    orchestrator: given.orchestrator,
  };
}

function labName(text: string): string {
  try {
    return checkLabName(text);
  } catch (error) {
    throw error instanceof UserError ? new InvalidArgumentError(error.message) : error;
  }
}

function partsOf(text: string): readonly Part[] {
  return text.split(',').map((name) => {
    const part = PARTS.find((one) => one === name.trim());
    if (part === undefined)
      throw new InvalidArgumentError(
        `there is no part "${name.trim()}": expected some of ${PARTS.join(', ')}`,
      );
    return part;
  });
}

function countOf(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number above 0');
}
