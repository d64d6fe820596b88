import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';

import {
  execCommand,
  freeze,
  heal,
  isolate,
  kill,
  type LabStatus,
  start,
  status,
  thaw,
} from '../../lab/faults.ts';
import { down, openLab, reset, up } from '../../lab/lab.ts';
import { CLIENT, DEFAULT_LAB, DEFAULT_SERVERS, labHosts, MAX_SERVERS, OPERATOR } from '../../lab/layout.ts';
import { debianRelease, DEBIANS, DEFAULT_DEBIAN } from '../../lab/release.ts';
import { systemEnvironment } from '../../lib/system-path.ts';
import { confirm } from './confirm.ts';
import { addExamples } from './options.ts';

interface LabCommandOptions {
  readonly name: string;
}

const HOST_NAMES = labHosts(DEFAULT_SERVERS)
  .map((host) => host.name)
  .join(', ');

interface UpFlags {
  readonly debian?: string;
  readonly servers?: number;
  readonly monitoring?: boolean;
}

/** `provision lab`: real test hosts on this machine, and faults for them. */
export function labCommand(): Command {
  const lab = new Command('lab').description('real test hosts on this machine');
  const verb = (usage: string, description: string): Command =>
    lab
      .command(usage)
      .description(description)
      .option('--name <name>', 'which lab; several run beside each other', DEFAULT_LAB);

  addExamples(
    verb('up', 'make the hosts, or repair and complete them')
      .option(
        '--debian <release>',
        `their Debian, ${DEBIANS.join(' or ')}; a lab keeps the one it has (${DEFAULT_DEBIAN})`,
      )
      .option(
        '--servers <number>',
        `how many servers (web1, web2, …); a lab keeps those it has, and gets more (${DEFAULT_SERVERS})`,
        serverCount,
      )
      .option('--monitoring', 'mon1 is to watch the site; a lab keeps what it is')
      .option('--no-monitoring', 'mon1 is to be spare again')
      .action(async (options: LabCommandOptions & UpFlags) => {
        const { name, servers, monitoring } = options;
        const debian = options.debian === undefined ? undefined : debianRelease(options.debian);
        await up({ name, debian, servers, monitoring, report: reporter() });
      }),
    [
      ['sudo provision lab up', 'six bare hosts, and inventory/lab to reach them by'],
      ['sudo provision lab up --name second', 'another lab beside it, in inventory/second'],
      ['sudo provision lab up --name old --debian 12', 'with Debian 12 and its packages'],
      ['sudo provision lab up --name big --servers 5', 'with web4 and web5, and db4 and db5 on them'],
    ],
  );

  addExamples(
    verb('down', 'remove the hosts, their networks and their inventory')
      .option('-y, --yes', 'do not ask first')
      .action(async (options: LabCommandOptions & { yes?: true }) => {
        if (!options.yes) await confirm(`End the lab "${options.name}" and throw its hosts' disks away?`);
        await down({ name: options.name, report: reporter() });
      }),
    [['sudo provision lab down --name second --yes', 'without a question; other labs stay']],
  );

  addExamples(
    verb('reset', 'make all hosts bare again').action(async (options: LabCommandOptions) => {
      await reset({ name: options.name, report: reporter() });
    }),
    [['sudo provision lab reset', 'as after the first lab up; keys and addresses stay']],
  );

  addExamples(
    verb('status', 'show the hosts, their addresses and their faults')
      .option('--json', 'one JSON object on stdout')
      .action(async (options: LabCommandOptions & { json?: true }) => {
        const found = await status(options.name);
        process.stdout.write(options.json ? `${JSON.stringify(found)}\n` : statusText(found));
      }),
    [["sudo provision lab status --json | jq -r '.hosts[] | .name, .state'", 'for a program']],
  );

  addExamples(
    verb('shell <host>', 'a root shell in a host, or in the client').action(
      async (host: string, options: LabCommandOptions) => {
        const shell = host === CLIENT ? ['bash'] : ['bash', '--login'];
        await passThrough(await execCommand(await openLab(options.name), host, shell));
      },
    ),
    [['sudo provision lab shell web1', 'works without network and SSH, too']],
  );

  addExamples(
    verb('exec <host> <command...>', 'run a command in a host, as root, or in the client').action(
      async (host: string, argv: readonly string[], options: LabCommandOptions) => {
        await passThrough(await execCommand(await openLab(options.name), host, argv));
      },
    ),
    [
      ['sudo provision lab exec web1 -- journalctl -n 20', 'as root, without SSH'],
      ['sudo provision lab exec client -- curl -s http://10.83.0.100/', 'as a visitor of the site'],
    ],
  );

  const hostVerb = (
    name: string,
    description: string,
    action: (host: string, name: string) => Promise<void>,
    example: string,
  ): Command =>
    addExamples(
      verb(`${name} <host>`, description).action(async (host: string, options: LabCommandOptions) => {
        await action(host, options.name);
      }),
      [[`sudo provision lab ${name} web1`, example]],
    );
  hostVerb('kill', "cut a host's power", kill, 'at once, with nothing written back');
  hostVerb('start', 'switch a host on again', start, 'after kill, or after poweroff inside');
  hostVerb(
    'freeze',
    'stop all processes of a host where they are',
    freeze,
    'it hangs: its ports still accept, and nothing answers',
  );
  hostVerb('thaw', 'let a frozen host go on', thaw, 'as if no time had passed for it');

  addExamples(
    verb('isolate <host>', 'cut a host from the network; its packets vanish both ways')
      .option('--from <peers...>', `only from these: hosts, ${OPERATOR} or ${CLIENT}`)
      .action(async (host: string, options: LabCommandOptions & { from?: readonly string[] }) => {
        await isolate(host, options.from ?? [], options.name);
      }),
    [
      ['sudo provision lab isolate web1', 'from everyone'],
      ['sudo provision lab isolate web1 --from web2 web3', 'the balancers still reach it'],
    ],
  );

  addExamples(
    verb('heal', 'end all faults: mend cuts, thaw and start hosts').action(
      async (options: LabCommandOptions) => {
        await heal(options.name);
      },
    ),
    [['sudo provision lab heal', 'whatever was broken on purpose']],
  );

  return addExamples(lab, [
    ['sudo provision lab up', `real Debian hosts on this machine: ${HOST_NAMES}`],
    ['provision up -i inventory/lab', 'make a site of them'],
    ['sudo provision lab kill web1', 'see what happens'],
    ['sudo provision lab heal', 'and mend it'],
    ['sudo provision lab reset', 'bare hosts again, in seconds'],
    ['sudo provision lab down', 'leave nothing'],
  ]);
}

function serverCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= DEFAULT_SERVERS && count <= MAX_SERVERS) return count;
  throw new InvalidArgumentError(`expected a number from ${DEFAULT_SERVERS} to ${MAX_SERVERS}`);
}

/** Prints steps as plain lines, each with the seconds since the first. */
function reporter(): (step: string) => void {
  const begun = performance.now();
  return (step) => {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stderr.write(`${seconds.padStart(5)} s  ${step}\n`);
  };
}

/** A lab's status as a table for people. */
export function statusText(found: LabStatus): string {
  const rows = found.hosts.map((host) => [
    host.name,
    host.state,
    host.frontAddress ?? '-',
    host.backAddress,
    host.isolatedFrom.length === 0 ? '' : `isolated from ${host.isolatedFrom.join(', ')}`,
  ]);
  const table = [['HOST', 'STATE', 'FRONT', 'BACK', ''], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  lines.push('', `inventory  ${found.inventory}`, `hosts      Debian ${found.debian}`);
  if (!found.network) lines.push('the networks are broken or gone: provision lab up repairs them');
  if (!found.packageCache) lines.push('the package cache does not run: provision lab up starts it');
  return `${lines.join('\n')}\n`;
}

/** Runs a program with this one's own input and output, and ends with its status. */
async function passThrough(argv: readonly string[]): Promise<void> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: 'inherit', env: systemEnvironment() });
  // Ctrl-C is for the program inside, which gets it from the terminal as we do.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  process.off('SIGINT', ignore);
  process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
