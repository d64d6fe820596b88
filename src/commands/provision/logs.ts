import { Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';

import { loadInventory } from '../../inventory/load.ts';
import { selectHosts } from '../../inventory/select.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { type Palette, palette, wantsColour } from '../../report/palette.ts';
import { harmless } from '../../report/text.ts';
import type { LogFilter } from '../../site/logs/filter.ts';
import { Gathered } from '../../site/logs/gathered.ts';
import { isoTime, type LogLine } from '../../site/logs/line.ts';
import { archiveScript, logScript } from '../../site/logs/script.ts';
import type { CommandContext } from '../context.ts';
import { parseDuration } from '../failover/options.ts';
import type { logLineSchema } from './logs-json.ts';
import { onHosts, type ReachedHost } from './on-hosts.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';
import { MONITORING, serviceHosts } from './service-hosts.ts';

interface LogFlags {
  readonly unit?: string;
  readonly since?: number;
  readonly grep?: RegExp;
  readonly priority?: number;
  readonly requestId?: string;
  readonly follow?: true;
  readonly archive?: true;
  readonly json?: true;
}

const HOUR_MS = 3_600_000;
/** While following: how long a line waits for earlier ones of other hosts. */
const GATHER_MS = 400;
/** As syslog and journalctl name them. */
const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** `provision logs`: what all hosts have logged, as one log in the order of time. */
export function logsCommand(context: CommandContext): Command {
  const command = new Command('logs')
    .description('show what the hosts have logged, as one log in the order of time')
    .argument('[hosts...]', 'hosts, groups or patterns (default: all)');
  addExtraVariables(addInventoryOptions(command, { omit: 'limit' }))
    .option('-u, --unit <unit>', 'only of this systemd unit: haproxy, nginx, app, mysql, failover-watch …')
    .option(
      '--since <time>',
      'how far back: 30m, 2h, 1d (default: 1h; with --follow from now on)',
      parseDuration,
    )
    .option('-g, --grep <pattern>', 'only what this regular expression finds', parsePattern)
    .option(
      '-p, --priority <priority>',
      `only what is as grave: ${PRIORITIES.slice(0, 7).join(', ')}`,
      parsePriority,
    )
    .option('--request-id <id>', 'only what names this request (X-Request-Id)', parseRequestId)
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('--archive', 'what the monitoring has kept, of hosts that are gone, too')
    .option('--json', 'one JSON object a line');
  addExamples(command, [
    ['provision logs --since 10m', 'of all hosts, the newest last'],
    ['provision logs web1 web2 -u app -f', 'while something happens'],
    ['provision logs -p err --since 1d', 'what went wrong lately, wherever'],
    ['provision logs web2 --archive --since 2d', 'of a host that does not answer any more'],
    [
      'provision logs --request-id 7e555d9f-771b-4e50-bc59-20752f3bbab2',
      'one request, from balancer to database',
    ],
  ]).addHelpText(
    'after',
    '\nIt reads the journal of each host, and the files of Nginx and of the database. Exit codes: 0 done, 4 a host cannot be reached.',
  );
  command.action(async (patterns: readonly string[]) => {
    const flags = command.opts<LogFlags>();
    const options = inventoryOptions(command);
    const inventory = loadInventory(options.inventory);
    const hosts = selectHosts(inventory, 'all', patterns.length === 0 ? undefined : patterns.join(',')).hosts;
    if (hosts.length === 0) throw new UserError(`no host matches "${patterns.join(',')}"`);
    const follow = flags.follow === true;
    if (follow && flags.archive)
      throw new UserError({
        message: '--follow asks the hosts themselves, not the archive',
        hint: 'leave one of both out',
      });
    const since = Date.now() - (flags.since ?? (follow ? 0 : HOUR_MS));
    const filter: LogFilter = {
      since: since * 1000,
      hosts: new Set(hosts),
      unit: flags.unit?.replace(/\.service$/, ''),
      text: flags.requestId,
      pattern: flags.grep,
      priority: flags.priority,
    };
    const shown = printer(flags.json === true, hosts);
    const gathered = new Gathered(filter, shown);
    const timer = follow ? setInterval(() => gathered.give(), GATHER_MS) : undefined;
    const wish = { since: since / 1000, unit: filter.unit, text: filter.text, follow };
    const script = flags.archive ? archiveScript(wish) : logScript(wish);
    const read = async ({ connection, become }: ReachedHost): Promise<string> => {
      const reader = gathered.reader(connection.host);
      const stderr: Buffer[] = [];
      try {
        await connection.run(script, {
          become,
          signal: context.signal,
          onStdout: (chunk) => reader.push(chunk),
          onStderr: (chunk) => stderr.push(chunk),
        });
      } catch (error) {
        if (!context.signal.aborted) throw error;
      }
      reader.flush();
      return Buffer.concat(stderr).toString();
    };
    const ask = async (...asked: readonly string[]): Promise<boolean> => {
      const outcomes = await onHosts(inventory, asked, { ...options, signal: context.signal }, read);
      for (const outcome of outcomes) {
        const said = outcome.status === 'failed' ? outcome.error.message : outcome.value.trim();
        if (said !== '') process.stderr.write(`${outcome.host}: ${harmless(said)}\n`);
      }
      return outcomes.every(({ status }) => status === 'done');
    };
    try {
      let isDone = false;
      if (flags.archive) {
        // Each host of the monitoring keeps all of it: one that answers is enough.
        for (const host of serviceHosts(MONITORING, inventory, options.extraVariables).hosts)
          if (!isDone) isDone = await ask(host);
      } else isDone = await ask(...hosts);
      if (!isDone) process.exitCode = EXIT.unreachable;
    } finally {
      clearInterval(timer);
      gathered.end();
    }
  });
  return command;
}

function printer(json: boolean, hosts: readonly string[]): (line: LogLine) => void {
  if (json)
    return (line) => {
      const { host, unit, priority, message } = line;
      const shown: z.infer<typeof logLineSchema> = {
        type: 'log',
        at: isoTime(line.at),
        host,
        unit,
        priority: priority ?? null,
        message,
      };
      process.stdout.write(`${JSON.stringify(shown)}\n`);
    };
  const styles = palette(wantsColour(process.stdout, process.env));
  const width = Math.max(...hosts.map(({ length }) => length));
  return (line) => void process.stdout.write(lineText(line, width, styles));
}

/** One entry; what it says in further lines stands below its first. */
export function lineText(
  { host, at, unit, priority, message }: LogLine,
  width: number,
  styles: Palette,
): string {
  const time = isoTime(at).slice(0, 23).replace('T', ' ');
  const [first = '', ...more] = harmless(message).split('\n');
  const grave =
    priority === undefined || priority > 4
      ? first
      : priority > 3
        ? styles.changed(first)
        : styles.failed(first);
  const head = `${time}  ${host.padEnd(width)}  ${harmless(unit)}: `;
  return [head + grave, ...more.map((text) => `    ${text}`)].map((text) => `${text}\n`).join('');
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new InvalidArgumentError(`It is no regular expression: ${(error as Error).message}`);
  }
}

function parsePriority(text: string): number {
  const number = PRIORITIES.indexOf(text === 'error' ? 'err' : text);
  if (number < 0) throw new InvalidArgumentError(`It is one of ${PRIORITIES.join(', ')}.`);
  return number;
}

function parseRequestId(text: string): string {
  if (!/^[\w-]{8,128}$/.test(text))
    throw new InvalidArgumentError('It is what the header X-Request-Id says: letters, digits and dashes.');
  return text;
}
