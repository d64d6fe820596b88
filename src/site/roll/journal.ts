import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { makeDirectory, readIfThere, replaceFile } from '../../lib/durable.ts';
import { UserError } from '../../lib/errors.ts';
import { type RollRecord, rollRecordSchema } from './record.ts';

/** How many rolls are kept. */
const KEPT = 200;

/** Keeps each roll of an inventory in a file of its own. */
export interface RollJournal {
  /** Kept also when the power fails right afterwards. */
  write(record: RollRecord): void;
  /** The newest first. */
  list(limit?: number): readonly RollRecord[];
}

/** Below the directory of an inventory, where its lock is, too. */
export function rollJournal(inventoryDirectory: string): RollJournal {
  const directory = join(inventoryDirectory, '.understudy', 'rolls');
  const fileOf = (id: string): string => join(directory, `${id}.json`);
  const ids = (): readonly string[] => {
    makeDirectory(directory);
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .sort()
      .reverse();
  };
  return {
    write(record) {
      makeDirectory(directory);
      replaceFile(fileOf(record.id), `${JSON.stringify(record)}\n`);
      for (const id of ids().slice(KEPT)) rmSync(fileOf(id), { force: true });
    },
    list: (limit = KEPT) =>
      ids()
        .slice(0, limit)
        .map((id) => read(fileOf(id))),
  };
}

function read(file: string): RollRecord {
  const text = readIfThere(file) ?? '';
  try {
    return rollRecordSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(
      {
        message: `${file}: expected the record of a roll: ${(error as Error).message.split('\n')[0] ?? ''}`,
        hint: 'a newer release may have written it; otherwise move it away',
      },
      { cause: error },
    );
  }
}
