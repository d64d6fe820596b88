import type { Plan, Step } from '../../../src/failover/plan/action.ts';
import { instanceOf } from '../../../src/failover/execute/carry-out.ts';
import { Failure, type World } from './world.ts';

export interface RunOptions {
  readonly random: () => number;
  /** The tool is killed after this many actions. */
  readonly killAfter?: number | undefined;
  /** A step that fails, by its place in the order. */
  readonly failAt?: number | undefined;
  /** What goes on between two actions. */
  readonly between: () => void;
}

export type Ending = 'done' | 'undone' | 'killed' | 'failed';

/**
 * Carries a plan out on the model as the executor promises it: the steps of a stage in any order, those beside at any
 * later time; a failure before the point of no return takes back all that was begun; after it the rest goes on.
 */
export function runPlan(
  world: World,
  plan: Plan,
  { random, killAfter, failAt, between }: RunOptions,
): Ending {
  const moves = plan.kind === 'switchover' || plan.kind === 'failover';
  if (moves) {
    world.memory = {
      ...world.memory,
      epoch: world.memory.epoch + 1,
      unfinished: { id: 'x', kind: plan.kind, from: plan.from ?? '', to: plan.to },
    };
  }
  const begun: Step[] = [];
  const broken = new Set<string>();
  const beside: Step[] = [];
  let isPast = false;
  let count = 0;
  for (const [number, stage] of plan.stages.entries()) {
    const order = [...stage].sort(() => random() - 0.5);
    if (order.some((step) => step.irreversible)) isPast = true;
    const now: Step[] = [];
    for (const step of order) {
      if (step.beside && random() < 0.5) {
        beside.push(step);
        continue;
      }
      // What is done on one instance keeps its order.
      const name = instanceOf(step.action);
      const before = beside.filter((other) => name !== undefined && instanceOf(other.action) === name);
      for (const other of before) beside.splice(beside.indexOf(other), 1);
      now.push(...before, step);
    }
    const isLast = number === plan.stages.length - 1;
    if (isLast || random() < 0.3) now.push(...beside.splice(0));
    for (const step of now) {
      if (count === killAfter) return 'killed';
      between();
      const instance = instanceOf(step.action);
      if (instance !== undefined && broken.has(instance)) continue;
      begun.push(step);
      try {
        if (count++ === failAt) throw new Failure('made to fail');
        world.do(step.action);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (step.optional || step.beside) continue;
        if (!isPast) return undo(world, begun, between);
        if (instance === plan.to) return 'failed';
        if (instance !== undefined) broken.add(instance);
      }
    }
  }
  if (count === killAfter) return 'killed';
  if (moves || plan.stages.flat().some((step) => step.action.do === 'make-writable')) {
    world.memory = {
      ...world.memory,
      primary: plan.to,
      lastSeen: undefined,
      began: world.executedOf(plan.to),
      unfinished: undefined,
    };
  }
  return 'done';
}

function undo(world: World, begun: readonly Step[], between: () => void): Ending {
  let ending: Ending = 'undone';
  for (const step of [...begun].reverse()) {
    for (const action of step.undo ?? []) {
      between();
      try {
        world.do(action);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        ending = 'failed';
      }
    }
  }
  if (ending === 'undone') world.memory = { ...world.memory, unfinished: undefined };
  return ending;
}
