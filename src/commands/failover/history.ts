import { Command, InvalidArgumentError } from 'commander';

import type { JournalEntry } from '../../failover/coordination/records.ts';
import { historyJson } from '../../failover/output/json.ts';
import { palette, type Palette, wantsColour } from '../../report/palette.ts';
import type { CommandContext } from '../context.ts';
import { stepLine } from './step-line.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { withCoordination } from './session.ts';
import { clock } from '../../report/text.ts';

interface HistoryOptions {
  readonly number: number;
  readonly steps?: true;
  readonly json?: true;
}

/** `failover history`: the journal of changes. */
export function historyCommand(_context: CommandContext): Command {
  const command = new Command('history').description('show the changes of topology, the newest first');
  addClusterOptions(command)
    .option('--number <count>', 'how many', parseCount, 10)
    .option('--steps', 'each step with its time, and what each instance had before')
    .option('--json', 'one JSON object a line');
  addExamples(command, [
    ['failover history', 'who, when, why, and how it ended'],
    ['failover history --number 1 --steps', 'the last one in full'],
  ]);
  return command.action(async () => {
    const options = command.opts<HistoryOptions>();
    await withCoordination(clusterChoice(command), async (coordination, cluster) => {
      const entries = await coordination.history(options.number);
      const styles = palette(wantsColour(process.stdout, process.env));
      if (options.json) {
        for (const entry of entries) process.stdout.write(`${JSON.stringify(historyJson(entry))}\n`);
      } else if (entries.length === 0) process.stdout.write(`${cluster.name}: nothing has happened yet\n`);
      else
        for (const entry of entries) process.stdout.write(entryText(entry, options.steps ?? false, styles));
    });
  });
}

function entryText(entry: JournalEntry, withSteps: boolean, styles: Palette): string {
  const paint = {
    done: styles.ok,
    undone: styles.changed,
    failed: styles.failed,
    running: styles.changed,
  }[entry.outcome];
  const change = entry.from === undefined ? entry.to : `${entry.from} → ${entry.to}`;
  const lines = [
    `${clock(entry.at)}  ${styles.strong(entry.kind)} ${change}  ${paint(entry.outcome)} in ${entry.ms} ms` +
      `  ${entry.who}: ${entry.reason}  ${styles.quiet(`epoch ${entry.epoch}`)}`,
  ];
  if (entry.attempts !== undefined) lines.push(`    the last of ${entry.attempts} attempts in a row`);
  if (entry.message !== undefined) lines.push(`    ${entry.message}`);
  if (entry.accepted !== undefined) lines.push(`    accepted: ${entry.accepted.join(', ')}`);
  if (entry.lostGtids !== '') lines.push(`    ${styles.failed(`lost: ${entry.lostGtids}`)}`);
  if (withSteps) {
    for (const { name, instance, status, ms, message } of entry.steps) {
      lines.push(`  ${stepLine({ name, instance, status, ms, message }, styles)}`);
    }
    for (const [name, gtids] of Object.entries(entry.gtids)) {
      lines.push(`    ${styles.quiet(`${name} had ${gtids}`)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 500) {
    throw new InvalidArgumentError('It is a whole number from 1 to 500.');
  }
  return count;
}
