import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import type { Ground, LabGround, Running, ShellOptions, StartOptions } from '../../failover/drill/ground.ts';
import * as faults from '../../lab/faults.ts';
import { openLab } from '../../lab/lab.ts';
import { giveSmallDisk, takeSmallDisk } from '../../lab/small-disk.ts';
import { UserError } from '../../lib/errors.ts';
import { systemEnvironment } from '../../lib/system-path.ts';

/** A lab's hosts, entered without network and SSH: what is cut or frozen there hinders nobody here. */
export async function labGround(name: string): Promise<Ground> {
  const lab = await openLab(name);

  const sh = async (host: string, script: string, options: ShellOptions = {}): Promise<string> => {
    const result = await faults.exec(host, ['sh', '-c', script], {
      name,
      timeoutMs: options.timeoutMs ?? 60_000,
      ...(options.input === undefined ? {} : { input: options.input }),
    });
    if (result.status === 0) return result.stdout;
    throw new UserError(
      `${host}: status ${result.status}: ${result.stderr.trim().slice(-1000) || script.slice(0, 200)}`,
    );
  };

  const start = (host: string, script: string, { input, onLine }: StartOptions): Running => {
    const controller = new AbortController();
    const run = async (): Promise<void> => {
      const [program = '', ...args] = await faults.execCommand(lab, host, ['sh', '-c', script]);
      const child = spawn(program, args, {
        stdio: ['pipe', 'pipe', 'ignore'],
        signal: controller.signal,
        env: systemEnvironment(),
      });
      child.on('error', () => {});
      child.stdin.on('error', () => {});
      child.stdin.end(input);
      createInterface({ input: child.stdout }).on('line', onLine);
      await new Promise<void>((resolve) => child.on('close', () => resolve()));
    };
    return { ended: run(), end: () => controller.abort() };
  };

  const labOnly: LabGround = {
    cutPower: async (host) => await faults.kill(host, name),
    powerOn: async (host) => await faults.start(host, name),
    freeze: async (host) => await faults.freeze(host, name),
    thaw: async (host) => await faults.thaw(host, name),
    isolate: async (host, from) => await faults.isolate(host, from, name),
    heal: async () => await faults.heal(name),
    giveSmallDisk: async (host, directory, megabytes) => await giveSmallDisk(lab, host, directory, megabytes),
    takeSmallDisk: async (host, directory) => await takeSmallDisk(lab, host, directory),
  };
  return { sh, start, lab: labOnly, close: async () => {} };
}
