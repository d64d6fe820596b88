import type { Duplex } from 'node:stream';

import { UserError } from '../../lib/errors.ts';
import type { Coordination, Lease } from './coordination.ts';
import type { Call } from './question.ts';
import { leaseClock, now, type Moment } from './lease-clock.ts';
import { leaseLost } from './lease-errors.ts';
import { refuseNewer, stamped } from './record-version.ts';
import { memoryText, PING_MS, readObjects, SILENCE_MS, type Reply } from './wire.ts';

export interface RemoteCoordinationOptions {
  /** Starts the command that runs `serveCoordination` there, and returns its standard input and output. */
  readonly open: () => Promise<Duplex>;
  /** The machine that keeps the files, for messages: `lb1`. */
  readonly where: string;
  readonly cluster: string;
  /** Whether there is no other cluster. Otherwise the keeper must say that it serves this one. */
  readonly isOnly: boolean;
  readonly timeoutMs?: number | undefined;
  /** How long the keeper waits for a message; shorter in tests. */
  readonly silenceMs?: number | undefined;
  readonly pingMs?: number | undefined;
}

interface Pending {
  readonly sent: Moment;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Uses the coordination of the keeper, where one daemon watches without etcd, from another machine. Operator and
 * daemon share the files and the lock, so that they never change the cluster at the same time.
 */
export function remoteCoordination(options: RemoteCoordinationOptions): Coordination {
  const { where, cluster, isOnly, timeoutMs = 3000, silenceMs = SILENCE_MS, pingMs = PING_MS } = options;
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let stream: Promise<Duplex> | undefined;
  let closed: Error | undefined;
  let pings: NodeJS.Timeout | undefined;
  /** Called with the time at which a request was sent that the keeper has answered. */
  let heard: ((sent: Moment) => void) | undefined;
  let lost: ((error: Error) => void) | undefined;

  const end = (error: Error): void => {
    closed ??= error;
    clearInterval(pings);
    for (const { reject, timer } of pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    pending.clear();
    lost?.(leaseLost(cluster, error.message));
  };

  const connect = async (): Promise<Duplex> => {
    const channel = await options.open();
    channel.on('error', end);
    readObjects(
      channel,
      (value) => {
        const reply = value as Reply;
        const question = pending.get(reply.id);
        if (!question) return;
        pending.delete(reply.id);
        clearTimeout(question.timer);
        try {
          refuseNewer(reply, `what ${where} answers`);
        } catch (error) {
          question.reject(error as UserError);
          return;
        }
        heard?.(question.sent);
        if ('problems' in reply) question.reject(new UserError(reply.problems));
        else question.resolve(reply.value);
      },
      (error) => end(error ?? new UserError(`the connection to ${where} has ended`)),
    );
    pings = setInterval(() => void ask({ call: 'ping' }).catch(() => {}), pingMs).unref();
    return channel;
  };

  let verified: Promise<void> | undefined;

  const ask = async (call: Call): Promise<unknown> => {
    stream ??= connect().catch((error: unknown) => {
      stream = undefined;
      throw error;
    });
    const channel = await stream;
    if (!isOnly) await (verified ??= verify(channel));
    return await send(channel, call);
  };

  const send = (channel: Duplex, call: Call): Promise<unknown> => {
    if (closed) return Promise.reject(closed);
    return new Promise((resolve, reject) => {
      const id = nextId++;
      const timer = setTimeout(() => {
        pending.delete(id);
        reject(
          new UserError(
            `${where}, which keeps the lock of ${cluster}, does not answer within ${timeoutMs} ms`,
          ),
        );
      }, timeoutMs);
      pending.set(id, { sent: now(), resolve, reject, timer });
      channel.write(`${JSON.stringify(stamped({ ...call, id, cluster }))}\n`);
    });
  };

  /** A keeper that does not know this cluster yet must not lend the lock and the memory of another one. */
  const verify = async (channel: Duplex): Promise<void> => {
    const { cluster: served } = ((await send(channel, { call: 'ping' })) ?? {}) as { cluster?: string };
    if (served === cluster) return;
    throw new UserError({
      message: `${where} keeps ${served === undefined ? 'one cluster only, since its release is older' : `the cluster ${served}`}, and not ${cluster}`,
      hint: '`provision up --tags failover` tells it of all clusters',
    });
  };

  // The schemas of the records load while the connection opens.
  const reading = import('./records.ts');
  const memoryKept = `the memory kept on ${where}`;

  const lease = (epoch: number, sent: Moment): Lease => {
    const clock = leaseClock(() => leaseLost(cluster, `${where} has not answered for too long`));
    heard = (moment) => clock.renew(moment, silenceMs);
    lost = (error) => clock.end(error);
    clock.renew(sent, silenceMs);
    return {
      epoch,
      signal: clock.signal,
      confirm: async () => {
        if (!clock.valid()) throw clock.signal.reason;
        try {
          await ask({ call: 'confirm' });
        } catch (error) {
          clock.end(error as Error);
        }
        if (!clock.valid()) throw clock.signal.reason;
      },
      release: async () => {
        heard = undefined;
        lost = undefined;
        clock.end(leaseLost(cluster, 'it was given back'));
        // When the request fails, the keeper releases the lock because of the silence.
        await ask({ call: 'release' }).catch(() => {});
      },
    };
  };

  return {
    acquire: async (owner) => {
      // The lease starts with the request, and not while the connection opens and the keeper starts.
      await ask({ call: 'ping' });
      const sent = now();
      const { epoch } = (await ask({ call: 'acquire', owner })) as { epoch: number };
      return lease(epoch, sent);
    },
    holder: async () => {
      const { leaseOwnerFrom } = await reading;
      const holder = await ask({ call: 'holder' });
      return holder === undefined ? undefined : leaseOwnerFrom(holder, `the lock kept on ${where}`);
    },
    memory: async () => {
      const { memoryFrom } = await reading;
      return memoryFrom(await ask({ call: 'memory' }), memoryKept);
    },
    remember: async (change) => {
      const { memoryFrom } = await reading;
      for (let attempt = 0; attempt < 50; attempt++) {
        const before = await ask({ call: 'memory' });
        const next = stamped(change(memoryFrom(before, memoryKept)));
        // The memory is compared as the keeper sent it: its release may know keys that this one does not.
        if (await ask({ call: 'swap', was: memoryText(before), next })) return;
      }
      throw new UserError(`what ${cluster} remembers is changed by others all the time; try again`);
    },
    write: async (entry) => {
      await ask({ call: 'write', entry: stamped(entry) });
    },
    history: async (limit) => {
      const { entryFrom } = await reading;
      const entries = (await ask({ call: 'history', limit })) as readonly unknown[];
      return entries.map((entry) => entryFrom(entry, `the journal kept on ${where}`));
    },
    close: async () => {
      const channel = await stream?.catch(() => undefined);
      end(new UserError('closed'));
      channel?.end();
      channel?.destroy();
    },
  };
}
