import { type Command, InvalidArgumentError, Option } from 'commander';
import { createInterface } from 'node:readline/promises';

import type { Refusal } from '../../failover/plan/refusals.ts';
import { forceOption, type RiskCode, riskName, riskNamed, RISKS } from '../../failover/plan/risks.ts';
import { UserError } from '../../lib/errors.ts';
import { command as commandLine } from '../../lib/shell.ts';
import { didYouMean } from '../../lib/similar.ts';
import type { Palette } from '../../report/palette.ts';

/** What was typed with `--force`: the risks by name, and whether a bare one asks for the others. */
export interface Force {
  readonly accepts: readonly RiskCode[];
  readonly asks: boolean;
}

export const NO_FORCE: Force = { accepts: [], asks: false };

/** Adds `--force`, which accepts these risks, and their list to the end of the help. */
export function addForceOption(command: Command, risks: readonly RiskCode[]): Command {
  const width = Math.max(...risks.map((code) => riskName(code).length));
  return command
    .addOption(
      new Option(
        '--force [risks]',
        'accept these risks, by the names that the refusal gives, with commas between them; without names it asks about each',
      ).argParser((text: string, before: Force | true | undefined) =>
        parseForce(text, forceOf(before), risks),
      ),
    )
    .addHelpText(
      'after',
      `\nRisks that --force accepts:\n${risks.map((code) => `  ${riskName(code).padEnd(width)}  ${RISKS[code]}`).join('\n')}`,
    );
}

/** What the option's value says: a bare one is `true`, and asks about everything. */
export function forceOf(value: Force | true | undefined): Force {
  return value === true ? { accepts: [], asks: true } : (value ?? NO_FORCE);
}

/** Adds what one more `--force` says to those before it. */
export function parseForce(text: string, before: Force, risks: readonly RiskCode[]): Force {
  const accepts = text.split(',').map((word) => {
    const code = riskNamed(word.trim());
    if (code !== undefined && risks.includes(code)) return code;
    const names = risks.map(riskName);
    const near = didYouMean(word, names);
    throw new InvalidArgumentError(
      `There is no risk "${word}"${near === undefined ? '' : `: ${near}`} These can be accepted: ${names.join(', ')}. The name of an instance goes before --force.`,
    );
  });
  return { ...before, accepts: [...new Set([...before.accepts, ...accepts])] };
}

/** What was typed, with these risks instead of every `--force` in it: ready to be typed again. */
export function forced(typed: readonly string[], accepts: readonly RiskCode[]): string {
  const rest = typed.filter((word, index) => {
    const before = typed[index - 1];
    return !/^--force(=|$)/.test(word) && !(before === '--force' && !word.startsWith('-'));
  });
  return `${commandLine(['failover', ...rest])} ${forceOption(accepts)}`;
}

/** Asks about each risk; the first one that is not accepted ends the command. */
export async function askAboutRisks(
  risks: readonly (Refusal & { readonly risk: RiskCode })[],
  { signal, styles, redact }: { signal: AbortSignal; styles: Palette; redact: (text: string) => string },
): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    for (const { risk, message, details } of risks) {
      const said = [`${styles.strong(riskName(risk))}: ${message}`, ...details.map((one) => `  ${one}`)];
      process.stderr.write(redact(`${said.join('\n')}\n`));
      const answer = await terminal.question(`  Accept that ${RISKS[risk]}? [y/N] `, { signal });
      if (!/^y(es)?$/i.test(answer.trim())) throw new UserError('nothing was done');
    }
  } finally {
    terminal.close();
  }
}
