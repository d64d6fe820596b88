import { UserError } from '../../lib/errors.ts';
import { byLine } from '../reach/machine-verbs.ts';
import type { Become, Connection } from '../../transport/transport.ts';
import type { Ground, Running, ShellOptions, StartOptions } from './ground.ts';

export interface SshGroundOptions {
  readonly connect: (host: string) => Promise<Connection>;
  readonly becomeOf: (host: string) => Become;
  readonly close: () => Promise<void>;
}

/** Real machines, reached as an operator reaches them. */
export function sshGround({ connect, becomeOf, close }: SshGroundOptions): Ground {
  const known = new Map<string, Promise<Connection>>();
  /** Commands on one connection run one after the other, so a long one has a connection of its own. */
  const connection = async (host: string): Promise<Connection> => {
    const before = known.get(host);
    if (before) {
      const found = await before.catch((): undefined => undefined);
      if (found && !found.closed) return found;
    }
    const opening = connect(host);
    known.set(host, opening);
    return await opening;
  };
  const sh = async (host: string, script: string, options: ShellOptions = {}): Promise<string> => {
    const opened = await connection(host);
    const result = await opened.run(script, {
      become: becomeOf(host),
      timeoutMs: options.timeoutMs ?? 60_000,
      ...(options.input === undefined ? {} : { stdin: Buffer.from(options.input) }),
    });
    if (result.timedOut)
      throw new UserError(`${host}: no answer within ${(options.timeoutMs ?? 60_000) / 1000} s`);
    if (result.status === 0) return result.stdout.toString('utf8');
    throw new UserError(
      `${host}: status ${result.status}: ${result.stderr.toString('utf8').trim().slice(-1000) || script.slice(0, 200)}`,
    );
  };
  const start = (host: string, script: string, { input, onLine }: StartOptions): Running => {
    const controller = new AbortController();
    const run = async (): Promise<void> => {
      const own = await connect(host);
      try {
        await own.run(script, {
          become: becomeOf(host),
          stdin: Buffer.from(input),
          onStdout: byLine(onLine),
          signal: controller.signal,
        });
      } catch {
        // Its output tells how it ended.
      } finally {
        await own.close().catch(() => {});
      }
    };
    return { ended: run(), end: () => controller.abort() };
  };
  return {
    sh,
    start,
    lab: undefined,
    close: async () => {
      await Promise.allSettled([...known.values()].map(async (one) => await (await one).close()));
      await close();
    },
  };
}
