import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import type { RollJournal } from '../../site/roll/journal.ts';
import { type RollRecord, stateOf } from '../../site/roll/record.ts';
import type { RollSurvey } from '../../site/roll/survey.ts';

/** The last roll, when it has not come to its end. */
export function lastUnfinished(journal: RollJournal): RollRecord | undefined {
  const [last] = journal.list(1);
  return last?.outcome === 'done' ? undefined : last;
}

/** The roll to go on with; rejects when there is none, or it is another one. */
export function resumable(last: RollRecord | undefined, purpose: string): RollRecord {
  if (last === undefined) {
    throw new UserError({
      message: 'there is nothing to resume: the last roll has ended',
      hint: 'see `provision history`',
    });
  }
  if (last.purpose === purpose) return last;
  throw new UserError({
    message: `the roll that was stopped is "${last.purpose}", not "${purpose}"`,
    hint: `provision ${last.purpose} --resume`,
  });
}

/** A host that a roll left out of service is finished by that roll, or put back, before another begins. */
export function leftOut(last: RollRecord, hosts: readonly string[]): UserError {
  return new UserError(
    {
      message: `"${last.purpose}" by ${last.who} has left ${listed(hosts)} out of service`,
      hint: `go on with it: provision ${last.purpose} --resume; or put it back as it is: provision undrain ${hosts[0] ?? ''}`,
    },
    { exitCode: EXIT.failed },
  );
}

/** The hosts that a roll has left out of service. */
export function abandoned(last: RollRecord, { servers }: RollSurvey): readonly string[] {
  const begun = stateOf(last).begun;
  return servers
    .filter(({ host, drained }) => drained !== undefined && begun.has(host))
    .map(({ host }) => host);
}
