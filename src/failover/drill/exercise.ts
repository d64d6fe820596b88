import { setTimeout as wait } from 'node:timers/promises';

import { type Site, specOf } from './ground.ts';
import { nameOf, serverIdOf, type Violation, violations } from './invariants.ts';
import { primaryName } from './look.ts';
import { firstAfter, tally, type Write, type WriteTally } from './write.ts';
import { startWriter, type Writer } from './writer.ts';

/** One exercise: while writers write, a fault is injected; after the recovery the invariants are checked. */
export interface Exercise {
  /** How many writes a second, all writers together. */
  readonly perSecond?: number | undefined;
  /** The hosts with a writer; by default one app server that does not carry the primary. */
  readonly writerHosts?: readonly string[] | undefined;
  /** How long to write before and after. */
  readonly calmMs?: number | undefined;
  /** Injects the fault. The recovery is measured from its return, unless it marks another moment. */
  readonly act: (stage: Stage) => Promise<void>;
  /** Ends all faults and brings the cluster back, before the checks. */
  readonly restore: () => Promise<void>;
  /** How often the primary may change while the writers write. */
  readonly changes: number;
  /** How long after `act` another write must be accepted. */
  readonly limitMs?: number | undefined;
  /** How long the cluster may take to converge after `restore`. */
  readonly convergeMs?: number | undefined;
}

export interface Stage {
  readonly primary: string;
  readonly writers: readonly Writer[];
  /** The moment of the fault: recovery is measured from here. */
  mark(): void;
  /** Waits for an accepted write that was sent from now on. */
  accepted(limitMs?: number): Promise<Write>;
  /** Waits for a write that another instance than the primary accepted. */
  acceptedElsewhere(limitMs?: number): Promise<Write>;
}

export interface ExerciseReport {
  readonly from: string;
  readonly to: string;
  readonly tally: WriteTally;
  /** From the mark to the first accepted write that was sent after it. */
  readonly recoveredMs: number | undefined;
  readonly violations: readonly Violation[];
  readonly writes: readonly Write[];
}

const LIMIT_MS = 60_000;
/** A writer that is not stopped ends after this time. */
const WRITE_SECONDS = 1800;

export async function exercise(site: Site, plan: Exercise): Promise<ExerciseReport> {
  const from = await primaryName(site);
  const limitMs = plan.limitMs ?? LIMIT_MS;
  const hosts = plan.writerHosts ?? [
    site.instances.find((spec) => spec.name !== from)?.host ?? specOf(site, from).host,
  ];
  const calmMs = plan.calmMs ?? 1000;
  const perSecond = (plan.perSecond ?? 200) / hosts.length;
  const writers = await Promise.all(
    hosts.map((host, number) => startWriter(site, { host, number, perSecond, seconds: WRITE_SECONDS })),
  );
  let markedAt: number | undefined;
  const fromId = serverIdOf(specOf(site, from).address);
  try {
    await Promise.all(writers.map((writer) => writer.begun));
    await wait(calmMs);
    const any = async (moment: number, ms: number, notBy?: string): Promise<Write> =>
      await Promise.any(writers.map((writer) => writer.acknowledgedAfter(moment, ms, notBy))).catch(
        (error: AggregateError) => {
          throw (error.errors[0] as Error | undefined) ?? error;
        },
      );
    await plan.act({
      primary: from,
      writers,
      mark: () => {
        markedAt = Date.now();
      },
      accepted: async (ms = limitMs) => await any(Date.now(), ms),
      acceptedElsewhere: async (ms = limitMs) => await any(markedAt ?? Date.now(), ms, fromId),
    });
    await any(Date.now(), limitMs);
    await wait(calmMs);
  } finally {
    // No writer is left running, whatever failed.
    await Promise.all(writers.map((writer) => writer.stop()));
    await plan.restore();
  }
  const writes = writers.flatMap((writer) => writer.writes);
  const found = await violations(site, writes, {
    changes: plan.changes,
    withinMs: plan.convergeMs ?? 30_000,
  });
  const counted = tally(writes);
  const first = markedAt === undefined ? undefined : firstAfter(writes, markedAt, undefined);
  return {
    from,
    to: nameOf(site, counted.reigns.at(-1)?.by ?? ''),
    tally: counted,
    recoveredMs: first && markedAt !== undefined ? first.endedAt - markedAt : undefined,
    violations: found,
    writes,
  };
}
