import type { Server } from '../../database/server.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { silenceOf } from '../cluster/silence.ts';
import type { InstanceSpec } from '../cluster/topology.ts';
import { newRecord, type InstanceRecord, withAnswer, withSilence } from './history.ts';

/** How often a complete state is read while there is no problem; in between the instance is only pinged. */
export const STATE_EVERY_MS = 1000;
/** How often every instance is queried while something may be wrong. */
const HURRY_MS = 100;

/** Queries one instance periodically, one query at a time. */
export interface Probe {
  readonly record: InstanceRecord;
  /** Sends a query now, or as soon as the current one has ended. */
  wake(): void;
  /** Reads a complete state; resolves when a query that began after this call has ended. */
  renew(): Promise<void>;
  /** Reads complete states at short intervals, while something may be wrong. */
  hurry(on: boolean): void;
  stop(): void;
}

export interface ProbeOptions {
  readonly spec: InstanceSpec;
  readonly server: Server;
  readonly settings: Pick<FailoverSettings, 'pollMs' | 'queryTimeoutMs'>;
  readonly onChange: () => void;
  /** A steady clock: the wall clock may be set back. */
  readonly clock: () => number;
}

/** Starts the queries, and listens for a lost connection. */
export function startProbe({ spec, server, settings, onChange, clock }: ProbeOptions): Probe {
  let record = newRecord(spec, clock());
  let isHurried = false;
  let isStopped = false;
  let isAwake = false;
  let isOld = false;
  let timer: NodeJS.Timeout | undefined;
  let asking: Promise<void> | undefined;
  const limits = { timeoutMs: settings.queryTimeoutMs };

  const ask = async (): Promise<void> => {
    const askedAt = clock();
    const wantsState =
      isHurried || isOld || record.silence !== undefined || askedAt - record.stateAt >= STATE_EVERY_MS;
    isOld = false;
    try {
      if (wantsState || record.state === undefined) {
        const state = await server.readState(limits);
        record = withAnswer(record, askedAt, state);
      } else {
        await server.ping(limits);
        record = withAnswer(record, askedAt);
      }
    } catch (error) {
      const silence = silenceOf(error);
      // A busy server may be slow to return a complete state; a ping tells whether it is alive.
      if (silence.kind === 'timeout' && record.silence === undefined && (await answers())) {
        record = withAnswer(record, askedAt);
      } else record = withSilence(record, askedAt, silence);
    }
  };
  const answers = async (): Promise<boolean> => {
    try {
      await server.ping(limits);
      return true;
    } catch (error) {
      silenceOf(error);
      return false;
    }
  };
  const next = (): void => {
    clearTimeout(timer);
    if (isStopped || asking) return;
    isAwake = false;
    const startedAt = clock();
    asking = ask().finally(() => {
      asking = undefined;
      if (isStopped) return;
      onChange();
      const pause = isHurried ? Math.min(HURRY_MS, settings.pollMs) : settings.pollMs;
      if (isAwake) next();
      else timer = setTimeout(next, Math.max(0, pause - (clock() - startedAt)));
    });
  };
  const wake = (): void => {
    isAwake = true;
    next();
  };
  const unsubscribe = server.onLost(wake);
  next();

  return {
    get record() {
      return record;
    },
    wake,
    async renew() {
      isOld = true;
      isAwake = true;
      await asking;
      next();
      await asking;
    },
    hurry(on) {
      if (isHurried === on) return;
      isHurried = on;
      if (on) wake();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      unsubscribe();
    },
  };
}
