import { z } from 'zod';

// Which releases of the app are kept beside an inventory, which one the servers shall serve, and what was done.
//
// Invariant: `current` is what every server serves, or served before what is unfinished began: `provision up` may put it
// onto any of them at any time. So it changes only when the last server has come back with another one.

const time = z.int().nonnegative().describe('milliseconds since 1970');

const originSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('git'),
    ref: z.string().describe('as it was given: a branch, a tag or a commit'),
    commit: z.string(),
  }),
  z.strictObject({ kind: z.literal('folder'), path: z.string() }),
  z.strictObject({ kind: z.literal('site') }).describe('the app that came with the playbooks'),
]);

const releaseSchema = z.strictObject({
  name: z.string(),
  digest: z.string().describe('of its files, with their names and modes: SHA-256'),
  from: originSchema,
  by: z.string().describe('who made it'),
  at: time,
  before: z.string().nullable().describe('the release that was current when this one was deployed'),
});

const kind = z.enum(['deploy', 'rollback']);
const unfinishedSchema = z.strictObject({
  kind,
  release: z.string(),
  by: z.string(),
  at: time,
  migrated: z.boolean().describe('the migration of the database is done'),
});
const doneSchema = z.strictObject({
  kind,
  release: z.string(),
  by: z.string(),
  at: time,
  endedAt: time.nullable(),
  outcome: z
    .enum(['running', 'done', 'replaced'])
    .describe('`replaced`: another deploy or rollback began before its end'),
});

/** What `releases.json` holds. The role `app` reads `current` and the names of `releases`. */
export const recordSchema = z.strictObject({
  version: z.literal(1),
  current: z.string().nullable().describe('what `provision up` puts onto the servers'),
  previous: z.string().nullable().describe('what `provision rollback` goes back to'),
  unfinished: unfinishedSchema
    .nullable()
    .describe('a deploy or a rollback that has not come to its end, or runs now'),
  releases: z.array(releaseSchema).describe('the kept ones; the one that was deployed last is the last'),
  history: z.array(doneSchema).describe('the newest is the last'),
});

export type ReleaseRecord = z.infer<typeof recordSchema>;
export type Release = ReleaseRecord['releases'][number];
export type Origin = Release['from'];
export type ChangeKind = z.infer<typeof kind>;
export interface Change {
  readonly kind: ChangeKind;
  readonly release: string;
  readonly by: string;
  readonly at: number;
}

const HISTORY_KEPT = 100;

/** Before anything was deployed: what came with the playbooks is served. */
export function firstRecord(release: Release): ReleaseRecord {
  return {
    version: 1,
    current: release.name,
    previous: null,
    unfinished: null,
    releases: [release],
    history: [],
  };
}

export function releaseIn(record: ReleaseRecord, name: string | null): Release | undefined {
  return record.releases.find((one) => one.name === name);
}

export function withRelease(record: ReleaseRecord, release: Release): ReleaseRecord {
  const others = record.releases.filter(({ name }) => name !== release.name);
  return { ...record, releases: [...others, release] };
}

/** A deploy or a rollback begins, or goes on when the unfinished one is the same. */
export function begun(record: ReleaseRecord, change: Change, goesOn: boolean): ReleaseRecord {
  const { kind, release, by, at } = change;
  const before = record.unfinished;
  if (goesOn && before?.kind === kind && before.release === release) return record;
  const history = record.history.map((one) =>
    one.outcome === 'running' ? { ...one, endedAt: at, outcome: 'replaced' as const } : one,
  );
  return {
    ...record,
    unfinished: { kind, release, by, at, migrated: false },
    history: [...history, { kind, release, by, at, endedAt: null, outcome: 'running' as const }].slice(
      -HISTORY_KEPT,
    ),
  };
}

export function migrated(record: ReleaseRecord): ReleaseRecord {
  return record.unfinished === null
    ? record
    : { ...record, unfinished: { ...record.unfinished, migrated: true } };
}

/** What was unfinished is served by every server. */
export function finished(record: ReleaseRecord, at: number): ReleaseRecord {
  const { unfinished, current } = record;
  const release = releaseIn(record, unfinished?.release ?? null);
  if (unfinished === null || release === undefined) return record;
  const isNew = release.name !== current;
  const before = unfinished.kind === 'deploy' && isNew ? current : release.before;
  return {
    ...withRelease(record, { ...release, before }),
    current: release.name,
    // After a rollback, the one before that: twice back is two releases back, and not where it came from.
    previous: isNew ? (releaseIn(record, before)?.name ?? null) : record.previous,
    unfinished: null,
    history: record.history.map((one) =>
      one.outcome === 'running' ? { ...one, endedAt: at, outcome: 'done' as const } : one,
    ),
  };
}

function wasServed({ history }: ReleaseRecord, { name, from }: Release): boolean {
  return from.kind === 'site' || history.some((one) => one.release === name && one.outcome === 'done');
}

/** Forgets all but the `most` releases that were deployed last; the current, the previous and an unfinished one stay. */
export function pruned(
  record: ReleaseRecord,
  most: number,
): { readonly record: ReleaseRecord; readonly forgotten: readonly string[] } {
  const { current, previous, unfinished } = record;
  const kept = new Set<string>(
    [current, previous, unfinished?.release ?? null].filter((name) => name !== null),
  );
  // One that never got as far as being served is nothing to go back to, and goes first.
  const newest = [...record.releases].reverse();
  for (const { name } of [...newest.filter((one) => wasServed(record, one)), ...newest])
    if (kept.size < most) kept.add(name);
  const forgotten = record.releases.filter(({ name }) => !kept.has(name)).map(({ name }) => name);
  return { record: { ...record, releases: record.releases.filter(({ name }) => kept.has(name)) }, forgotten };
}
