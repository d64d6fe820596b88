import { UserError } from '../lib/errors.ts';
import { hostPort } from '../lib/host-port.ts';
import { type SshSettings, sshSettings } from './ssh-settings.ts';
import type { HostAddress } from './transport.ts';

export interface RouteOptions {
  readonly hosts?: ((name: string) => HostAddress | undefined) | undefined;
  readonly home?: string | undefined;
}

/** The hosts to connect to one through the other, the target last: a route for each way there is, the best first. */
export function resolveRoutes(
  host: HostAddress,
  options: RouteOptions,
  defaultUser?: string,
  outer: readonly string[] = [],
): SshSettings[][] {
  if (host.alternatives && host.alternatives.length > 0) {
    return host.alternatives.flatMap((jumps) =>
      resolveRoutes({ ...host, alternatives: undefined, jumps }, options, defaultUser, outer),
    );
  }
  const settings = sshSettings(host, { home: options.home, defaultUser });
  const id = `${settings.user}@${hostPort(settings.address, settings.port)}`;
  if (outer.includes(id)) {
    throw new UserError({
      message: `${host.name}: its jump hosts lead back to itself (${[...outer, id].join(' → ')})`,
      hint: 'a jump host that is reached directly needs ProxyJump none, or no jump variables of its own',
    });
  }
  let ways: SshSettings[][] = [[]];
  for (const [index, spec] of settings.jumps.entries()) {
    const hop = jumpAddress(spec, host, options);
    // Only the first hop may itself need hops: the others are reached from the one before them.
    const address = index === 0 ? hop : { ...hop, jumps: [], alternatives: undefined };
    const further = resolveRoutes(address, options, settings.user, [...outer, id]);
    ways = ways.flatMap((way) => further.map((part) => [...way, ...part]));
  }
  return ways.map((way) => [...way, settings]);
}

/** `[user@]host[:port]`, as ProxyJump takes it. */
export function parseJump(spec: string): { user?: string; host: string; port?: number } | undefined {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:@\s]+))(?::(\d+))?\/?$/.exec(spec);
  const host = match?.[2] ?? match?.[3];
  if (!match || host === undefined) return undefined;
  return {
    host,
    ...(match[1] === undefined ? {} : { user: match[1] }),
    ...(match[4] === undefined ? {} : { port: Number(match[4]) }),
  };
}

/**
 * A jump host that the inventory has is what the inventory says. Another one shares the target's key, known hosts and
 * configuration, but never its password.
 */
function jumpAddress(spec: string, target: HostAddress, options: RouteOptions): HostAddress {
  const jump = parseJump(spec);
  if (!jump) {
    throw new UserError({
      message: `${target.name}: "${spec}" is not a jump host`,
      hint: 'expected [user@]host[:port]',
    });
  }
  const known = options.hosts?.(jump.host);
  const { host: address, ...given } = jump;
  if (known) return { ...known, ...given };
  return {
    name: jump.host,
    address,
    privateKeyFile: target.privateKeyFile,
    passphrase: target.passphrase,
    knownHostsFile: target.knownHostsFile,
    hostKeyChecking: target.hostKeyChecking,
    sshConfigFile: target.sshConfigFile,
    connectTimeoutMs: target.connectTimeoutMs,
    ...given,
  };
}
