import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import { type RollRecord, stateOf } from '../../site/roll/record.ts';
import type { RollSurvey } from '../../site/roll/survey.ts';

// What earlier rolls have left undone. Records are those of the journal, the newest first.

/** The roll of that purpose to go on with; undefined when the last one has ended, or a later one was on its hosts. */
export function unfinished(records: readonly RollRecord[], purpose: string): RollRecord | undefined {
  const index = records.findIndex((one) => one.purpose === purpose);
  const last = records[index];
  if (last === undefined || last.outcome === 'done') return undefined;
  return records.slice(0, index).some((later) => sharesHosts(later, last)) ? undefined : last;
}

/** The same; rejects when there is none, with the name of the one that is meant. */
export function resumable(
  records: readonly RollRecord[],
  purpose: string,
  howTo: (record: RollRecord) => string,
): RollRecord {
  const found = unfinished(records, purpose);
  if (found !== undefined) return found;
  const other = records.find((one) => unfinished(records, one.purpose) === one);
  if (other !== undefined) {
    throw new UserError({
      message: `the roll that was stopped is "${other.purpose}", not "${purpose}"`,
      hint: howTo(other),
    });
  }
  const index = records.findIndex((one) => one.purpose === purpose);
  const last = records[index];
  const later = last && records.slice(0, index).find((one) => sharesHosts(one, last));
  throw new UserError(
    last === undefined || last.outcome === 'done' || later === undefined
      ? {
          message: 'there is nothing to resume: the last roll has ended',
          hint: 'see `provision history`',
        }
      : {
          message: `"${purpose}" cannot be resumed: "${later.purpose}" has worked on the same hosts since`,
          hint: 'begin it anew, without --resume',
        },
  );
}

/** Hosts that a roll has taken out of service, or was about to, and that none has finished since. */
export function begunBy(records: readonly RollRecord[]): ReadonlyMap<string, RollRecord> {
  const last = new Map<string, RollRecord>();
  for (const record of records)
    for (const host of touched(record)) if (!last.has(host)) last.set(host, record);
  return new Map([...last].filter(([host, record]) => stateOf(record).begun.has(host)));
}

/** Those of them that are out of service now. */
export function abandoned(
  records: readonly RollRecord[],
  { servers, balancers }: RollSurvey,
): ReadonlyMap<string, RollRecord> {
  const out = new Set([
    ...servers.filter(({ drained }) => drained !== undefined).map(({ host }) => host),
    ...balancers.filter(({ yields }) => yields).map(({ host }) => host),
  ]);
  return new Map([...begunBy(records)].filter(([host]) => out.has(host)));
}

/** A host that a roll left out of service is finished by that roll, or put back, before another begins. */
export function leftOut(
  left: ReadonlyMap<string, RollRecord>,
  records: readonly RollRecord[],
  balancers: ReadonlySet<string>,
  howTo: (record: RollRecord) => string,
): UserError {
  const problems = [...new Set(left.values())].map((record) => {
    const hosts = [...left].filter(([, by]) => by === record).map(([host]) => host);
    const back = hosts.map((host) =>
      balancers.has(host) ? `provision handover ${host} --stay` : `provision undrain ${host}`,
    );
    const goOn = unfinished(records, record.purpose) === record ? `go on with it: ${howTo(record)}; or ` : '';
    return {
      message: `"${record.purpose}" by ${record.who} has left ${listed(hosts)} out of service`,
      hint: `${goOn}put it back as it is: ${back.join(', ')}`,
    };
  });
  return new UserError(problems, { exitCode: EXIT.failed });
}

function sharesHosts(one: RollRecord, other: RollRecord): boolean {
  const theirs = touched(other);
  return [...touched(one)].some((host) => theirs.has(host));
}

function touched({ hosts }: RollRecord): ReadonlySet<string> {
  return new Set(hosts.filter(({ state }) => state !== 'waiting').map(({ name }) => name));
}
