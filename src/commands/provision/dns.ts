import { Command } from 'commander';

import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import { judgeDns, updatesFor } from '../../site/dns/judge.ts';
import type { CommandContext } from '../context.ts';
import { confirm } from './confirm.ts';
import { dnsJson } from './dns-json.ts';
import { type DnsSite, dnsSite } from './dns-site.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';
import { takeLock } from './run-lock.ts';

interface UpdateFlags {
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** `provision dns`: whether the site's names lead to the site, and making them do so. */
export function dnsCommand(context: CommandContext): Command {
  const dns = new Command('dns').description("whether the site's names lead to it, and making them do so");
  const check = dns.command('check').description('ask the name servers, and change nothing');
  addExtraVariables(addInventoryOptions(check, { omit: 'limit' })).option(
    '--json',
    'one JSON object on stdout',
  );
  addExamples(check, [['provision dns check', 'exit code 3 when anything is not as it should be']]).action(
    async () => {
      const site = having(dnsSite(inventoryOptions(check)));
      await look(site, check.opts<{ readonly json?: true }>().json ?? false);
    },
  );
  const update = dns.command('update').description('replace the records that differ, by RFC 2136');
  addExtraVariables(addInventoryOptions(update, { omit: 'limit' }))
    .option('--dry-run', 'show what would be replaced')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one JSON object on stdout, text for people on stderr');
  addExamples(update, [
    ['provision dns update', 'asks before it sends anything'],
    ['provision dns update --yes --json', 'for a script'],
  ]).action(async () => {
    await replace(having(dnsSite(inventoryOptions(update))), update.opts<UpdateFlags>(), context.signal);
  });
  addExamples(dns, [
    ['provision dns check', 'what differs, and where'],
    ['provision dns update --dry-run', 'what would be replaced'],
  ]);
  return dns.addHelpText(
    'after',
    '\nThe names are the variable site_dns (docs/dns.md). Exit codes: 0 all is well, 2 refused, 3 something differs (check), 4 no balancer can be reached.',
  );
}

function having(site: DnsSite | undefined): DnsSite {
  if (site !== undefined) return site;
  throw new UserError({
    message: 'the inventory does not say which names the site has',
    hint: 'set site_dns for all hosts, for example: site_dns: {names: [www.example.com]}; docs/dns.md has its keys',
  });
}

async function look(site: DnsSite, json: boolean): Promise<void> {
  const answers = await site.ask();
  const findings = judgeDns(site.dns, answers);
  if (json) process.stdout.write(`${JSON.stringify(dnsJson(site.dns, answers, findings))}\n`);
  else {
    for (const { name, server, message } of findings)
      process.stdout.write(`${name} at ${server}: ${message}\n`);
    if (findings.length === 0)
      process.stdout.write(`${listed(site.dns.names)}: ${listed(site.dns.addresses)}, as it should be\n`);
  }
  if (findings.length > 0) process.exitCode = EXIT.drift;
}

async function replace(site: DnsSite, flags: UpdateFlags, signal: AbortSignal): Promise<void> {
  const { dns } = site;
  if (dns.update === undefined) {
    throw new UserError({
      message: 'site_dns names no server that takes updates',
      hint: 'site_dns.update has its address and the key for it; docs/dns.md says which',
    });
  }
  const answers = await site.ask();
  const refused = judgeDns(dns, answers).filter(({ code }) => code === 'NoAnswer' || code === 'Refused');
  if (refused.length > 0) {
    throw new UserError(
      refused.map(({ name, server, message }) => ({ message: `${name} at ${server}: ${message}` })),
      { exitCode: EXIT.failed },
    );
  }
  const updates = updatesFor(dns, answers);
  const text = flags.json ? process.stderr : process.stdout;
  for (const { name, from } of updates)
    text.write(`${name}: ${from.length === 0 ? 'nothing' : listed(from)} → ${listed(dns.addresses)}\n`);
  if (updates.length === 0) text.write('every name leads to the site already\n');
  else if (!flags.dryRun) {
    if (!flags.yes) await confirm(`Replace the records of ${updates.length} names?`, signal);
    const lock = takeLock(site.directory, 'provision dns update');
    try {
      for (const { lines } of updates) await site.update(lines);
    } finally {
      lock.release();
    }
  }
  if (flags.json) {
    const shown = updates.map(({ name, from }) => ({ name, from, to: dns.addresses }));
    process.stdout.write(
      `${JSON.stringify({ type: 'dns-update', dryRun: flags.dryRun ?? false, updates: shown })}\n`,
    );
  }
}
