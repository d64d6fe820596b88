import { existsSync, linkSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

import { UserError } from '../lib/errors.ts';
import { keepSecret, makePassword } from '../lib/keep-secret.ts';
import { replaceFile, syncDirectory } from '../lib/durable.ts';
import type { Stage } from './rotation.ts';

/** As the lookup in the playbooks' variables makes them. */
const LENGTH = 32;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Where a password stands in its rotation. An exchange that was cut off counts as not begun. */
export function stageOf(file: string): Stage {
  const present = readSecret(file);
  if (present === undefined) {
    throw new UserError({
      message: `there is no password in ${file}`,
      hint: '`provision up` makes it; run it with this inventory first',
    });
  }
  // Where an exchange was cut off, the present one is kept beside itself already.
  const [isComing, isGoing] = [`${file}.new`, `${file}.old`].map((other) => {
    const found = readSecret(other);
    return found !== undefined && found !== present;
  });
  if (!isComing) return isGoing ? 'going' : 'settled';
  if (!isGoing) return 'coming';
  throw new UserError({
    message: `${file} has another password beside it in .new, and a third one in .old`,
    hint: 'keep the one of them that the servers accept as the file itself, and remove the other two',
  });
}

/** The password in the file, and the one beside it that is accepted, too. */
export function passwordsIn(file: string): { readonly present: string; readonly second: string | undefined } {
  const present = readSecret(file) ?? '';
  const beside = [`${file}.new`, `${file}.old`].map(readSecret);
  return { present, second: beside.find((each) => each !== undefined && each !== present) };
}

/** Makes the password that comes. */
export function makeNext(file: string): void {
  written(file, () => keepSecret(`${file}.new`, makePassword(LENGTH, ALPHABET)));
}

/** What comes becomes the present one, which goes. Repeating it after it was cut off completes it. */
export function exchange(file: string): void {
  written(file, () => replace(file, `${file}.new`, `${file}.old`));
}

/** What goes becomes the present one again. */
export function exchangeBack(file: string): void {
  written(file, () => replace(file, `${file}.old`, `${file}.new`));
}

/** Leaves the present one alone. */
export function forgetOthers(file: string): void {
  written(file, () => {
    for (const other of [`${file}.new`, `${file}.old`]) rmSync(other, { force: true });
    syncDirectory(dirname(file));
  });
}

/** Keeps what is beside the present one with the time until which it counts. What faded before is worth nothing from now on. */
export function fade(file: string, until: Date): void {
  const { second } = passwordsIn(file);
  if (second === undefined) return;
  const line = `${second} ${Math.ceil(until.getTime() / 1000)}\n`;
  written(file, () => replaceFile(`${file}.before`, line, 0o600));
}

/** At every moment the file holds a password, and the one before is kept: so it is linked first, and then replaced. */
function replace(file: string, by: string, kept: string): void {
  rmSync(kept, { force: true });
  linkSync(file, kept);
  syncDirectory(dirname(file));
  renameSync(by, file);
  syncDirectory(dirname(file));
}

function written(file: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new UserError(
      { message: `${file} cannot be rotated: ${(error as Error).message}`, hint: 'is its directory yours?' },
      { cause: error },
    );
  }
}

function readSecret(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : undefined;
}
