import { EXIT, UserError } from '../lib/errors.ts';

/** One of the site's addresses, as one balancer sees it. */
export interface SiteAddress {
  readonly address: string;
  /** It is on the front interface, so that the network's packets for it come here. */
  readonly held: boolean;
  /** Where packets of connections that are unknown here are passed, and for how much longer. */
  readonly passes: readonly { readonly peer: string; readonly seconds: number }[];
}

/** What one balancer says of the site's addresses. */
export interface AddressStatus {
  readonly balancer: string;
  readonly addresses: readonly SiteAddress[];
  /** Another balancer that works shall hold them. */
  readonly yields: boolean;
  /** How many seconds connections may take at most once it holds nothing; undefined: it does not say. */
  readonly longestFinish: number | undefined;
  /** Connections of clients that are open there, whoever holds the address. */
  readonly connections: number;
  /** Some of them: state, local and remote address as `ss` says it. */
  readonly open: readonly string[];
}

/** The addresses that a balancer holds. */
export function heldBy({ addresses }: AddressStatus): readonly string[] {
  return addresses.filter(({ held }) => held).map(({ address }) => address);
}

/** Reads what `vip-handover` prints; see playbooks/roles/keepalived/templates/vip-handover.j2. */
export function parseAddressStatus(balancer: string, text: string): AddressStatus {
  const lines = text.split('\n').filter((line) => line !== '');
  const all = (pattern: RegExp): readonly RegExpExecArray[] =>
    lines.map((line) => pattern.exec(line)).filter((match) => match !== null);
  const passes = all(/^passes (\S+) (\S+) (\d+)$/);
  const addresses = all(/^address (\S+) (held|free)$/).map(([, address = '', state]) => ({
    address,
    held: state === 'held',
    passes: passes
      .filter(([, passed]) => passed === address)
      .map(([, , peer = '', seconds]) => ({ peer, seconds: Number(seconds) })),
  }));
  const [yields] = all(/^(yields|stays)$/);
  const [longest] = all(/^finishes (\d+)$/);
  const [connections] = all(/^connections (\d+)$/);
  if (addresses.length === 0 || yields === undefined || connections === undefined) {
    throw new UserError(
      {
        message: `${balancer}: expected what vip-handover says of the site's addresses; found '${text.slice(0, 200)}'`,
        hint: '`provision up` brings the balancers up to date',
      },
      { exitCode: EXIT.failed },
    );
  }
  return {
    balancer,
    addresses,
    yields: yields[1] === 'yields',
    longestFinish: longest === undefined ? undefined : Number(longest[1]),
    connections: Number(connections[1]),
    open: all(/^open (.+)$/).map(([, line = '']) => line),
  };
}
