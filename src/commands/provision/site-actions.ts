import { unreachable, UserError } from '../../lib/errors.ts';
import type { Dict } from '../../lib/value.ts';
import type { SiteActions } from '../../run/host/site-actions.ts';
import { poolsOf, undrain } from '../../site/drain.ts';
import type { SiteRequest } from '../../steps/step.ts';
import { operatorName } from '../failover/options.ts';
import { type Carried, drainHost, endDowntimes, isPrimary } from './drain-host.ts';
import { leftText } from './drain-text.ts';
import { switchOver, takeOver } from './roll-switchover.ts';
import { type SiteSession, withSite } from './site-session.ts';

/** How a playbook moves the service of the site in its own inventory. */
export function siteActions(choice: {
  readonly inventory: string;
  readonly extraVariables: Dict;
}): SiteActions {
  return async (ask, timeoutMs) => {
    const host = 'host' in ask ? ask.host : 'to' in ask ? ask.to : ask.awayFrom;
    return await withSite({ ...choice, host }, async (site) => await answer(site, ask, timeoutMs));
  };
}

async function answer(
  site: SiteSession,
  ask: SiteRequest,
  timeoutMs: number,
): Promise<{ readonly changed: boolean; readonly message: string }> {
  const { database, balancers, find } = site;
  const signal = AbortSignal.timeout(timeoutMs + 60_000);
  switch (ask.verb) {
    case 'drain': {
      const { host, instance } = find(ask.host);
      const carried = carriedBy(site, instance);
      if (instance !== undefined && (await isPrimary(database, instance.name))) {
        if (!ask.switchover) {
          throw new UserError({
            message: `${host} carries ${instance.name}, which is the primary`,
            hint: '`switchover: true` makes another instance the primary first',
          });
        }
        await moveAway(site, instance.name, ask.reason, signal);
      }
      const drained = { by: operatorName(), since: Date.now(), reason: ask.reason };
      const { evenTheLast } = ask;
      const outcome = await drainHost(balancers, host, carried, drained, {
        timeoutMs,
        signal,
        evenTheLast,
        progress: () => {},
      });
      if (outcome.requests.length > 0)
        throw new UserError(`${host} gets nothing new, and ${leftText(outcome.requests)} still`);
      return outcome.before === undefined
        ? { changed: true, message: `${host} is out of service` }
        : { changed: false, message: `${host} was out of service already, by ${outcome.before.by}` };
    }
    case 'undrain': {
      const { host, instance } = find(ask.host);
      const wasOut = (await poolsOf(balancers)).some((pool) => pool.drained.has(host));
      await undrain(balancers, host, { timeoutMs, signal, unchecked: false });
      await endDowntimes(carriedBy(site, instance));
      return { changed: wasOut, message: `${host} is in service` };
    }
    case 'switchover': {
      const name = 'to' in ask ? ask.to : ask.awayFrom;
      const { host, instance } = find(name);
      if (instance === undefined) return { changed: false, message: `${host} carries no instance` };
      const isIt = await isPrimary(database, instance.name);
      if ('to' in ask) {
        if (isIt) return { changed: false, message: `${instance.name} is the primary` };
        return { changed: true, message: await takeOver(database, instance.name, ask.reason, signal) };
      }
      if (!isIt) return { changed: false, message: `${instance.name} is not the primary` };
      return { changed: true, message: await moveAway(site, instance.name, ask.reason, signal) };
    }
    default:
      return unreachable(ask);
  }
}

function carriedBy({ database }: SiteSession, instance: Carried['instance'] | undefined): readonly Carried[] {
  return instance === undefined ? [] : [{ database, instance }];
}

async function moveAway(
  { database }: SiteSession,
  from: string,
  reason: string,
  signal: AbortSignal,
): Promise<string> {
  const host = database.cluster.instances.find(({ name }) => name === from)?.host ?? '';
  return await switchOver(database, { from, host, among: [] }, reason, signal);
}
