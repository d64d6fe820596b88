import type { DrillSite } from '../../../src/commands/failover/drill-site.ts';
import type { Stage } from '../../../src/failover/drill/exercise.ts';
import { primaryName } from '../../../src/failover/drill/look.ts';
import type { Tool } from '../../../src/failover/drill/tool.ts';
import type { Random } from '../random.ts';

/** One fault or mishap of an operator, and how it is taken back. */
export interface Round {
  readonly kind: string;
  /** How often the primary may change: each command and the watch once, and once more to finish or take back. */
  readonly changes: number;
  /** No write needs to be accepted before the fault is over. */
  readonly mayStandStill?: boolean;
  /** What is done before anybody writes; the primary may change. */
  prepare?(): Promise<void>;
  /** A primary whose promotion needs the watch's leave: somebody acknowledges before. */
  act(stage: Stage): Promise<void>;
  heal(): Promise<void>;
  /** Undoes `prepare`, when the cluster is whole. */
  restore?(): Promise<void>;
}

/** What a round is made of. */
export interface Setting {
  readonly site: DrillSite;
  readonly failover: Tool;
  readonly primary: string;
  readonly replicas: readonly string[];
  readonly random: Random;
}

export type MakeRound = (setting: Setting) => Round;

/** Nothing is left to be ended. */
export const nothing = async (): Promise<void> => {};

/** Makes another one the primary, if this one is: stopping a replica disturbs nobody. */
export async function relieve({ site, failover }: Setting, instance: string): Promise<void> {
  if ((await primaryName(site)) !== instance) return;
  const to = site.instances.find((spec) => spec.name !== instance)?.name ?? '';
  const { status, stderr } = await failover('promote', to, '--yes');
  if (status !== 0) throw new Error(`promote ${to} ended with ${status}: ${stderr}`);
}

/** Whatever comes of it: a refusal is an answer, too. */
export async function promote({ failover }: Setting, to: string): Promise<void> {
  await failover('promote', to, '--yes', '--json');
}
