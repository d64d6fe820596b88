import type { Action } from '../../../src/failover/plan/action.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { act } from './act.ts';
import { notation, say } from './say.ts';
import { ModelServers } from './servers.ts';

/** A cluster as a pure model: what its servers do by themselves, what they do when told, and what they say. */
export class World extends ModelServers {
  observe(): Topology {
    return say(this);
  }

  /** In the notation of the flavour. */
  executedOf(name: string): string {
    return notation(this.flavour, this.node(name).executed);
  }

  /** Carries an action out, as the executor would have the servers do it; throws a `Failure`. */
  do(action: Action): void {
    act(this, action);
    this.check();
  }
}
