import { Command } from 'commander';

import { EXIT } from '../../lib/errors.ts';
import { loadInventory } from '../../inventory/load.ts';
import { selectHosts } from '../../inventory/select.ts';
import { checkUp, type Finding } from './checkup.ts';
import { TransportError } from '../../transport/transport.ts';
import { listed } from '../../lib/listed.ts';
import type { CommandContext } from '../context.ts';
import { dnsSite } from './dns-site.ts';
import { nameFindings } from './name-findings.ts';
import { onHosts } from './on-hosts.ts';
import {
  addExamples,
  addExtraVariables,
  addInventoryOptions,
  inventoryOptions,
  type InventoryOptions,
} from './options.ts';

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
    const options = inventoryOptions(command);
    const examined = [...(await examine(options)), ...(await examineNames(options))];
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
  const outcomes = await onHosts(inventory, hosts, options, async ({ connection, become, connectMs }) => [
    { subject: 'connection', status: 'ok', found: `in ${Math.round(connectMs)} ms, host key known` } as const,
    ...(await checkUp(connection, become)),
  ]);
  return outcomes.map((outcome): Examined => {
    const { host } = outcome;
    if (outcome.status === 'done') return { host, reachable: true, findings: outcome.value };
    const { error } = outcome;
    const isSudo = error instanceof TransportError && error.failure.kind.startsWith('sudo');
    return {
      host,
      reachable: isSudo,
      findings: [{ subject: isSudo ? 'sudo' : 'connection', status: 'problem', found: error.message }],
    };
  });
}

/** The site's names, when the inventory says which ones it has: that they lead elsewhere stops no run. */
async function examineNames(options: InventoryOptions): Promise<readonly Examined[]> {
  const site = dnsSite(options);
  if (site === undefined) return [];
  const found = await nameFindings(site);
  const findings = found.warnings.map((one): Finding => ({
    subject: 'names',
    status: 'warning',
    found: one,
  }));
  const fine: Finding = { subject: 'names', status: 'ok', found: listed(found.names) };
  return [{ host: 'DNS', reachable: true, findings: findings.length === 0 ? [fine] : findings }];
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
