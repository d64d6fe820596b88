import { provision, type RunningProgram, startProvision, waitFor, type Ended } from './cli.ts';

/** A lab of a test's own: beside the user's, with hosts of its own. */
export interface TestLab {
  readonly name: string;
  readonly inventory: string;
  /** `provision lab VERB … --name …`; fails when it fails. */
  lab(...args: readonly string[]): Promise<Ended>;
  /** Runs a command as root on a host, or as the outside client. */
  exec(host: string, ...command: readonly string[]): Promise<Ended>;
  /** The same as a shell's line. */
  sh(host: string, line: string): Promise<string>;
  /** `provision VERB … -i INVENTORY`, whatever its exit code. */
  provision(...args: readonly string[]): Promise<Ended>;
}

export function testLab(name: string): TestLab {
  const inventory = `inventory/${name}`;
  const lab = async (...args: readonly string[]): Promise<Ended> =>
    must(await provision('lab', ...args, '--name', name), args.join(' '));
  const exec = async (host: string, ...command: readonly string[]): Promise<Ended> =>
    await provision('lab', 'exec', '--name', name, host, '--', ...command);
  return {
    name,
    inventory,
    lab,
    exec,
    sh: async (host, line) => must(await exec(host, 'sh', '-c', line), `${host}: ${line}`).stdout.trim(),
    provision: async (...args) => await provision(...args, '-i', inventory),
  };
}

export function must(ended: Ended, what: string): Ended {
  if (ended.status !== 0)
    throw new Error(`${what}: exit status ${ended.status}\n${ended.stdout}\n${ended.stderr}`);
  return ended;
}

/** Starts a program of ours, a file of TypeScript, in the place of the outside client. */
export function startAsClient(lab: TestLab, program: string, ...args: readonly string[]): RunningProgram {
  const command = [process.execPath, program, ...args];
  return startProvision(['lab', 'exec', '--name', lab.name, 'client', '--', ...command]);
}

/** What the app answers to the outside client. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A request of the outside client to the site's address. */
export async function request(lab: TestLab, url: string, ...curl: readonly string[]): Promise<Answer> {
  const ended = await lab.exec(
    'client',
    'curl',
    '-sS',
    '-k',
    '--max-time',
    '10',
    '-w',
    '\n%{http_code}',
    ...curl,
    url,
  );
  if (ended.status !== 0) throw new Error(`curl ${url}: ${ended.stderr.trim()}`);
  const at = ended.stdout.trimEnd().lastIndexOf('\n');
  return { status: Number(ended.stdout.slice(at + 1)), body: ended.stdout.slice(0, Math.max(0, at)) };
}

/** The site's virtual address, from the inventory. */
export async function vipOf(lab: TestLab): Promise<string> {
  const shown = must(await lab.provision('inventory', '--json'), 'inventory');
  const all = JSON.parse(shown.stdout) as { hosts: Record<string, { vip: string }> };
  const vip = all.hosts['lb1']?.vip;
  if (vip === undefined) throw new Error('the inventory names no vip');
  return vip;
}

/** Waits until the site answers. */
export async function siteIsUp(lab: TestLab, vip: string): Promise<void> {
  await waitFor(`http://${vip}/ answers`, async () => (await request(lab, `http://${vip}/`)).status === 200);
}
