import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError, Option } from 'commander';

import { loadInventory } from '../../inventory/load.ts';
import { UserError } from '../../lib/errors.ts';
import { quote } from '../../lib/shell.ts';
import {
  layOut,
  type LaidOut,
  type ProjectFile,
  shippedFiles,
  shippedText,
  siteFiles,
} from '../../project/lay-out.ts';
import { ownFiles } from '../../project/project-files.ts';
import { makeSecrets } from '../../project/secrets.ts';
import { answerProblems, parseBalancer, parseServer, type SiteAnswers } from '../../project/site-answers.ts';
import { siteInventory } from '../../project/site-inventory.ts';
import { type GivenAnswers, missingAnswers, siteAnswers } from './init-questions.ts';
import { addExamples } from './options.ts';

/** Where the machines come from. */
type Source = 'example' | 'vagrant' | 'answers';

interface InitOptions extends GivenAnswers {
  readonly from?: 'example' | 'vagrant';
  readonly name?: string;
}

const EXAMPLE = 'inventory/production.example';

/** `provision init`: lays out a project of one's own, for when the programs were installed with npm. */
export function initCommand(): Command {
  const command = new Command('init')
    .description('lay out a project: inventory, playbooks, files and passwords')
    .argument('[directory]', 'where', '.')
    .addOption(
      new Option('--from <source>', 'machines to begin with, instead of being asked for them').choices([
        'example',
        'vagrant',
      ]),
    )
    .option('--name <name>', 'the name of the inventory (default: production, or vagrant)', parseName)
    .option('--user <name>', 'who logs in by SSH (default: admin)')
    .option('--vip <address>', 'the floating address that clients use')
    .option('--vip2 <address>', 'a second one, for two balancers that both serve')
    .option('--operator <address>', 'where you come from, an address or a network; may be repeated', append)
    .option('--balancer <name=front,back>', 'a balancer and its two addresses; may be repeated', addBalancer)
    .option('--server <name=back>', 'a server and its address; may be repeated', addServer)
    .option('--front-network <network>', "(default: the 256 addresses around the first balancer's)")
    .option('--back-network <network>', '(default: likewise)')
    .option('--front-interface <name>', "the balancers' (default: eth0)")
    .option('--back-interface <name>', "the balancers' (default: eth1)")
    .option('--server-interface <name>', "the servers' on the back network (default: eth0)");
  addExamples(command, [
    ['provision init site', 'asks for your machines'],
    ['provision init site --from example', 'addresses to be replaced by yours'],
    ['provision init --from vagrant', 'five virtual machines, here'],
    [
      'provision init --vip 203.0.113.100 --operator 198.51.100.7 --balancer lb1=203.0.113.11,10.20.0.11 --server web1=10.20.0.21',
      'without a question',
    ],
  ]);
  return command.action(async (directory: string, options: InitOptions) => {
    await init(resolve(directory), options);
  });
}

async function init(directory: string, options: InitOptions): Promise<void> {
  const name = options.name ?? (options.from === 'vagrant' ? 'vagrant' : 'production');
  const inventory = `inventory/${name}`;
  const hosts = join(directory, inventory, 'hosts.yml');
  const isDescribed = options.from !== undefined || hasAnswers(options);
  if (existsSync(hosts) && isDescribed) {
    throw new UserError({
      message: `${hosts} is there, and is not overwritten`,
      hint: 'give the new inventory another --name; without --from and addresses, what is missing is added',
    });
  }
  const source = existsSync(hosts) ? undefined : await sourceOf(options);
  const files = [
    ...(source === undefined ? [] : await inventoryFiles(inventory, source)),
    ...ownFiles(name),
    ...(await siteFiles()),
  ];
  const laidOut = await layOut(directory, files);
  const secrets = makeSecrets(join(directory, 'playbooks'), loadInventory(join(directory, inventory)));
  process.stdout.write(summary(directory, inventory, source?.kind, laidOut, secrets));
}

type Described =
  | { readonly kind: 'example' | 'vagrant' }
  | { readonly kind: 'answers'; readonly answers: SiteAnswers };

/** What the inventory is made of: a shipped one, what was given as options, or what is answered on the terminal. */
async function sourceOf(options: InitOptions): Promise<Described> {
  if (options.from !== undefined) {
    if (hasAnswers(options)) throw new UserError('--from brings its own addresses: leave those options away');
    return { kind: options.from };
  }
  const missing = missingAnswers(options);
  if (missing.length > 0 && !process.stdin.isTTY) {
    throw new UserError({
      message: `without a terminal nobody can be asked for the machines, and ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not given`,
      hint: 'give them, or begin with --from example or --from vagrant',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answers = await siteAnswers(options, {
    ask: missing.length === 0 ? undefined : async (question) => await terminal.question(question),
    say: (text) => process.stderr.write(`${text}\n`),
  }).finally(() => terminal.close());
  const problems = answerProblems(answers);
  if (problems.length > 0) throw new UserError(problems);
  return { kind: 'answers', answers };
}

async function inventoryFiles(inventory: string, source: Described): Promise<readonly ProjectFile[]> {
  if (source.kind === 'vagrant') {
    return [
      { path: `${inventory}/hosts.yml`, content: await shippedText('inventory/vagrant/hosts.yml') },
      { path: 'Vagrantfile', content: await shippedText('Vagrantfile') },
    ];
  }
  const shipped = await shippedFiles(EXAMPLE);
  return shipped.map((file) => {
    const path = `${inventory}/${relative(EXAMPLE, file.path)}`;
    return source.kind === 'answers' && file.path === `${EXAMPLE}/hosts.yml`
      ? { path, content: siteInventory(file.content.toString(), source.answers) }
      : { ...file, path };
  });
}

function summary(
  directory: string,
  inventory: string,
  source: Source | undefined,
  { made, kept }: LaidOut,
  secrets: readonly string[],
): string {
  const place = relative('', directory);
  const provision = process.env['npm_command'] === 'exec' ? 'npx provision' : 'provision';
  const option = `-i ${inventory}`;
  const check = [`${provision} inventory ${option}`, 'what the inventory says'] as const;
  const way = [
    [`${provision} trust ${option}`, "record the machines' SSH host keys"],
    [`${provision} doctor ${option}`, 'what is in the way'],
    [`${provision} up ${option}`, 'make the site'],
  ] as const;
  const next: readonly (readonly [string, string])[] =
    source === 'vagrant'
      ? [check, ['vagrant up', 'boot the machines'], [`${provision} up ${option}`, 'make the site']]
      : source === 'example'
        ? [
            check,
            [`\${EDITOR:-vi} ${inventory}/hosts.yml`, 'its addresses are examples: write yours'],
            ...way,
          ]
        : [check, ...way];
  const commands = [...(place === '' ? [] : [[`cd ${quote(place)}`, ''] as const]), ...next];
  const width = Math.max(...commands.map(([line]) => line.length));
  return [
    `${directory}: ${made.length} files made${kept.length === 0 ? '' : `, ${kept.length} kept as they are`}`,
    ...kept.map((path) => `  kept, though this version has another: ${path}`),
    `  ${inventory}/secrets: ${secrets.length} passwords, readable by you alone; back them up`,
    '',
    'Next:',
    ...commands.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`.trimEnd()),
    '',
  ].join('\n');
}

function hasAnswers(options: InitOptions): boolean {
  return Object.keys(options).some((key) => key !== 'from' && key !== 'name');
}

function parseName(text: string): string {
  if (/^[A-Za-z0-9][\w.-]*$/.test(text)) return text;
  throw new InvalidArgumentError(
    'It is the name of a directory: letters, digits, dots, hyphens and underscores.',
  );
}

function append(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function addBalancer(text: string, before: GivenAnswers['balancer'] = []): GivenAnswers['balancer'] {
  const balancer = parseBalancer(text);
  if (balancer === undefined) throw new InvalidArgumentError('It is like lb1=203.0.113.11,10.20.0.11.');
  return [...before, balancer];
}

function addServer(text: string, before: GivenAnswers['server'] = []): GivenAnswers['server'] {
  const server = parseServer(text);
  if (server === undefined) throw new InvalidArgumentError('It is like web1=10.20.0.21.');
  return [...before, server];
}
