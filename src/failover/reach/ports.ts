import type { Balancer } from '../../balancer/balancer.ts';
import type { Server } from '../../database/server.ts';
import type { HookName } from '../cluster/hook-name.ts';
import type { Coordination } from '../coordination/coordination.ts';
import type { Machine } from './machine.ts';

/**
 * Everything a change of topology acts on. Tests use fakes; `openThroughBalancers` and `openDirectly` return real
 * ones.
 */
export interface Ports {
  /** By the instance's name; every instance of the cluster has one. */
  readonly servers: ReadonlyMap<string, Server>;
  readonly balancers: readonly Balancer[];
  /** By the instance's name. Connected at the first use. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly coordination: Coordination;
  readonly hooks: HookRunner;
}

/** Runs the operator's hook of that name, if there is one; rejects with a `UserError` when it says no or fails. */
export type HookRunner = (name: HookName, event: HookEvent, signal?: AbortSignal) => Promise<void>;

/** What a hook is told, as JSON on its stdin. */
export interface HookEvent {
  readonly cluster: string;
  /** The id of the journal's entry. */
  readonly id: string;
  readonly epoch: number;
  readonly kind: string;
  readonly from: string | undefined;
  readonly to: string;
  readonly reason: string;
  readonly lostGtids: string;
  /** Of a hook about one instance (stonith): the instance, its host and its address. */
  readonly instance?: { readonly name: string; readonly host: string; readonly address: string } | undefined;
  /** Of `after-failure`: what went wrong. */
  readonly message?: string | undefined;
}
