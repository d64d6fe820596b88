import type { BalancerState, PageState } from './state.ts';
import type { Mark } from './mark.ts';
import { counted } from './text.ts';

/** One of the site's addresses, and which balancer has it. */
export interface AddressView {
  readonly address: string;
  readonly holders: readonly string[];
  readonly mark: Mark;
}

export interface BalancerView {
  readonly name: string;
  readonly holds: readonly string[];
  readonly mark: Mark;
  /** `12 requests` that it passes on. */
  readonly load: string | undefined;
}

/** A server with what it does for the site. */
export interface ServerView {
  readonly name: string;
  /** As the balancers see it; undefined where it answers no requests, or no balancer is near. */
  readonly requests: Mark | undefined;
  /** `12 requests` that it works on. */
  readonly load: string | undefined;
  readonly instances: readonly { readonly name: string; readonly mark: Mark }[];
}

export interface DrainedView {
  readonly server: string;
  readonly text: string;
  readonly since: number;
  /** A roll has taken it out. */
  readonly isRoll: boolean;
}

/** The stack from its visitors down to its servers. */
export interface StackView {
  readonly addresses: readonly AddressView[];
  readonly balancers: readonly BalancerView[];
  readonly servers: readonly ServerView[];
  readonly drained: readonly DrainedView[];
}

export function stackView({ balancers, databases, drained }: PageState): StackView {
  return {
    addresses: addressesOf(balancers),
    balancers: balancers.map(balancerView),
    servers: serverNames(balancers, databases).map((name) => ({
      name,
      ...requestsOf(name, balancers),
      instances: databases.flatMap(({ status }) =>
        (status?.instances ?? [])
          .filter(({ host }) => host === name)
          .map((instance) => ({
            name: instance.name,
            mark: {
              tone: instance.reachable ? ('good' as const) : ('critical' as const),
              text: instance.reachable ? (instance.role === 'unknown' ? 'alone' : instance.role) : 'silent',
            },
          })),
      ),
    })),
    drained: drained.map(({ server, by, since, reason }) => ({
      server,
      text: `${reason} (${by})`,
      since,
      isRoll: isRoll(reason),
    })),
  };
}

/** What a roll notes with a server is what it was called with. */
function isRoll(reason: string): boolean {
  return /^(roll|upgrade|reboot|deploy|rollback)\b/.test(reason);
}

function addressesOf(balancers: readonly BalancerState[]): readonly AddressView[] {
  const addresses = [...new Set(balancers.flatMap((one) => one.addresses.map(({ address }) => address)))];
  return addresses.map((address) => {
    const said = balancers.flatMap(({ name, addresses: all }) =>
      all.filter((one) => one.address === address).map(({ held }) => ({ name, held })),
    );
    const holders = said.filter(({ held }) => held === true).map(({ name }) => name);
    const [holder] = holders;
    if (holders.length > 1)
      return { address, holders, mark: { tone: 'critical', text: `on ${holders.join(' and ')}` } };
    if (holder !== undefined) return { address, holders, mark: { tone: 'good', text: `on ${holder}` } };
    // Who did not say may have it.
    return said.some(({ held }) => held === null)
      ? { address, holders, mark: { tone: 'unknown', text: 'where is not known' } }
      : { address, holders, mark: { tone: 'critical', text: 'on no balancer' } };
  });
}

function balancerView({ name, silence, addresses, servers }: BalancerState): BalancerView {
  const holds = addresses.filter(({ held }) => held === true).map(({ address }) => address);
  if (silence !== null) return { name, holds, mark: { tone: 'critical', text: 'silent' }, load: undefined };
  const asked = servers.filter(({ part }) => part === 'requests');
  if (asked.length === 0)
    return { name, holds, mark: { tone: 'unknown', text: 'is being asked' }, load: undefined };
  const text = holds.length === 0 ? 'stands by' : 'takes visitors';
  return { name, holds, mark: { tone: 'good', text }, load: loadOf(asked) };
}

function loadOf(servers: readonly { readonly current: number }[]): string {
  return counted(
    servers.reduce((sum, { current }) => sum + current, 0),
    'request',
  );
}

function serverNames(
  balancers: readonly BalancerState[],
  databases: PageState['databases'],
): readonly string[] {
  return [
    ...new Set([
      ...balancers.flatMap(({ servers }) =>
        servers.filter(({ part }) => part === 'requests').map(({ name }) => name),
      ),
      ...databases.flatMap(({ status }) => (status?.instances ?? []).map(({ host }) => host)),
    ]),
  ].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** A server as all balancers that answer see it. */
function requestsOf(
  name: string,
  balancers: readonly BalancerState[],
): Pick<ServerView, 'requests' | 'load'> {
  const seen = balancers.flatMap((balancer) =>
    balancer.servers
      .filter((server) => server.part === 'requests' && server.name === name)
      .map((server) => ({ ...server, balancer: balancer.name })),
  );
  if (seen.length === 0) return { requests: undefined, load: undefined };
  const load = loadOf(seen);
  const out = seen.filter(({ isOut }) => isOut);
  const failing = seen.filter(({ passes }) => !passes);
  const at = (some: typeof seen): string =>
    some.length === seen.length ? '' : ` at ${some.map(({ balancer }) => balancer).join(', ')}`;
  if (out.length > 0) return { requests: { tone: 'notice', text: `drained${at(out)}` }, load };
  if (failing.length > 0) {
    const tone = failing.length === seen.length ? 'critical' : 'warning';
    return { requests: { tone, text: `down${at(failing)}: ${failing[0]?.check ?? ''}` }, load };
  }
  return { requests: { tone: 'good', text: 'serves' }, load };
}

/** The picture in words, for who does not see it. */
export function stackInWords({ addresses, balancers, servers }: StackView): readonly string[] {
  return [
    ...addresses.map(({ address, mark }) => `Address ${address}: ${mark.text}.`),
    ...balancers.map(
      ({ name, mark, load }) => `Balancer ${name}: ${[mark.text, load].filter(Boolean).join(', ')}.`,
    ),
    ...servers.map(({ name, requests, load, instances }) => {
      const parts = [
        ...(requests === undefined ? [] : [[requests.text, load].filter(Boolean).join(', ')]),
        ...instances.map((instance) => `${instance.name} ${instance.mark.text}`),
      ];
      return `Server ${name}: ${parts.join('; ')}.`;
    }),
  ];
}
