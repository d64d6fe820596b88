import { Command } from 'commander';

import { mapLimit } from '../../lib/concurrency.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { loadInventory } from '../../inventory/load.ts';
import { selectHosts } from '../../inventory/select.ts';
import { checkUp, type Finding } from './checkup.ts';
import { sshTransport } from '../../transport/ssh.ts';
import { localTransport } from '../../transport/local.ts';
import { TransportError } from '../../transport/transport.ts';
import { becomePassword } from '../../variables/address.ts';
import type { CommandContext } from '../context.ts';
import { addressesIn } from './addresses.ts';
import {
  addExamples,
  addExtraVariables,
  addInventoryOptions,
  inventoryOptions,
  type InventoryOptions,
} from './options.ts';
import { settings } from '../../config/settings.ts';

interface Examined {
  readonly host: string;
  readonly reachable: boolean;
  readonly findings: readonly Finding[];
}

const MARKS = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' } as const;

/** `provision doctor`: says of every host whether it can be reached and managed, and what would stop `up`. */
export function doctorCommand(_context: CommandContext): Command {
  const command = new Command('doctor').description('say whether every host can be reached and managed');
  addExtraVariables(addInventoryOptions(command));
  command.option('--json', 'one JSON object a host');
  addExamples(command, [
    ['provision doctor -i inventory/production', 'before the first up on real machines'],
    ['provision doctor -l web2', 'one host'],
  ]);
  return command.action(async () => {
    const examined = await examine(inventoryOptions(command));
    const json = command.opts<{ json?: true }>().json ?? false;
    for (const one of examined) process.stdout.write(json ? `${JSON.stringify(one)}\n` : describe(one));
    if (examined.some((one) => !one.reachable)) process.exitCode = EXIT.unreachable;
    else if (examined.some((one) => one.findings.some((finding) => finding.status === 'problem')))
      process.exitCode = EXIT.failed;
  });
}

async function examine(options: InventoryOptions): Promise<readonly Examined[]> {
  const inventory = loadInventory(options.inventory);
  const { hosts } = selectHosts(inventory, 'all', options.limit);
  const { limit, extraVariables: extraVars } = options;
  const { forks } = settings();
  const addresses = addressesIn(inventory, { extraVars, command: { limit, forks } });
  const ssh = sshTransport({ hosts: addresses.jumpHost });
  const local = localTransport();
  try {
    return await mapLimit(hosts, forks, async (name): Promise<Examined> => {
      try {
        const address = addresses.of(name);
        if (address === undefined) throw new Error(`${name} is not in the inventory`);
        const password = becomePassword(addresses.site.variablesOf(name));
        const become = { user: 'root', ...(password && { password }) };
        const startedAt = performance.now();
        const connection = await (address === 'local'
          ? local.connect({ name, address: 'localhost' })
          : ssh.connect(address));
        const ms = Math.round(performance.now() - startedAt);
        const connected: Finding = {
          subject: 'connection',
          status: 'ok',
          found: `in ${ms} ms, host key known`,
        };
        return {
          host: name,
          reachable: true,
          findings: [connected, ...(await checkUp(connection, become))],
        };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const isSudo = error instanceof TransportError && error.failure.kind.startsWith('sudo');
        return {
          host: name,
          reachable: isSudo,
          findings: [{ subject: isSudo ? 'sudo' : 'connection', status: 'problem', found: error.message }],
        };
      }
    });
  } finally {
    await ssh.close();
    await local.close();
  }
}

function describe(one: Examined): string {
  const worst =
    one.findings.find((finding) => finding.status === 'problem') ??
    one.findings.find((finding) => finding.status === 'warning');
  const lines = one.findings.map((finding) => {
    const remedy = finding.remedy === undefined ? '' : `\n               ${finding.remedy}`;
    return `  ${MARKS[finding.status].padEnd(8)} ${finding.subject.padEnd(12)} ${finding.found}${remedy}`;
  });
  return `${one.host}: ${worst ? MARKS[worst.status] : 'ready'}\n${lines.join('\n')}\n`;
}
