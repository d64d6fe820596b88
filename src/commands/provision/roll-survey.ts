import { readFileSync } from 'node:fs';

import { primaryOf, type PrimaryView } from '../../failover/cluster/primary.ts';
import { surveyOf } from '../../failover/cluster/survey-of.ts';
import type { Instance, Topology } from '../../failover/cluster/topology.ts';
import type { FailoverSettings } from '../../failover/cluster/cluster.ts';
import { EMPTY_MEMORY } from '../../failover/coordination/empty-memory.ts';
import { etcdHealth } from '../../failover/coordination/etcd-health.ts';
import { primaryNames } from '../../failover/output/json.ts';
import { observe } from '../../failover/reach/observe.ts';
import { poll } from '../../lib/async.ts';
import { UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import type { AddressBalancer } from '../../site/address.ts';
import { heldBy } from '../../site/address-status.ts';
import { MissingProgram } from '../../site/balancer-program.ts';
import type { SiteBalancer } from '../../site/balancer.ts';
import type { Pool } from '../../site/pool.ts';
import type {
  BalancerView,
  DatabaseView,
  InstanceView,
  MemberView,
  RollSurvey,
  ServerView,
} from '../../site/roll/survey.ts';
import type { Session } from '../failover/session.ts';
import type { WholeSite } from './site-session.ts';

const HEALTH_TIMEOUT_MS = 2000;
const FIRST_MS = 5000;
const FIRST_EVERY_MS = 300;

/**
 * Reads the whole site at once. Rejects when no balancer answers, since it is not known then who serves, and when one was
 * provisioned by an older release.
 */
export async function surveySite(site: WholeSite): Promise<RollSurvey> {
  const [balancers, databases, store] = await Promise.all([
    Promise.all(
      site.balancers.map(
        async (balancer, index) => await balancerAnswer(balancer, site.addressBalancers[index]),
      ),
    ),
    Promise.all(site.databases.map(databaseView)),
    storeView(site),
  ]);
  const pools = balancers.flatMap(({ pool }) => pool ?? []);
  if (pools.length === 0) {
    throw new UserError(
      balancers.map(({ view: { host, trouble } }) => ({
        message: `the balancer ${host}: ${trouble ?? 'silent'}`,
      })),
    );
  }
  return {
    servers: serverViews(pools),
    balancers: balancers.map(({ view }) => view),
    databases,
    store,
  };
}

/** The first look at a site: ways to it are only being opened, so what seems silent is asked again for a while. */
export async function firstSurvey(site: WholeSite): Promise<RollSurvey> {
  let survey = await surveySite(site);
  await poll(
    async () => {
      if (survey.databases.every(isCalm)) return true;
      survey = await surveySite(site);
      return undefined;
    },
    { everyMs: FIRST_EVERY_MS, withinMs: FIRST_MS },
  );
  return survey;
}

function isCalm({ trouble, instances }: DatabaseView): boolean {
  return trouble === undefined && instances.every((one) => one.trouble === undefined);
}

interface BalancerAnswer {
  readonly view: BalancerView;
  readonly pool: Pool | undefined;
}

async function balancerAnswer(
  balancer: SiteBalancer,
  addresses: AddressBalancer | undefined,
): Promise<BalancerAnswer> {
  const said: string[] = [];
  const heard = async <T>(question: Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await question;
    } catch (error) {
      if (!(error instanceof UserError) || error instanceof MissingProgram) throw error;
      said.push(error.problems[0]?.message ?? error.message);
      return undefined;
    }
  };
  const [pool, status] = await Promise.all([heard(balancer.pool()), heard(addresses?.addresses())]);
  const view = {
    host: balancer.name,
    trouble: said[0],
    holds: status === undefined ? [] : heldBy(status),
    yields: status?.yields ?? false,
    longestFinish: status?.longestFinish,
  };
  return { view, pool };
}

/** Every host that a balancer sends requests to, with what keeps any of them from doing so. */
export function serverViews(pools: readonly Pool[]): readonly ServerView[] {
  const hosts = new Set(
    pools.flatMap(({ servers }) => servers.filter(({ part }) => part === 'requests').map(({ name }) => name)),
  );
  return [...hosts].map((host) => {
    const drained = pools.map((pool) => pool.drained.get(host)).find((one) => one !== undefined);
    const rows = pools.map(({ balancer, servers }) => ({
      balancer,
      row: servers.find(({ name, part }) => part === 'requests' && name === host),
    }));
    const trouble = rows
      .map(({ balancer, row }) => {
        if (row === undefined) return `${balancer} does not know it`;
        if (row.isOut) return drained === undefined ? `${balancer} has it out` : `drained by ${drained.by}`;
        return row.passes ? undefined : `${balancer} finds ${row.check}`;
      })
      .find((one) => one !== undefined);
    return { host, trouble, drained, requests: rows.reduce((sum, { row }) => sum + (row?.current ?? 0), 0) };
  });
}

async function databaseView(session: Session): Promise<DatabaseView> {
  let lost: string | undefined;
  const memory = session.ports.coordination.memory().catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    lost = error.problems[0]?.message;
    return EMPTY_MEMORY;
  });
  const topology = await observe(session.cluster, session.ports, { memory, withoutBalancers: true });
  return viewOf(topology, session.cluster.settings, lost);
}

/** What a topology says to a roll. `lost`: why the cluster's memory cannot be read. */
export function viewOf(topology: Topology, settings: FailoverSettings, lost?: string): DatabaseView {
  const { semiSync } = surveyOf(topology, settings);
  const view = primaryOf(topology);
  const [primary] = view.kind === 'writable' ? primaryNames(view) : [];
  return {
    cluster: topology.cluster,
    instances: topology.instances.map((one) => instanceView(one, one.spec.name === primary)),
    trouble: lost ?? troubleOf(topology, view),
    acksRequired: semiSync.wanted ? semiSync.required : 0,
    lagLimitSeconds: settings.lagLimitSeconds,
  };
}

function troubleOf({ cluster, memory }: Topology, view: PrimaryView): string | undefined {
  if (memory.unfinished !== undefined) return `${cluster}: a change of the primary is not finished`;
  switch (view.kind) {
    case 'writable':
      return undefined;
    case 'read-only':
      return `${cluster}: its primary ${view.primary.spec.name} takes no writes`;
    case 'several':
      return `${cluster}: ${listed(primaryNames(view))} may all be the primary`;
    case 'none':
      return `${cluster} has no primary`;
    default:
      return `${cluster}: its primary ${view.primary.spec.name} is ${view.kind}`;
  }
}

function instanceView(instance: Instance, isPrimary: boolean): InstanceView {
  const { name, host } = instance.spec;
  if (instance.kind === 'silent') {
    const { message } = instance.silence;
    return { name, host, isPrimary: false, trouble: message, lagSeconds: undefined, acknowledges: false };
  }
  const { replication, semiSync } = instance.state;
  const lag = replication?.lagSeconds;
  return {
    name,
    host,
    isPrimary,
    trouble: isPrimary ? undefined : replicaTrouble(replication),
    // What it is late by intention is no backlog.
    lagSeconds: lag === undefined ? undefined : Math.max(0, lag - (replication?.delaySeconds ?? 0)),
    acknowledges: semiSync.replica.active && replication?.receiver === 'on',
  };
}

type Replication = Extract<Instance, { kind: 'answering' }>['state']['replication'];

function replicaTrouble(replication: Replication): string | undefined {
  if (replication === undefined) return 'it follows no source';
  const { receiver, applier, receiverError, applierError } = replication;
  if (applier === 'off') return `its applier has stopped${applierError ? `: ${applierError.message}` : ''}`;
  if (receiver === 'on') return undefined;
  const why = receiverError === undefined ? '' : `: ${receiverError.message}`;
  return receiver === 'off' ? `its receiver has stopped${why}` : `its receiver is connecting${why}`;
}

async function storeView({ databases }: WholeSite): Promise<readonly MemberView[]> {
  const keeping = databases.find(({ cluster }) => cluster.etcd.length > 0);
  if (keeping === undefined) return [];
  const { cluster, ports, storeHosts } = keeping;
  const health = await etcdHealth(cluster.etcd, {
    dial: ports.dial,
    ca: cluster.tls.ca === undefined ? undefined : readFileSync(cluster.tls.ca, 'utf8'),
    timeoutMs: HEALTH_TIMEOUT_MS,
  });
  return [...health].map(([endpoint, trouble]) => ({ host: storeHosts.get(endpoint) ?? endpoint, trouble }));
}
