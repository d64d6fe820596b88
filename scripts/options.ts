import { Command } from 'commander';

/** A script of package.json as its user calls it: with `--help`, examples, and words instead of a stack for a wrong option. */
export function scriptCommand(
  name: string,
  description: string,
  examples: readonly (readonly [command: string, what: string])[],
): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  return new Command(`npm run ${name} --`)
    .description(description)
    .helpOption('-h, --help', 'show this')
    .showHelpAfterError(`  hint: npm run ${name} -- --help shows the options`)
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      ['', 'Examples:', ...examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`)].join('\n'),
    );
}
