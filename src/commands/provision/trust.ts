import { createInterface } from 'node:readline/promises';

import { Command } from 'commander';

import { loadInventory } from '../../inventory/load.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { selectHosts } from '../../inventory/select.ts';
import { UserError } from '../../lib/errors.ts';
import { updateKnownHosts } from '../../transport/known-hosts.ts';
import type { ShownKey, ShownKeys } from '../../transport/probe.ts';
import { type SshTransport, sshTransport } from '../../transport/ssh.ts';
import type { HostAddress } from '../../transport/transport.ts';
import type { CommandContext } from '../context.ts';
import { type Addresses, addressesIn, CONNECT_TIMEOUT_MS } from './addresses.ts';
import { addExamples, addExtraVariables, addInventoryOptions, inventoryOptions } from './options.ts';

interface TrustOptions {
  readonly replace?: true;
  readonly show?: true;
  readonly yes?: true;
}

interface Candidate {
  readonly host: string;
  readonly shown: ShownKeys;
}

/** `provision trust`: shows the SSH keys of hosts and, once a person agrees, records them in known_hosts. */
export function trustCommand(_context: CommandContext): Command {
  const command = new Command('trust')
    .description('show the SSH host keys of hosts, and record them in known_hosts')
    .argument('[hosts...]', 'names of the inventory or addresses; all hosts of the inventory without');
  addExtraVariables(addInventoryOptions(command));
  command
    .option('--replace', 'put the new key of a host in the place of one that has changed')
    .option('--show', 'only show the keys')
    .option('-y, --yes', 'do not ask: the keys were compared in another way');
  addExamples(command, [
    ['provision trust web1', 'one host; compare the fingerprint with the one on its console'],
    ['provision trust --replace web1', 'after it was reinstalled'],
    ['provision trust --show', 'the keys of all hosts'],
  ]);
  return command.action(async (names: readonly string[]) => {
    const { inventory: file, limit, extraVariables: extraVars } = inventoryOptions(command);
    const inventory = loadInventory(file);
    const addresses = addressesIn(inventory, { extraVars, command: { limit } });
    const transport = sshTransport({ hosts: addresses.jumpHost });
    try {
      const hosts = chosenHosts(inventory, addresses, names, limit);
      await trust(transport, hosts, command.opts<TrustOptions>());
    } finally {
      await transport.close();
    }
  });
}

async function trust(
  transport: SshTransport,
  hosts: readonly HostAddress[],
  options: TrustOptions,
): Promise<void> {
  const errors: UserError[] = [];
  const changed: string[] = [];
  let recorded = 0;
  // One after the other: a host behind another needs that one's key first.
  for (const host of hosts) {
    try {
      const candidate = { host: host.name, shown: await transport.hostKeys(host) };
      process.stdout.write(describeKeys(candidate));
      const wanted = toRecord(candidate, options);
      if (options.show || wanted === 'nothing') continue;
      if (wanted === 'changed') {
        changed.push(host.name);
        continue;
      }
      if (!options.yes) await agree(host.name);
      const { file, label } = candidate.shown;
      const keys = candidate.shown.keys.filter((key) => key.verdict.kind !== 'revoked').map((key) => key.key);
      await updateKnownHosts(file, label, keys, { replace: wanted === 'replace' });
      process.stdout.write(`  recorded in ${file}\n`);
      recorded++;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      errors.push(error);
    }
  }
  if (changed.length > 0) {
    errors.push(
      new UserError({
        message: `${changed.join(', ')}: the key is another than the one recorded; nothing was changed`,
        hint: 'if the host was reinstalled, add --replace; if not, somebody may be intercepting the connection',
      }),
    );
  }
  if (errors.length > 0) throw new UserError(errors.flatMap((error) => error.problems));
  if (recorded === 0 && !options.show) process.stdout.write('nothing to record\n');
}

type Wanted = 'nothing' | 'add' | 'replace' | 'changed';

function toRecord(candidate: Candidate, options: TrustOptions): Wanted {
  const kinds = new Set(candidate.shown.keys.map((key) => key.verdict.kind));
  // Another key of a host whose recorded key is the one it shows is not a change: it has keys of several kinds.
  if (kinds.has('known')) return 'nothing';
  if (kinds.has('changed')) return options.replace ? 'replace' : 'changed';
  return kinds.has('unknown') ? 'add' : 'nothing';
}

function describeKeys({ host, shown }: Candidate): string {
  const known = shown.keys.some((key) => key.verdict.kind === 'known');
  const lines = shown.keys.map((key) => `  ${key.algorithm} ${key.fingerprint}  ${state(key, known)}\n`);
  return `${host} (${shown.label}):\n${lines.join('')}`;
}

function state(key: ShownKey, hostIsKnown: boolean): string {
  switch (key.verdict.kind) {
    case 'known':
      return 'known';
    case 'unknown':
      return 'new';
    case 'changed':
      return hostIsKnown
        ? 'not recorded; another key of this host is'
        : `CHANGED: another key is recorded in ${key.verdict.entry.file}:${key.verdict.entry.line}`;
    case 'revoked':
      return `REVOKED by ${key.verdict.entry.file}:${key.verdict.entry.line}`;
  }
}

function chosenHosts(
  inventory: Inventory,
  addresses: Addresses,
  names: readonly string[],
  limit: string | undefined,
): HostAddress[] {
  const chosen = names.length > 0 ? names : selectHosts(inventory, 'all', limit).hosts;
  return chosen.flatMap((name) => {
    const address = addresses.jumpHost(name);
    if (address) return [address];
    // What is not in the inventory is an address of its own, such as that of a jump host.
    return inventory.hosts.has(name) ? [] : [{ name, address: name, connectTimeoutMs: CONNECT_TIMEOUT_MS }];
  });
}

async function agree(host: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new UserError({
      message: `${host}: without a terminal nobody can be asked whether to trust these keys`,
      hint: 'compare the fingerprints, then add --yes',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Trust ${host} with these keys? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new UserError(`${host}: its keys were not recorded`);
  } finally {
    terminal.close();
  }
}
