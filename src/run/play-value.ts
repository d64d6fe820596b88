import type { Value } from '../lib/value.ts';
import type { Templated } from '../playbook/ast.ts';
import { asFlag } from './prepare.ts';
import { scopeOf } from './scope.ts';
import type { HostRun, PlayRun } from './world.ts';

/** A keyword of a play, rendered with what a host sees of the play's variables. */
export function playValue(run: PlayRun, host: HostRun, templated: Templated): Value {
  const scope = scopeOf(run, host);
  return scope.render(templated.value, templated.at);
}

/** A yes or no of a play; undefined when it says nothing. */
export function playFlag(run: PlayRun, host: HostRun, templated: Templated | undefined): boolean | undefined {
  return templated === undefined ? undefined : asFlag(playValue(run, host, templated));
}
