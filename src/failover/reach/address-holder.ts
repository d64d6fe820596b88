import type { AddressHolder } from '../../balancer/vip.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import type { RunVerb } from './machine-verbs.ts';

export interface AddressOn {
  /** The instance's host. */
  readonly host: string;
  /** With its prefix length. */
  readonly address: string;
  readonly interface: string;
  readonly run: RunVerb;
  readonly timeoutMs: number;
}

/** The script's statuses: the host does not have the address; the script is of a release that knows no addresses. */
const NOT_HERE = 3;
const UNKNOWN_VERB = 64;

/** A host that may carry an address, by the verbs `address-…` of `files/failover/understudy-node`. */
export function addressHolder({
  host,
  address,
  interface: device,
  run,
  timeoutMs,
}: AddressOn): AddressHolder {
  const act = async (verb: string): Promise<number> => {
    const { status, stderr, unreachable } = await run([verb, address, device], { timeoutMs });
    if (unreachable !== undefined) {
      throw new UserError(`${host}: cannot be reached for '${verb} ${address}': ${unreachable}`, {
        exitCode: EXIT.unreachable,
      });
    }
    if (status === 0 || status === NOT_HERE) return status;
    const hint =
      status === UNKNOWN_VERB ? '`provision up` installs the script of this release there' : undefined;
    const said = stderr.trim().slice(-500) || `it ended with status ${status}`;
    throw new UserError(
      { message: `${host}: '${verb} ${address} ${device}' failed: ${said}`, hint },
      { exitCode: status === -1 ? EXIT.unreachable : EXIT.failed },
    );
  };
  return {
    host,
    holds: async () => (await act('address-look')) === 0,
    ready: async () => void (await act('address-ready')),
    take: async () => void (await act('address-take')),
    drop: async () => void (await act('address-drop')),
  };
}
