import type { FailoverSettings } from '../cluster/cluster.ts';
import type { ProblemOf } from '../cluster/problem.ts';
import { CONFIGURATION_ROWS } from './configuration.ts';
import { PRIMARY_ROWS } from './primary.ts';
import { REPLICA_ROWS } from './replicas.ts';
import type { Row } from './row.ts';
import { SURROUNDING_ROWS } from './surroundings.ts';
import { WRITE_ROWS } from './writes.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Topology } from '../cluster/topology.ts';

/** The tables, the most urgent kind first; the codes of all problems are derived from them. */
const ROWS = [
  ...PRIMARY_ROWS,
  ...WRITE_ROWS,
  ...REPLICA_ROWS,
  ...SURROUNDING_ROWS,
  ...CONFIGURATION_ROWS,
] as const;

export type ProblemCode = (typeof ROWS)[number]['code'];
export type Problem = ProblemOf<ProblemCode>;

/**
 * Every kind of problem, the most urgent first. Problems are reported and recovered in this order.
 * Binlog servers and pseudo-GTIDs are no part of a cluster that this tool builds, so nothing here is about them.
 */
export const PROBLEMS: readonly Row<ProblemCode>[] = ROWS;

/** The problems of a topology, the most urgent first, without those of instances in a downtime. */
export function problems(topology: Topology, settings: FailoverSettings): readonly Problem[] {
  return problemsOf(surveyOf(topology, settings));
}

/** The same, for whoever has surveyed the snapshot already. */
export function problemsOf(survey: Survey): readonly Problem[] {
  return PROBLEMS.flatMap((row) =>
    row
      .find(survey)
      .filter(
        ({ instance }) => row.evenInDowntime || instance === undefined || !survey.isInDowntime(instance),
      )
      .map((finding) => ({
        code: row.code,
        severity: row.severity,
        instance: finding.instance,
        message: finding.message,
        remedy: row.remedy(finding, survey),
        recovery: row.recovery,
      })),
  );
}
