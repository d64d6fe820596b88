// What `npm start` does: makes the lab's hosts, provisions the whole site on them, and says what to try next.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { addRunOptions } from '../src/commands/provision/options.ts';
import { openLab } from '../src/lab/lab.ts';
import { UserError } from '../src/lib/errors.ts';
import { ensureNode, ROOT, runCommand } from './common.ts';
import { scriptCommand } from './options.ts';

ensureNode();

const command = scriptCommand(
  'start',
  'makes the hosts of the lab, provisions the site on them, and says what to try next',
  [
    ['npm start', 'six hosts and the site; again, it repairs what differs'],
    ['npm start -- --diff', 'the options are those of provision up'],
  ],
);
// What is wrong with them is said before the hosts are made.
addRunOptions(command);
command.parse();

const ANSWER_WITHIN_MS = 20_000;

interface Step {
  readonly title: string;
  readonly argv: readonly string[];
  /** What to do when it fails. */
  readonly hint: string;
}

const STEPS: readonly Step[] = [
  {
    title: 'Making the hosts of the lab (the first time it downloads Debian, about half a minute)',
    argv: ['lab', 'up'],
    hint: 'the message above says what is missing; without root or Linux use the Vagrantfile: docs/vagrant.md',
  },
  {
    title: 'Provisioning the site: playbooks/site.yml on inventory/lab',
    argv: ['up', 'playbooks/site.yml', '-i', 'inventory/lab', ...process.argv.slice(2)],
    hint: 'npm start again goes on where it stopped; with `npm run provision -- lab reset` before it, on bare hosts',
  },
];

try {
  process.exitCode = await start();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = error.exitCode;
}

async function start(): Promise<number> {
  for (const { title, argv, hint } of STEPS) {
    process.stdout.write(`\n${title}\n`);
    const status = await runCommand([process.execPath, join(ROOT, 'src/bin/provision.ts'), ...argv]);
    if (status !== 0) {
      process.stderr.write(`\nnpm start stopped there.\n  hint: ${hint}\n`);
      return status;
    }
  }
  const { network } = await openLab();
  const url = `http://${network.vip}/`;
  if (!(await answers(url))) {
    process.stderr.write(
      `\nEverything is provisioned, but ${url} does not answer.\n` +
        '  hint: npm run provision -- doctor; npm run provision -- lab status\n',
    );
    return 2;
  }
  process.stdout.write(`
The site is up: ${url}

Try next:
  curl -i ${url}                            which server answered is in the headers
  npm run provision -- page                          all of it live, in a browser
  npm run provision -- logs --since 10m              what all hosts have logged, as one
  npm run provision -- check --diff                  nothing should have to change
  npm run provision -- lab kill web1                 cut a server's power; the site stays up
  npm run provision -- lab start web1                and switch it on again
  npm run provision -- lab kill lb1                  the address moves to the other load balancer
  npm run provision -- lab shell web2                look around on a host
  npm run provision -- lab down                      remove everything
`);
  return 0;
}

/** Whether the site answers before long: the load balancers may still be counting a server's first good answers. */
async function answers(url: string): Promise<boolean> {
  const deadline = Date.now() + ANSWER_WITHIN_MS;
  while (Date.now() < deadline) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
      if (response.ok) return true;
    } catch {
      // Not yet.
    }
    await sleep(250);
  }
  return false;
}
