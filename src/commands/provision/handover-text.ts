import { listed } from '../../lib/listed.ts';
import { type AddressStatus, heldBy } from '../../site/address-status.ts';

/** `no connection is open`, `1 connection is open`, `3 connections are open`. */
export function connectionsText(count: number): string {
  if (count === 0) return 'no connection is open';
  return count === 1 ? '1 connection is open' : `${count} connections are open`;
}

/** A line for each balancer, and more where it gives its addresses away or passes packets on. */
export function addressesText(balancers: readonly AddressStatus[]): string {
  return balancers
    .map((status) => {
      const held = heldBy(status);
      const yields = status.yields ? '; gives addresses away until `--stay` or a reboot' : '';
      const passes = status.addresses.flatMap((one) =>
        one.passes.map(
          ({ peer, seconds }) =>
            `    packets of older connections to ${one.address} go to ${peer} for ${seconds} s\n`,
        ),
      );
      return `${status.balancer}: holds ${held.length === 0 ? 'nothing' : listed(held)}, ${connectionsText(status.connections)}${yields}\n${passes.join('')}`;
    })
    .join('');
}
