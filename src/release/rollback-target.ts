import { EXIT, UserError } from '../lib/errors.ts';
import { didYouMean } from '../lib/similar.ts';
import { releaseIn, type ReleaseRecord } from './record.ts';

/**
 * The release that a rollback puts back: the one that is named, else the one that an unfinished rollback was for, else
 * the one from before an unfinished deploy, else the one before the current one.
 */
export function rollbackTarget(record: ReleaseRecord | undefined, wanted: string | undefined): string {
  if (record === undefined) {
    throw new UserError(
      { message: 'nothing was deployed here', hint: '`provision deploy` keeps what it replaces' },
      { exitCode: EXIT.failed },
    );
  }
  const names = record.releases.map(({ name }) => name);
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    throw new UserError({
      message: `no release "${wanted}" is kept`,
      hint: didYouMean(wanted, names) ?? `there are ${names.join(', ')}`,
    });
  }
  const { unfinished, current, previous } = record;
  const target =
    unfinished === null ? previous : unfinished.kind === 'rollback' ? unfinished.release : current;
  if (target !== null && releaseIn(record, target) !== undefined) return target;
  throw new UserError(
    {
      message: `no release is known to have been there before ${current ?? 'this one'}`,
      hint: `name one: provision rollback RELEASE; kept are ${names.join(', ')}`,
    },
    { exitCode: EXIT.failed },
  );
}
