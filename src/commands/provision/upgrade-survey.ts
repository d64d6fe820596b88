import type { Inventory } from '../../inventory/inventory.ts';
import type { Dict } from '../../lib/value.ts';
import { EXIT, type Problem, UserError } from '../../lib/errors.ts';
import type { HostState } from '../../upgrade/host-state.ts';
import {
  ALL_PACKAGES,
  type HostWork,
  hostWork,
  meantPackages,
  onlyPackages,
  upgradable,
  type UpgradeWish,
} from '../../upgrade/host-work.ts';
import {
  bringsServer,
  removalRefusals,
  type RunningInstance,
  unknownPackages,
  versionRefusals,
} from '../../upgrade/refusals.ts';
import { type UpgradeHost, upgradeHost } from '../../upgrade/upgrade-host.ts';
import { look } from '../failover/session.ts';
import { type HostOutcome, onHosts } from './on-hosts.ts';
import { withWholeSite } from './site-session.ts';

/** What is known of one host before anything is done. */
export interface SurveyedHost {
  readonly state: HostState;
  readonly work: HostWork;
}

export interface SurveyChoice {
  readonly inventory: Inventory;
  /** As it was given. */
  readonly path: string;
  readonly extraVariables: Dict;
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
}

/** Asks all hosts at once what an upgrade would do; rejects with everything that speaks against it. */
export async function surveyUpgrade(
  choice: SurveyChoice,
  wish: UpgradeWish,
): Promise<ReadonlyMap<string, SurveyedHost>> {
  const outcomes = await onHosts(choice.inventory, choice.hosts, choice, async ({ connection, become }) => {
    const host = upgradeHost(connection, become, choice.signal);
    await host.refresh();
    return await surveyHost(host, wish);
  });
  const surveyed = valuesOf(outcomes);
  const problems = [
    ...failuresOf(outcomes),
    ...[...surveyed.values()].flatMap(({ refusals }) => refusals),
    ...unknownIn(wish, choice, surveyed),
    ...versionRefusals(
      [...surveyed.values()].map(({ work }) => work),
      await instancesOf(
        choice,
        [...surveyed.values()].map(({ work }) => work),
      ),
    ),
  ];
  if (problems.length > 0) throw new UserError(problems, { exitCode: exitCodeOf(outcomes) });
  return surveyed;
}

/** What hosts have and run, and which of them cannot be asked. */
export async function readStates(
  choice: SurveyChoice,
): Promise<{ readonly states: ReadonlyMap<string, HostState>; readonly problems: readonly Problem[] }> {
  const outcomes = await onHosts(
    choice.inventory,
    choice.hosts,
    choice,
    async ({ connection, become }) => await upgradeHost(connection, become, choice.signal).state(),
  );
  return { states: valuesOf(outcomes), problems: failuresOf(outcomes) };
}

interface Survey extends SurveyedHost {
  readonly refusals: readonly Problem[];
}

async function surveyHost(host: UpgradeHost, wish: UpgradeWish): Promise<Survey> {
  const state = await host.state();
  const all = await host.simulate(ALL_PACKAGES);
  const available = wish.securityOnly ? await host.available(upgradable(all)) : [];
  // What is to be upgraded alone may pull in less, or more, than it does among all others.
  const names = meantPackages(wish, state, all, available);
  const chosen =
    names === undefined ? all : names.length === 0 ? NOTHING : await host.simulate(onlyPackages(names));
  return {
    state,
    work: hostWork(host.name, wish, state, chosen, all),
    refusals: removalRefusals(host.name, chosen),
  };
}

const NOTHING = { installs: [], removes: [] };

function unknownIn(
  { packages = [] }: UpgradeWish,
  { hosts }: SurveyChoice,
  surveyed: ReadonlyMap<string, Survey>,
): readonly Problem[] {
  // A host that could not be asked may have it.
  if (surveyed.size < hosts.length) return [];
  return unknownPackages(
    packages,
    [...surveyed.values()].map(({ state }) => state.installed),
  );
}

/** The databases of the site, when a server of one is among the packages. */
async function instancesOf(
  { path, extraVariables }: SurveyChoice,
  works: readonly HostWork[],
): Promise<readonly RunningInstance[]> {
  if (!works.some(bringsServer)) return [];
  return await withWholeSite({ inventory: path, extraVariables }, async ({ databases }) => {
    const found = await Promise.all(
      databases.map(async (session) => {
        const { cluster, instances } = (await look(session)).topology;
        return instances.map((instance) => ({
          cluster,
          name: instance.spec.name,
          host: instance.spec.host,
          version: instance.kind === 'answering' ? instance.state.version : undefined,
        }));
      }),
    );
    return found.flat();
  });
}

function valuesOf<T>(outcomes: readonly HostOutcome<T>[]): ReadonlyMap<string, T> {
  return new Map(outcomes.flatMap((one) => (one.status === 'done' ? [[one.host, one.value] as const] : [])));
}

function failuresOf<T>(outcomes: readonly HostOutcome<T>[]): readonly Problem[] {
  return outcomes.flatMap((one) => (one.status === 'failed' ? one.error.problems : []));
}

function exitCodeOf<T>(outcomes: readonly HostOutcome<T>[]): (typeof EXIT)['failed' | 'unreachable'] {
  const isAway = outcomes.some((one) => one.status === 'failed' && one.error.exitCode === EXIT.unreachable);
  return isAway ? EXIT.unreachable : EXIT.failed;
}
