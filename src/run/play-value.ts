import type { Value } from '../lib/value.ts';
import { renderDeep } from '../variables/scope.ts';
import type { Templated } from '../playbook/ast.ts';
import { asFlag } from './prepare.ts';
import { environmentOf, scopeOf } from './scope.ts';
import type { HostRun, PlayRun } from './world.ts';

/** A keyword of a play, rendered with what a host sees of the play's variables. */
export function playValue(run: PlayRun, host: HostRun, templated: Templated): Value {
  const scope = scopeOf(run, host);
  return renderDeep(
    templated.value,
    scope,
    environmentOf(run.world, undefined, () => scope),
    templated.at,
  );
}

/** A yes or no of a play; undefined when it says nothing. */
export function playFlag(run: PlayRun, host: HostRun, templated: Templated | undefined): boolean | undefined {
  return templated === undefined ? undefined : asFlag(playValue(run, host, templated));
}
