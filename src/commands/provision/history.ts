import { Command, InvalidArgumentError } from 'commander';

import { loadInventory } from '../../inventory/load.ts';
import { UserError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/similar.ts';
import { palette, wantsColour } from '../../report/palette.ts';
import { rollDetails, rollLine } from '../../report/roll/history-text.ts';
import { recordLine } from '../../report/roll/json.ts';
import { rollJournal } from '../../site/roll/journal.ts';
import type { RollRecord } from '../../site/roll/record.ts';
import type { CommandContext } from '../context.ts';
import { addExamples, addInventoryOptions, inventoryOptions } from './options.ts';

interface HistoryFlags {
  readonly limit: number;
  readonly json?: true;
}

/** `provision history`: the rolls that were made of an inventory's hosts. */
export function historyCommand(_context: CommandContext): Command {
  const command = new Command('history')
    .description('show the rolls of the hosts, the newest first; one of them in full')
    .argument('[id]', 'a roll, or how its name begins');
  addInventoryOptions(command, { omit: 'limit' })
    .option('--limit <count>', 'how many', parseCount, 10)
    .option('--json', 'one JSON object a line');
  addExamples(command, [
    ['provision history', 'who, when, what, and how it ended'],
    ['provision history 20261129T02', 'when each host was in which phase, and how long out of service'],
    ['provision history --limit 1 --json', 'the last one for programs'],
  ]);
  return command.action((id: string | undefined) => {
    const { limit, json } = command.opts<HistoryFlags>();
    const journal = rollJournal(loadInventory(inventoryOptions(command).inventory).directory);
    const records = id === undefined ? journal.list(limit) : [chosen(journal.list(), id)];
    const styles = palette(wantsColour(process.stdout, process.env));
    const text =
      records.length === 0
        ? 'nothing was rolled yet\n'
        : id === undefined
          ? records.map((record) => `${rollLine(record, styles)}\n`).join('')
          : records.map((record) => `${rollDetails(record, Date.now(), styles)}\n`).join('');
    process.stdout.write(
      json ? records.map((record) => `${JSON.stringify(recordLine(record))}\n`).join('') : text,
    );
  });
}

/** The one roll of that name, or whose name begins so. */
function chosen(records: readonly RollRecord[], id: string): RollRecord {
  const exact = records.find((record) => record.id === id);
  const [first, ...others] = exact === undefined ? records.filter((one) => one.id.startsWith(id)) : [exact];
  if (first !== undefined && others.length === 0) return first;
  const names = records.map((record) => record.id);
  throw new UserError(
    first === undefined
      ? { message: `there is no roll "${id}"`, hint: didYouMean(id, names) ?? 'see `provision history`' }
      : {
          message: `the names of ${others.length + 1} rolls begin with "${id}"`,
          hint: [first, ...others].map((one) => one.id).join(', '),
        },
  );
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 500) {
    throw new InvalidArgumentError('It is a whole number from 1 to 500.');
  }
  return count;
}
