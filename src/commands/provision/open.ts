import { dirname, resolve } from 'node:path';

import { Argument, Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';

import { settings } from '../../config/settings.ts';
import { loadInventory } from '../../inventory/load.ts';
import { UserError } from '../../lib/errors.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import { sshTransport } from '../../transport/ssh.ts';
import type { HostAddress } from '../../transport/transport.ts';
import { openTunnel, type TunnelEnd } from '../../transport/tunnel.ts';
import type { CommandContext } from '../context.ts';
import { siteVariables } from '../failover/variables.ts';
import { type Addresses, addressesIn } from './addresses.ts';
import type { openSchema } from './open-json.ts';
import {
  addExamples,
  addExtraVariables,
  addInventoryOptions,
  type InventoryOptions,
  inventoryOptions,
} from './options.ts';

interface OpenFlags {
  readonly port?: number;
  readonly json?: true;
}

/** What listens on the loopback of the hosts that watch: the variable of its port, and where people begin. */
const SERVICES = {
  prometheus: { variable: 'prometheus_port', path: '/' },
  alertmanager: { variable: 'alertmanager_port', path: '/' },
} as const;
type Service = keyof typeof SERVICES;

/** `provision open`: what the monitoring's hosts show on their own loopback only, on this machine's. */
export function openCommand(context: CommandContext): Command {
  const command = new Command('open')
    .description('lead a port of this machine to a service of the monitoring, by SSH, until Ctrl-C')
    .addArgument(new Argument('<service>').choices(Object.keys(SERVICES)));
  addExtraVariables(addInventoryOptions(command, { omit: 'limit' }))
    .option('--port <number>', 'the port of this machine (default: one that is free)', parsePort)
    .option('--json', 'one JSON object on stdout when the way is open, text for people on stderr');
  addExamples(command, [
    ['provision open prometheus', 'graphs, targets, rules and alerts: open the URL in a browser'],
    ['provision open alertmanager --port 9093', 'for `amtool --alertmanager.url http://127.0.0.1:9093`'],
  ]);
  command.action(async (service: Service) => {
    const flags = command.opts<OpenFlags>();
    const { ends, jumpHost } = waysTo(service, inventoryOptions(command));
    const transport = sshTransport({ hosts: jumpHost });
    try {
      const tunnel = await openTunnel({
        transport,
        ends,
        port: flags.port,
        signal: context.signal,
        onMoved: (host, reason) =>
          process.stderr.write(`through ${host} now${reason === undefined ? '' : `: ${reason}`}\n`),
        onLost: (message) => process.stderr.write(`${message}\n`),
      });
      try {
        const url = `http://127.0.0.1:${tunnel.port}${SERVICES[service].path}`;
        const shown: z.infer<typeof openSchema> = {
          type: 'open',
          service,
          host: tunnel.host,
          url,
          port: tunnel.port,
        };
        if (flags.json) process.stdout.write(`${JSON.stringify(shown)}\n`);
        else process.stdout.write(`${url}\n`);
        process.stderr.write(`${service} on ${tunnel.host}; Ctrl-C closes the way\n`);
        await aborted(context.signal);
      } finally {
        await tunnel.close();
      }
    } finally {
      await transport.close();
    }
  });
  return command;
}

interface Ways extends Pick<Addresses, 'jumpHost'> {
  readonly ends: readonly TunnelEnd[];
}

/** To every host that watches; a `UserError` where none does. */
function waysTo(service: Service, { inventory: path, extraVariables }: InventoryOptions): Ways {
  const inventory = loadInventory(path);
  const { of, jumpHost } = addressesIn(inventory, { extraVars: extraVariables });
  const variables = siteVariables({
    inventory,
    playbookDirectory: dirname(resolve(settings().playbook)),
    extraVars: extraVariables,
    secrets: new SecretRegistry(),
    roles: ['monitoring'],
  });
  const [anyHost] = inventory.hosts.keys();
  const hosts = anyHost === undefined ? [] : variables.of(anyHost).get('site_monitoring_hosts');
  if (!Array.isArray(hosts) || hosts.length === 0)
    throw new UserError({
      message: `${path} has no hosts that watch the others`,
      hint: 'put one into the group monitoring, without site_monitoring: false, and run `provision up` (docs/monitoring.md)',
    });
  const ends = hosts.map(String).map((name) => ({
    host: bySsh(name, of(name)),
    port: Number(variables.of(name).get(SERVICES[service].variable)),
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
