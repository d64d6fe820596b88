import { isDict, isList } from '../lib/value.ts';
import type { Loop } from './ast.ts';
import { describe, Fields, isTemplate } from './fields.ts';
import { withoutUndefined } from './inheritance.ts';
import { didYouMean } from '../lib/similar.ts';

const CONTROLS = ['loop_var', 'index_var', 'label', 'pause', 'extended'];

/** The loop of a task: `loop`, or the older `with_NAME`. */
export function readLoop(fields: Fields): Loop | undefined {
  const keys = [...fields.dict.keys()].filter(
    (key): key is string => typeof key === 'string' && (key === 'loop' || key.startsWith('with_')),
  );
  const [key, second] = keys;
  if (second !== undefined) {
    return fields.report(second, `a task has one loop, but here are "${key}" and "${second}"`);
  }
  const control = readControl(fields);
  // Without a loop, loop_control means nothing, in Ansible either.
  if (key === undefined) return undefined;
  const value = fields.get(key);
  if (value === undefined)
    return fields.report(key, `"${key}": expected something to loop over, found nothing`);
  if (key === 'loop' && !isList(value) && !(typeof value === 'string' && isTemplate(value))) {
    return fields.report(
      key,
      `"loop": expected a list, or a template that gives one, found ${describe(value)}`,
      isDict(value)
        ? 'loop over a dictionary with: loop: "{{ … | dict2items }}"'
        : typeof value === 'string'
          ? `a variable's list is: loop: "{{ ${value} }}"`
          : undefined,
    );
  }
  return {
    kind: key === 'loop' ? 'loop' : key.slice('with_'.length),
    over: { value, at: fields.at(key) },
    variable: 'item',
    extended: false,
    ...control,
  };
}

function readControl(fields: Fields): Partial<Loop> | undefined {
  const value = fields.get('loop_control');
  if (value === undefined) return undefined;
  if (!isDict(value)) {
    return fields.report('loop_control', `"loop_control": expected a dictionary, found ${describe(value)}`);
  }
  const control = new Fields(fields.context, fields.document, value);
  for (const key of value.keys()) {
    if (CONTROLS.includes(String(key))) continue;
    if (key === 'extended_allitems')
      control.report(key, '"extended_allitems" is not supported', 'leave it out');
    else
      control.report(key, `"${String(key)}" is not part of loop_control`, didYouMean(String(key), CONTROLS));
  }
  const extended = control.templated('extended', 'flag');
  if (typeof extended?.value === 'string') {
    control.report('extended', '"extended": expected true or false, not a template');
  }
  return withoutUndefined({
    variable: control.variableName('loop_var'),
    indexVariable: control.variableName('index_var'),
    label: control.text('label'),
    pauseSeconds: control.templated('pause', 'number'),
    extended: extended?.value === true ? true : undefined,
  });
}
