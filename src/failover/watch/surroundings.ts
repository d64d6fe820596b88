import { UserError } from '../../lib/errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { EMPTY_MEMORY } from '../coordination/empty-memory.ts';
import { observe } from '../reach/observe.ts';
import type { Ports } from '../reach/ports.ts';
import type { Memory } from '../cluster/memory.ts';
import type { BalancerView } from '../cluster/topology.ts';
import type { WatchLog } from './log.ts';

export interface SurroundingsOptions {
  readonly cluster: Cluster;
  readonly ports: Ports;
  readonly log: WatchLog;
}

/** What the watch knows beside the instances' states: the memory, and the balancers' views. */
export class Surroundings {
  readonly #options: SurroundingsOptions;
  #memory: Memory | undefined;
  #balancers: readonly BalancerView[] = [];
  #storeFailure: string | undefined;

  constructor(options: SurroundingsOptions) {
    this.#options = options;
  }

  /** The memory as it was last read. */
  get memory(): Memory {
    return this.#memory ?? EMPTY_MEMORY;
  }

  /** Whether the memory has ever been read; without it nothing may be decided. */
  get hasMemory(): boolean {
    return this.#memory !== undefined;
  }

  get balancers(): readonly BalancerView[] {
    return this.#balancers;
  }

  async readMemory(): Promise<void> {
    const { ports, log } = this.#options;
    try {
      this.#memory = await ports.coordination.memory();
      if (this.#storeFailure !== undefined) {
        log({ event: 'store-back', level: 'info', message: 'the store of lock and journal answers again' });
      }
      this.#storeFailure = undefined;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // Without the store nobody gets the lease, so nothing is changed; the servers work without it.
      if (this.#storeFailure === undefined) {
        log({
          event: 'store-lost',
          level: 'critical',
          message: `${error.message}; until it is back, nothing is recovered by itself`,
        });
      }
      this.#storeFailure = error.message;
    }
  }

  async readBalancers(): Promise<void> {
    const { cluster, ports } = this.#options;
    const bare = { ...cluster, instances: [] };
    this.#balancers = (await observe(bare, ports, { memory: this.memory })).balancers;
  }
}
