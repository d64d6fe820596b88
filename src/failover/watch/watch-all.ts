import { setTimeout as wait } from 'node:timers/promises';

import { UserError } from '../../lib/errors.ts';
import type { Watch } from './watch.ts';

/** A cluster that is to be watched. */
export interface Watchable {
  readonly name: string;
  /**
   * Opens the ways to the cluster and starts its watch. Rejects when its description is wrong, or something that it needs
   * is missing here.
   */
  readonly start: (signal: AbortSignal, onReady: () => void) => Promise<StartedWatch>;
}

export interface StartedWatch extends Watch {
  readonly close: () => Promise<void>;
}

export interface WatchAllOptions {
  readonly signal: AbortSignal;
  /** Called once: when every cluster is watched, or could not be at the first attempt. */
  readonly onReady: () => void;
  /** Told each time that a cluster of several could not be watched, or its watch has failed. */
  readonly onFailure: (cluster: string, message: string) => void;
  /** Before a cluster that could not be watched is tried again; shorter in tests. */
  readonly pauseMs?: number | undefined;
}

const PAUSE_MS = 10_000;

/**
 * Watches several clusters in one process, each on its own: one whose description is wrong, or whose watch fails, is
 * tried again later, and the others go on. The only one of a process ends it instead, so that whoever has started the
 * process learns of it.
 */
export function watchAll(clusters: readonly Watchable[], options: WatchAllOptions): Watch {
  const { signal, onReady, onFailure, pauseMs = PAUSE_MS } = options;
  const running = new Map<string, Watch>();
  const settled = new Set<string>();
  const settle = (name: string): void => {
    if (settled.has(name)) return;
    settled.add(name);
    if (settled.size === clusters.length) onReady();
  };

  const once = async ({ name, start }: Watchable): Promise<void> => {
    const watch = await start(signal, () => settle(name));
    running.set(name, watch);
    try {
      await watch.ended;
    } finally {
      running.delete(name);
      await watch.close();
    }
  };
  const forever = async (cluster: Watchable): Promise<void> => {
    while (!signal.aborted) {
      try {
        await once(cluster);
      } catch (error) {
        onFailure(cluster.name, messageOf(error));
        settle(cluster.name);
        await wait(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
  };
  const [only, ...others] = clusters;
  return {
    isAlive: () => [...running.values()].every((watch) => watch.isAlive()),
    views: () => [...running.values()].flatMap((watch) => watch.views()),
    ended:
      only !== undefined && others.length === 0
        ? once(only)
        : Promise.all(clusters.map(async (cluster) => await forever(cluster))).then(() => {}),
  };
}

/** A bug is told with its place. */
function messageOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
