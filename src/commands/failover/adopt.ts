import { readFileSync, writeFileSync } from 'node:fs';

import { Command, InvalidArgumentError } from 'commander';

import { createServer } from '../../database/create-server.ts';
import { detectFlavour } from '../../database/detect-flavour.ts';
import type { SourceAddress } from '../../database/server.ts';
import type { InstanceState } from '../../database/state.ts';
import { discover } from '../../failover/reach/discover.ts';
import { dialTcp } from '../../failover/reach/open-cluster.ts';
import { defaultSettings } from '../../failover/cluster/settings.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { hostPort, parseHostPort } from '../../lib/host-port.ts';
import { Secret } from '../../lib/secret.ts';
import type { CommandContext } from '../context.ts';
import { adopt } from './adopt-text.ts';
import { addExamples } from './options.ts';

interface Raw {
  readonly user: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly name: string;
  readonly output?: string;
}

/** `failover adopt`: reads the topology of a cluster that others built, and writes an inventory. It changes no server. */
export function adoptCommand({ signal }: CommandContext): Command {
  const command = new Command('adopt')
    .description('read the topology of a cluster that others built, and write an inventory for it')
    .argument(
      '<address...>',
      'one of its instances, HOST or HOST:PORT; more when replicas do not report theirs',
    )
    .requiredOption(
      '--user <name>',
      'an account that may read replication, the process list and performance_schema, such as root',
    )
    .option('--password-file <file>', 'where its password is; - reads standard input. Without, it has none')
    .option('--ca <file>', "the authority of the servers' certificates; without, whoever answers is believed")
    .option('--name <name>', 'what the cluster is called', 'servers')
    .option(
      '--output <file>',
      'where the inventory goes; a file that exists is never overwritten. Without, to standard output',
    );
  addExamples(command, [
    [
      'failover adopt 10.0.0.21 --user root --password-file pw',
      'the inventory, and on stderr what is not as it should be',
    ],
    ['failover adopt db1:3307 --user root --password-file - --output hosts.yml', 'into a new file'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 all is well, 2 something is not as it should be, 4 nobody answers.',
  );
  return command.action(async (words: readonly string[]) => {
    const raw = command.opts<Raw>();
    const ask = asking(raw, signal);
    const discovery = await discover(words.map(parseAddress), ask);
    const silent = discovery.instances.filter(({ answer }) => answer.kind === 'silent');
    if (silent.length === discovery.instances.length) {
      throw new UserError(
        silent.map(({ address, answer }) => ({
          message: `${hostPort(address.host, address.port)}: ${answer.kind === 'silent' ? answer.silence.message : ''}`,
        })),
        { exitCode: EXIT.unreachable },
      );
    }
    const { inventory, remarks } = adopt(discovery, raw.name);
    if (raw.output === undefined) process.stdout.write(inventory);
    else write(raw.output, inventory);
    for (const remark of remarks) process.stderr.write(`- ${remark}\n`);
    if (remarks.length > 0) process.exitCode = EXIT.failed;
  });
}

function parseAddress(word: string): SourceAddress {
  const read = parseHostPort(word, 3306);
  if (read === undefined)
    throw new InvalidArgumentError(`"${word}" is no address: expected HOST or HOST:PORT`);
  return read;
}

/** Reads the state of a server of which nothing but the address is known. */
function asking(raw: Raw, signal: AbortSignal): (address: SourceAddress) => Promise<InstanceState> {
  const settings = defaultSettings();
  const account = { user: raw.user, password: new Secret(passwordOf(raw.passwordFile)) };
  const options = {
    dial: dialTcp(settings.connectTimeoutMs),
    accounts: { failover: account, replication: account, backup: account },
    tls: { ca: raw.ca === undefined ? undefined : read(raw.ca), serverName: undefined },
    replicaCa: '',
    connectTimeoutMs: settings.connectTimeoutMs,
    longTransactionSeconds: settings.longTransactionSeconds,
  };
  const limits = { timeoutMs: settings.connectTimeoutMs + settings.queryTimeoutMs, signal };
  return async ({ host, port }) => {
    const one = { ...options, name: hostPort(host, port), address: host, port };
    const server = createServer({ ...one, flavour: await detectFlavour(one, limits) });
    try {
      return await server.readState(limits);
    } finally {
      await server.close();
    }
  };
}

function passwordOf(file: string | undefined): string {
  if (file === undefined) return '';
  return (file === '-' ? readFileSync(0, 'utf8') : read(file)).replace(/\r?\n$/, '');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    throw new UserError(
      {
        message: `${file} cannot be written: ${(error as Error).message}`,
        hint: 'name a file that is not there yet',
      },
      { cause: error },
    );
  }
}
