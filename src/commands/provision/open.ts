import { Argument, Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { addExamples } from './options.ts';
import { MONITORING } from './service-hosts.ts';
import { addWayOptions, type HostService, keepWayOpen } from './way-to-service.ts';

/** What the hosts that watch have. */
const SERVICES: Readonly<Record<string, HostService>> = {
  prometheus: { ...MONITORING, name: 'prometheus', port: 'prometheus_port' },
  alertmanager: { ...MONITORING, name: 'alertmanager', port: 'alertmanager_port' },
};

/** `provision open`: what the monitoring's hosts show on their own loopback only, on this machine's. */
export function openCommand({ signal }: CommandContext): Command {
  const command = new Command('open')
    .description('lead a port of this machine to a service of the monitoring, by SSH, until Ctrl-C')
    .addArgument(new Argument('<service>').choices(Object.keys(SERVICES)));
  addWayOptions(command);
  addExamples(command, [
    ['provision open prometheus', 'graphs, targets, rules and alerts: open the URL in a browser'],
    ['provision open alertmanager --port 9093', 'for `amtool --alertmanager.url http://127.0.0.1:9093`'],
  ]);
  return command.action(async (name: string) => {
    const service = SERVICES[name];
    if (service === undefined) throw new Error(`no service ${name}`);
    await keepWayOpen(service, command, signal);
  });
}
