import { parseArgs } from 'node:util';

import { checkLabName, DEFAULT_SERVERS, MAX_SERVERS } from '../../src/lab/layout.ts';
import { UserError } from '../../src/lib/errors.ts';
import { didYouMean } from '../../src/lib/similar.ts';
import { ROUND_NAMES, type RoundName } from './rounds.ts';

/** What the options say. */
export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly flavour: Flavour;
  readonly name: string;
  readonly instances: number;
  /** The kinds of rounds that are played. */
  readonly only: readonly RoundName[];
  readonly keep: boolean;
  readonly provisioned: boolean;
}

const FLAVOURS = ['mysql', 'mariadb'] as const;
type Flavour = (typeof FLAVOURS)[number];

const OPTIONS = {
  minutes: { type: 'string', default: '60' },
  seed: { type: 'string' },
  flavour: { type: 'string', default: 'mysql' },
  name: { type: 'string', default: 'test-chaos' },
  instances: { type: 'string', default: String(DEFAULT_SERVERS) },
  only: { type: 'string' },
  keep: { type: 'boolean', default: false },
  provisioned: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const HELP = `Usage: npm run chaos -- [options]

Random faults on a lab of its own, under a writer whose rows are counted. Each round is checked and the cluster brought
back; the first violation ends it. Needs root.

Options:
  --minutes NUMBER    how long rounds are begun; the last one is ended properly (default: 60)
  --seed NUMBER       the same seed gives the same faults in the same order (default: another each time, printed)
  --flavour NAME      mysql or mariadb (default: mysql)
  --name LAB          the lab that is made, and removed again (default: test-chaos)
  --instances NUMBER  how many servers the lab is made with, each with an instance (default: 3; 9 at most)
  --only NAMES        only some kinds of rounds, with commas between:${kinds()}
  --keep              leave the lab; after a violation it stays anyhow
  --provisioned       use a lab that is up and has its site already, and leave it
  -h, --help          show this

Examples:
  npm run chaos -- --minutes 60 --seed 7
  npm run chaos -- --minutes 60 --seed 7 --flavour mariadb
  npm run chaos -- --minutes 60 --seed 7 --instances 5
  npm run chaos -- --minutes 10 --name my-lab --provisioned --only disk,copy

Exit codes: 0 nothing was violated; 1 a round was, or an option is wrong. After a violation the topology, journal and
logs are in inventory/LAB/chaos-SEED-ROUND/. More: docs/drills.md
`;

/** Reads the command line; `undefined` when only help is wanted. All that is wrong is told at once. */
export function chaosOptions(argv: readonly string[]): ChaosOptions | undefined {
  const { values, tokens } = parseArgs({ args: [...argv], options: OPTIONS, strict: false, tokens: true });
  if (values.help === true) return undefined;
  const problems: string[] = [];
  const seen = new Map<string, string | undefined>();
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`expected options only, found "${token.value}"`);
    if (token.kind !== 'option') continue;
    const spec = OPTIONS[token.name as keyof typeof OPTIONS] as { type: string } | undefined;
    if (spec === undefined) problems.push(unknownOption(token.rawName, token.name));
    else if (spec.type === 'boolean' && token.value !== undefined)
      problems.push(`${token.rawName} takes no value, found "${token.value}"`);
    // Without this, the next option would be taken for a value that was forgotten.
    else if (
      spec.type === 'string' &&
      (token.value === undefined || (token.value.startsWith('--') && !token.inlineValue))
    )
      problems.push(`${token.rawName} needs a value`);
    else seen.set(token.name, token.value);
  }
  const given = (name: 'minutes' | 'seed' | 'flavour' | 'name' | 'instances' | 'only'): string | undefined =>
    seen.get(name);
  const minutes = numberOf(
    '--minutes',
    given('minutes') ?? OPTIONS.minutes.default,
    /^\d+(?:\.\d+)?$/,
    'a number',
    problems,
  );
  const seed = numberOf(
    '--seed',
    given('seed') ?? String(Date.now() % 1_000_000),
    /^\d+$/,
    'a whole number',
    problems,
  );
  const flavour = given('flavour') ?? OPTIONS.flavour.default;
  if (!isFlavour(flavour)) problems.push(`--flavour: expected ${FLAVOURS.join(' or ')}, found "${flavour}"`);
  const instances = Number(given('instances') ?? OPTIONS.instances.default);
  if (!(Number.isInteger(instances) && instances >= DEFAULT_SERVERS && instances <= MAX_SERVERS))
    problems.push(
      `--instances: expected a whole number from ${DEFAULT_SERVERS} to ${MAX_SERVERS}, found "${given('instances')}"`,
    );
  const only = given('only')?.split(',') ?? ROUND_NAMES;
  for (const one of only) {
    if (isRoundName(one)) continue;
    const near = didYouMean(one, ROUND_NAMES);
    problems.push(`--only: there is no kind of round "${one}"${near === undefined ? '' : `: ${near}`}`);
  }
  const name = given('name') ?? OPTIONS.name.default;
  try {
    checkLabName(name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push(`--name: ${error.message}`);
  }
  if (problems.length > 0 || !isFlavour(flavour)) {
    const hint = 'npm run chaos -- --help shows the options';
    throw new UserError(
      problems.map((message, index) => ({ message, ...(index === problems.length - 1 ? { hint } : {}) })),
    );
  }
  return {
    minutes,
    seed,
    flavour,
    name,
    instances,
    only: only.filter(isRoundName),
    keep: values.keep === true,
    provisioned: values.provisioned === true,
  };
}

function numberOf(option: string, text: string, form: RegExp, expected: string, problems: string[]): number {
  if (!form.test(text)) problems.push(`${option}: expected ${expected}, found "${text}"`);
  return Number(text);
}

function unknownOption(written: string, name: string): string {
  const near = didYouMean(name, Object.keys(OPTIONS));
  return `there is no option ${written}${near === undefined ? '' : `: ${near}`}`;
}

function isRoundName(text: string): text is RoundName {
  return (ROUND_NAMES as readonly string[]).includes(text);
}

/** As many on a line as fit below the other options. */
function kinds(): string {
  const lines: string[] = [''];
  for (const name of ROUND_NAMES) {
    const last = lines.at(-1) ?? '';
    if (last.length + name.length < 95) lines[lines.length - 1] = last === '' ? name : `${last}, ${name}`;
    else lines.push(name);
  }
  return lines.map((line) => `\n                      ${line}`).join(',');
}

function isFlavour(text: string): text is Flavour {
  return (FLAVOURS as readonly string[]).includes(text);
}
