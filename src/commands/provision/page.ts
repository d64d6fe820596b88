import { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { addExamples } from './options.ts';
import { addWayOptions, type HostService, keepWayOpen } from './way-to-service.ts';

const PAGE: HostService = {
  name: 'page',
  role: 'failover_watch',
  hosts: 'failover_page_hosts',
  port: 'failover_page_port',
  missing: (inventory) => ({
    message: `${inventory} has no balancer that serves the page`,
    hint: 'failover_page and failover_watch are true by default; set neither to false, and run `provision up` (docs/page.md)',
  }),
};

/** `provision page`: the live page of the site, which the balancers serve on their own loopback only. */
export function pageCommand({ signal }: CommandContext): Command {
  const command = new Command('page').description(
    'lead a port of this machine to the live page of the site, by SSH, until Ctrl-C',
  );
  addWayOptions(command);
  addExamples(command, [
    ['provision page', 'balancers, servers and databases as they are now: open the URL in a browser'],
    ['provision page --port 8080', 'at the same URL every time'],
    ['provision page --json | jq -r .url', 'for a script'],
  ]).addHelpText(
    'after',
    '\nIt goes through the first balancer that answers, and through another one when that dies: the page connects again by itself.',
  );
  return command.action(async () => await keepWayOpen(PAGE, command, signal));
}
