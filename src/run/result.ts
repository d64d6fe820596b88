import { fromPlain, isDict, type Dict, type Value } from '../lib/value.ts';
import type { VarsBlock } from '../playbook/ast.ts';
import type { Diff, Outcome, Result } from '../steps/plan.ts';

/** How one pass of a task ended on one host: what is registered, and what is reported. */
export interface ItemResult {
  readonly status: 'ok' | 'changed' | 'skipped' | 'failed';
  /** Ansible's result dictionary, as `register` keeps it. */
  readonly values: Dict;
  readonly message?: string | undefined;
  readonly output?: string | undefined;
  readonly diffs?: readonly Diff[] | undefined;
  /** Facts to set on the host (setup, set_fact with cacheable, package_facts). */
  readonly facts?: Dict | undefined;
  /** What set_fact gives the host. */
  readonly assigned?: Dict | undefined;
  /** What include_vars read: templates until they are used. */
  readonly included?: readonly VarsBlock[] | undefined;
}

/** The dictionary that `register` keeps of an outcome. */
export function resultValues(outcome: Result, extra: Readonly<Record<string, unknown>>): Map<Value, Value> {
  const values = new Map<Value, Value>();
  for (const [name, value] of Object.entries(outcome))
    if (value !== undefined) values.set(name, fromPlain(value));
  for (const [name, value] of Object.entries(extra)) values.set(name, fromPlain(value));
  for (const stream of ['stdout', 'stderr']) {
    const text = values.get(stream);
    if (typeof text === 'string' && !values.has(`${stream}_lines`))
      values.set(`${stream}_lines`, lines(text));
  }
  return values;
}

/** Python's splitlines, for the line ends that commands print. */
function lines(text: string): string[] {
  const split = text.split(/\r\n|\n|\r/);
  if (split.at(-1) === '') split.pop();
  return split;
}

export function okResult(result: Result, changed: boolean, diffs?: readonly Diff[]): ItemResult {
  const message = result['msg'];
  return {
    status: changed ? 'changed' : 'ok',
    values: resultValues(result, { changed, failed: false }),
    diffs,
    facts: factsOf(result),
    ...(typeof message === 'string' ? { message } : {}),
  };
}

export function failedResult(message: string, result: Result = {}, output?: string): ItemResult {
  return {
    status: 'failed',
    values: resultValues(result, { changed: result['changed'] === true, failed: true, msg: message }),
    message,
    output: output ?? outputOf(result),
  };
}

export function skippedResult(reason: string, result: Result = {}): ItemResult {
  return {
    status: 'skipped',
    values: resultValues(result, { changed: false, skipped: true, skip_reason: reason }),
    message: reason,
  };
}

export function outcomeResult(outcome: Outcome, diffs?: readonly Diff[]): ItemResult {
  return outcome.status === 'ok'
    ? okResult(outcome.result, outcome.changed, outcome.changed ? diffs : undefined)
    : failedResult(outcome.message, outcome.result);
}

function outputOf(result: Result): string | undefined {
  const parts = [result['stdout'], result['stderr']].filter(
    (text): text is string => typeof text === 'string' && text !== '',
  );
  return parts.length > 0 ? parts.join('\n') : undefined;
}

function factsOf(result: Result): Dict | undefined {
  const facts = result['ansible_facts'];
  if (facts === undefined) return undefined;
  const values = fromPlain(facts);
  return isDict(values) ? values : undefined;
}

/** What a whole loop registers: the passes' results, and flags over all of them. */
export function loopResult(results: readonly Dict[]): Dict {
  const flag = (name: string): boolean => results.some((result) => result.get(name) === true);
  const allSkipped = results.length > 0 && results.every((result) => result.get('skipped') === true);
  const failed = flag('failed');
  return new Map<Value, Value>([
    ['results', results],
    ['changed', flag('changed')],
    ...(failed ? ([['failed', true]] as const) : []),
    ['skipped', allSkipped],
    ['msg', failed ? 'One or more items failed' : allSkipped ? 'All items skipped' : 'All items completed'],
  ]);
}
