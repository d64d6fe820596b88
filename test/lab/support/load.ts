import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import type { LoadReport } from './load-client.ts';
import { must, startAsClient, type TestLab } from './site.ts';

export interface Load {
  /** Ends it; what became of every request. May be asked again. */
  stop(): Promise<LoadReport>;
}

/** Starts a steady load on the site by a process that never asks twice: reads and writes, HTTP/1.1 and h2. */
export async function steadyLoad(lab: TestLab, vip: string): Promise<Load> {
  const stopFile = join(tmpdir(), `${lab.name}-stop-${randomBytes(4).toString('hex')}`);
  const program = join(import.meta.dirname, 'load-client.ts');
  const client = startAsClient(lab, program, `http://${vip}/`, stopFile);
  return {
    async stop() {
      writeFileSync(stopFile, '');
      const said = must(await client.ended, 'the load').stdout;
      rmSync(stopFile, { force: true });
      return JSON.parse(said) as LoadReport;
    },
  };
}

/** The same for as long as a test runs. */
export async function startLoad(t: ExecutionContext, lab: TestLab, vip: string): Promise<Load> {
  const load = await steadyLoad(lab, vip);
  t.teardown(async () => void (await load.stop()));
  return load;
}

/** Nothing failed, and what was accepted is there. */
export async function mustBeWhole(t: ExecutionContext, load: Load): Promise<void> {
  const { requests, lanes, failures, written, lost, ms } = await load.stop();
  t.log(`${requests} requests ${JSON.stringify(lanes)}, ${JSON.stringify(ms)} ms, ${written} written`);
  t.deepEqual(failures, []);
  t.true(written > 0);
  t.deepEqual(lost, []);
}
