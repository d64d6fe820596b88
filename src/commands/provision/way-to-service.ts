import { type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';

import { loadInventory } from '../../inventory/load.ts';
import { UserError } from '../../lib/errors.ts';
import { sshTransport } from '../../transport/ssh.ts';
import type { HostAddress } from '../../transport/transport.ts';
import { openTunnel, type TunnelEnd } from '../../transport/tunnel.ts';
import { type Addresses, addressesIn } from './addresses.ts';
import type { openSchema } from './open-json.ts';
import {
  addExtraVariables,
  addInventoryOptions,
  type InventoryOptions,
  inventoryOptions,
} from './options.ts';
import { type RoleHosts, serviceHosts } from './service-hosts.ts';

/** What listens on the loopback of some hosts, as the role that installs it says where. */
export interface HostService extends RoleHosts {
  readonly name: string;
  /** The role's variable with its port there. */
  readonly port: string;
}

/** Adds the options of a command that leads to such a service. */
export function addWayOptions(command: Command): Command {
  return addExtraVariables(addInventoryOptions(command, { omit: 'limit' }))
    .option('--port <number>', 'the port of this machine (default: one that is free)', parsePort)
    .option('--json', 'one JSON object on stdout when the way is open, text for people on stderr');
}

/** Leads a port of this machine to the service by SSH, prints where, and stays until the signal comes. */
export async function keepWayOpen(
  service: HostService,
  command: Command,
  signal: AbortSignal,
): Promise<void> {
  const { port, json } = command.opts<{ readonly port?: number; readonly json?: true }>();
  const { ends, jumpHost } = waysTo(service, inventoryOptions(command));
  // A host without power is noticed within seconds, and another one takes over.
  const transport = sshTransport({ hosts: jumpHost, keepaliveIntervalMs: 2000 });
  try {
    const tunnel = await openTunnel({
      transport,
      ends,
      port,
      signal,
      onMoved: (host, reason) =>
        process.stderr.write(`through ${host} now${reason === undefined ? '' : `: ${reason}`}\n`),
      onLost: (message) => process.stderr.write(`${message}\n`),
    });
    try {
      const url = `http://127.0.0.1:${tunnel.port}/`;
      const shown: z.infer<typeof openSchema> = {
        type: 'open',
        service: service.name,
        host: tunnel.host,
        url,
        port: tunnel.port,
      };
      process.stdout.write(json ? `${JSON.stringify(shown)}\n` : `${url}\n`);
      process.stderr.write(`${service.name} on ${tunnel.host}; Ctrl-C closes the way\n`);
      await aborted(signal);
    } finally {
      await tunnel.close();
    }
  } finally {
    await transport.close();
  }
}

interface Ways extends Pick<Addresses, 'jumpHost'> {
  readonly ends: readonly TunnelEnd[];
}

/** To every host that has it; a `UserError` where none does. */
function waysTo(service: HostService, { inventory: path, extraVariables }: InventoryOptions): Ways {
  const inventory = loadInventory(path);
  const { of, jumpHost } = addressesIn(inventory, { extraVars: extraVariables });
  const { hosts, variables } = serviceHosts(service, inventory, extraVariables);
  const ends = hosts.map((name) => ({
    host: bySsh(name, of(name)),
    port: Number(variables.of(name).get(service.port)),
  }));
  return { ends, jumpHost };
}

function bySsh(name: string, address: HostAddress | 'local' | undefined): HostAddress {
  if (address !== undefined && address !== 'local') return address;
  throw new UserError({
    message: `${name} is this machine: what listens on its loopback needs no way`,
    hint: 'open it directly',
  });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError('A port is a number from 1 to 65535.');
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
}
