// Servers that are taken out one after the other, under load: by `provision roll`, and by a play of Ansible's.
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import type { RollLine } from '../src/report/roll/schema.ts';
import { steadyLoad } from '../test/lab/support/load.ts';
import type { LoadReport } from '../test/lab/support/load-client.ts';
import { testLab, vipOf } from '../test/lab/support/site.ts';
import type { Ansible } from './ansible.ts';
import { measure, type Measured, median } from './measure.ts';

const ROOT = join(import.meta.dirname, '..');
/** How long a site is watched on which nothing happens. */
const QUIET_MS = 30_000;

export interface RollBench {
  readonly lab: string;
  readonly runs: number;
  readonly ansible: Ansible;
  /** The program: Node.js, what it runs, and the inventory. */
  readonly provision: (...args: readonly string[]) => readonly string[];
  readonly say: (line: string) => void;
}

interface Loaded<T> {
  readonly result: T;
  readonly load: LoadReport;
}

type Rolled = Loaded<{ readonly ms: number; readonly outMs: readonly number[] }>;

/** Runs all of it on a provisioned lab. Rejects when a roll failed, or lost a write that was accepted. */
export async function benchRoll({ lab: name, runs, ansible, provision, say }: RollBench): Promise<void> {
  const lab = testLab(name);
  const vip = await vipOf(lab);
  const underLoad = async <T>(work: () => Promise<T>): Promise<Loaded<T>> => {
    const load = await steadyLoad(lab, vip);
    try {
      const result = await work();
      const report = await load.stop();
      if (report.lost.length > 0) throw new Error(`${report.lost.length} accepted writes were lost`);
      return { result, load: report };
    } finally {
      await load.stop();
    }
  };
  const rolled = async (playbook: string): Promise<Rolled> =>
    await underLoad(async () => {
      const argv = provision('roll', `bench/roll/${playbook}`, '--hosts', 'servers', '--yes', '--json');
      return timesOf(succeed(await measure(argv, { cwd: ROOT })));
    });

  say('\nThree servers, one after the other, under the load of a client that never asks twice');
  const quiet = await underLoad(async () => await wait(QUIET_MS));
  latencyRow(say, 'nothing happens', [quiet.load]);

  const nothing = await times(runs, async () => await rolled('nothing.yml'));
  latencyRow(say, 'provision roll, no work', loads(nothing));
  rollRow(say, 'provision roll, no work', nothing, 10);
  outRow(say, nothing);

  const ours = await times(runs, async () => await rolled('restart.yml'));
  latencyRow(say, 'provision roll, restarts', loads(ours));
  rollRow(say, 'provision roll, restarts', ours);
  outRow(say, ours);

  const theirs = await times(
    runs,
    async () => await underLoad(async () => succeed(await ansible.run('bench/roll/ansible.yml'))),
  );
  latencyRow(say, 'ansible-playbook, serial: 1', loads(theirs));
  rollRow(say, 'ansible-playbook, serial: 1', theirs);
  const ratio = median(theirs.map(({ result }) => result.ms)) / median(ours.map(({ result }) => result.ms));
  say(`  the same restarts: ${ratio.toFixed(1)} times faster`);
}

function timesOf({ ms, output }: Measured): Rolled['result'] {
  const report = output
    .split('\n')
    .filter((line) => line.startsWith('{"type":"report"'))
    .map((line) => JSON.parse(line) as Extract<RollLine, { type: 'report' }>)
    .at(-1);
  if (report === undefined) throw new Error(`no report of a roll in\n${output.slice(-2000)}`);
  return { ms, outMs: report.hosts.map(({ outOfServiceMs }) => outOfServiceMs) };
}

async function times<T>(count: number, once: () => Promise<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let run = 0; run < count; run++) all.push(await once());
  return all;
}

function loads(runs: readonly Loaded<unknown>[]): readonly LoadReport[] {
  return runs.map(({ load }) => load);
}

function latencyRow(say: (line: string) => void, name: string, all: readonly LoadReport[]): void {
  const at = (part: keyof LoadReport['ms']): string => median(all.map(({ ms }) => ms[part])).toFixed(0);
  const sum = (count: (load: LoadReport) => number): number =>
    all.reduce((total, one) => total + count(one), 0);
  const answered = `p50 ${at('p50')}, p99 ${at('p99')}, p99.9 ${at('p999')}, worst ${at('worst')} ms`;
  const failed = sum(({ failures }) => failures.length);
  say(`  ${name.padEnd(28)} ${answered}; ${sum(({ requests }) => requests)} requests, ${failed} failed`);
  for (const failure of all.flatMap(({ failures }) => failures).slice(0, 3)) say(`    ${failure}`);
}

function rollRow(
  say: (line: string) => void,
  name: string,
  runs: readonly Loaded<{ readonly ms: number }>[],
  aimSeconds?: number,
): void {
  const seconds = runs.map(({ result }) => result.ms / 1000);
  const aim = aimSeconds === undefined ? '' : ` (aim: ${aimSeconds} s)`;
  say(
    `  ${name.padEnd(28)} ${median(seconds).toFixed(1)} s (${Math.min(...seconds).toFixed(1)}–${Math.max(...seconds).toFixed(1)}, ${runs.length} runs)${aim}`,
  );
}

function outRow(say: (line: string) => void, runs: readonly Rolled[]): void {
  const out = runs.flatMap(({ result }) => result.outMs).map((ms) => ms / 1000);
  say(
    `  ${'out of service, a server'.padEnd(28)} median ${median(out).toFixed(1)} s, worst ${Math.max(...out).toFixed(1)} s`,
  );
}

function succeed(measured: Measured): Measured {
  if (measured.status === 0) return measured;
  throw new Error(`it ended with ${measured.status}\n${measured.output.slice(-4000)}`);
}
