import { Command } from 'commander';

import { loadInventory } from '../../inventory/load.ts';
import { selectHosts } from '../../inventory/select.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { type FilteredRequest, readFilterLog } from '../../site/filter-log.ts';
import { harmless } from '../../report/text.ts';
import type { CommandContext } from '../context.ts';
import { parseDuration } from '../failover/options.ts';
import { onHosts } from './on-hosts.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';

interface LogFlags {
  readonly since?: number;
  readonly json?: true;
}

/** An entry, and the server that wrote it. */
type Line = FilteredRequest & { readonly host: string };

const DIRECTORY = '/var/log/understudy-waf';
const MOST_BYTES = 8_000_000;
const DAY_MS = 86_400_000;

/** The offset to UTC, for the log has the server's own time; then the older half and the newer one. */
const SCRIPT = `[ -d ${DIRECTORY} ] || exit 0
date +%z
for file in ${DIRECTORY}/audit.log.1 ${DIRECTORY}/audit.log; do
  [ ! -e "$file" ] || tail -c ${MOST_BYTES} "$file"
done`;

/** `provision waf log`: what the filter for requests refused, or would refuse, and by which rules. */
export function wafCommand(_context: CommandContext): Command {
  const command = new Command('waf').description('see what the filter for requests refused');
  addExamples(command, [['provision waf log', 'which requests, and by which rules']]);
  const log = command
    .command('log')
    .argument('[hosts...]', 'servers (default: all)')
    .description('which requests, and by which rules');
  addExtraVariables(addInventoryOptions(log, { omit: 'limit' }))
    .option('--since <time>', 'how far back: 30m, 2h (default: 24h)', parseDuration)
    .option('--json', 'one JSON object a line');
  addExamples(log, [
    ['provision waf log', 'of all servers, the newest last'],
    ['provision waf log web2 --since 10m', 'of one of them, lately'],
    ["provision waf log --json | jq -r '.rules[].id' | sort | uniq -c", 'which rules, how often'],
  ]).addHelpText(
    'after',
    '\nWhat visitors sent is not shown, only which part of it was matched. Exit codes: 0 done, 4 a server cannot be reached.',
  );
  log.action(async (hosts: readonly string[]) => {
    const { since = DAY_MS, json } = log.opts<LogFlags>();
    const options = inventoryOptions(log);
    const inventory = loadInventory(options.inventory);
    const chosen = selectHosts(inventory, 'servers', hosts.length === 0 ? undefined : hosts.join(',')).hosts;
    if (chosen.length === 0) throw new UserError(`no server matches "${hosts.join(',')}"`);
    const outcomes = await onHosts(inventory, chosen, options, async ({ connection, become }) => {
      const { stdout } = await connection.run(SCRIPT, { become });
      return stdout.toString();
    });
    const lines: Line[] = [];
    for (const outcome of outcomes) {
      const { host } = outcome;
      if (outcome.status === 'failed') {
        process.stderr.write(`${host}: ${outcome.error.message}\n`);
        process.exitCode = EXIT.unreachable;
      } else if (outcome.value === '') {
        process.stderr.write(`${host} has no filter: waf: detect or block in the inventory gives it one\n`);
      } else lines.push(...readFilterLog(outcome.value).map((entry) => ({ host, ...entry })));
    }
    const from = new Date(Date.now() - since).toISOString();
    const shown = lines.filter(({ at }) => at >= from).toSorted((a, b) => a.at.localeCompare(b.at));
    for (const line of shown) process.stdout.write(json ? `${JSON.stringify(line)}\n` : lineText(line));
    if (!json) process.stdout.write(`${shown.length} requests\n`);
  });
  return command;
}

/** One request in a line, and below it what was found in it. */
function lineText({ at, host, client, method, path, status, verdict, id, rules }: Line): string {
  const head = `${at.slice(0, 19).replace('T', ' ')}  ${host}  ${client}  ${method} ${path}  ${verdict} (${status})  ${id}`;
  const found = rules.map((rule) =>
    ['   ', rule.id, rule.message, ...(rule.where === null ? [] : [`in ${rule.where}`]), rule.attack ?? '']
      .join(' ')
      .trimEnd(),
  );
  return `${[head, ...found].map(harmless).join('\n')}\n`;
}
