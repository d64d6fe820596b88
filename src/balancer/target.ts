import { EXIT, UserError } from '../lib/errors.ts';
import { hostPort } from '../lib/host-port.ts';
import { canonicalIp } from '../lib/ip-network.ts';

/** An instance as writers reach it. */
export interface Target {
  /** The inventory's host, by which balancers and plans speak of it. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

/** The target of that host. Rejects what the cluster does not have. */
export function targetOf(balancer: string, targets: readonly Target[], host: string): Target {
  const target = targets.find((each) => each.host === host);
  if (target !== undefined) return target;
  throw new UserError(
    `${balancer}: the cluster has no instance on '${host}'; it has ${targets.map((each) => each.host).join(', ')}`,
    { exitCode: EXIT.failed },
  );
}

/** The host at that address; the address itself when it is none of the cluster's. */
export function hostAt(targets: readonly Target[], address: string, port?: number): string {
  const found = targets.find(
    (each) =>
      canonicalIp(each.address) === canonicalIp(address) && (port === undefined || each.port === port),
  );
  return found?.host ?? (port === undefined ? address : hostPort(address, port));
}
