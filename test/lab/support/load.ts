import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { waitFor } from './cli.ts';
import type { LoadReport } from './load-client.ts';
import { must, request, startAsClient, type TestLab } from './site.ts';

export interface Load {
  /** Ends it; what became of every request. */
  stop(): Promise<LoadReport>;
}

/** Starts a steady load on the site by a process that never asks twice: reads and writes, HTTP/1.1 and h2. */
export async function startLoad(t: ExecutionContext, lab: TestLab, vip: string): Promise<Load> {
  const stopFile = join(tmpdir(), `${lab.name}-stop-${randomBytes(4).toString('hex')}`);
  const program = join(import.meta.dirname, 'load-client.ts');
  const client = startAsClient(lab, program, `http://${vip}/`, stopFile);
  let ended = false;
  const stop = async (): Promise<LoadReport> => {
    ended = true;
    writeFileSync(stopFile, '');
    const said = must(await client.ended, 'the load').stdout;
    rmSync(stopFile, { force: true });
    return JSON.parse(said) as LoadReport;
  };
  t.teardown(async () => {
    if (!ended) await stop();
  });
  return { stop };
}

/** Nothing failed, and what was accepted is there. */
export async function mustBeWhole(t: ExecutionContext, lab: TestLab, vip: string, load: Load): Promise<void> {
  const { requests, lanes, failures, written, ms } = await load.stop();
  t.log(`${requests} requests ${JSON.stringify(lanes)}, ${JSON.stringify(ms)} ms, ${written.length} written`);
  t.deepEqual(failures, []);
  t.true(written.length > 0);
  const missing = new Set(written);
  await waitFor('every accepted message is there', async () => {
    let before: number | undefined;
    for (let pages = 0; missing.size > 0 && pages < 1000; pages++) {
      const page = await request(
        lab,
        `http://${vip}/api/messages?limit=50${before === undefined ? '' : `&before=${before}`}`,
      );
      const { messages } = JSON.parse(page.body) as {
        readonly messages: readonly { readonly id: number; readonly body: string }[];
      };
      if (messages.length === 0) break;
      for (const one of messages) missing.delete(one.body);
      before = messages.at(-1)?.id;
    }
    return missing.size === 0;
  });
}
