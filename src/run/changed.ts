import type { Effect } from '../steps/plan.ts';
import type { Step, StepOutput } from '../steps/step.ts';
import type { Value } from '../lib/value.ts';
import type { Actor } from './host/actor.ts';
import { CONTROLLER } from './host/changes.ts';
import type { ApplyOptions } from './host/host.ts';
import type { HostRun, World } from './world.ts';

/**
 * What the rest of a run has to hear of: that a host may have changed, so that it is read again, and that the world
 * learned something, so that variables are rendered again. Both are said here and nowhere else.
 */

/** Does a task's steps on a host; whatever they may have changed is read again, however they end. */
export async function applySteps(
  world: World,
  target: HostRun,
  actor: Actor,
  steps: readonly Step[],
  effect: Effect,
  options: ApplyOptions,
): Promise<readonly StepOutput[]> {
  try {
    return await target.session.apply(actor, steps, effect, options);
  } finally {
    if (steps.some((step) => step.kind === 'fetch')) world.changes.note(new Set([CONTROLLER]));
    // Templates read files of this machine.
    if (effect !== 'nothing' && world.changes.ageOf(CONTROLLERS) !== world.controllerAge) learned(world);
  }
}

const CONTROLLERS: ReadonlySet<string> = new Set([CONTROLLER]);

/** The engine waited because the user expects something to change meanwhile, wherever that may be. */
export function timePassed(world: World): void {
  world.changes.note('anywhere');
}

/** What variables are made of is different now: results, facts, included variables, who is still in the play. */
export function learned(world: World): void {
  world.controllerAge = world.changes.ageOf(CONTROLLERS);
  world.knowledge++;
}

/** A host has a variable from now on. */
export function setVariable(world: World, host: HostRun, name: Value, value: Value): void {
  host.values.set(name, value);
  learned(world);
}
