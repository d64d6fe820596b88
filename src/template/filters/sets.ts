import { iterate } from '../python/access.ts';
import { arithmetic } from '../python/arithmetic.ts';
import { equal } from '../python/compare.ts';
import { isSequence, own, typeFault, typeName, type Data } from '../python/objects.ts';
import { structural, type Filters } from './define.ts';
import { uniqueBy } from './selection.ts';

const same = (item: Data): Data => item;

/** Filters that treat lists as sets, and keep the order of the first one. */
export const setFilters: Filters = {
  union: structural('other', (value, [other]) =>
    own(uniqueBy(iterate(arithmetic('+', value, other!)), same)),
  ),
  intersect: structural('other', (value, [other]) => {
    const has = membership(list(other!, value));
    return own(uniqueBy(list(value, other!).filter(has), same));
  }),
  difference: structural('other', (value, [other]) => {
    const has = membership(list(other!, value));
    return own(
      uniqueBy(
        list(value, other!).filter((item) => !has(item)),
        same,
      ),
    );
  }),
  symmetric_difference: structural('other', (value, [other]) => {
    const a = list(value, other!);
    const b = list(other!, value);
    const inA = membership(a);
    const inB = membership(b);
    return own(uniqueBy([...a, ...b], same).filter((item) => !(inA(item) && inB(item))));
  }),
};

/** The items of the first operand. Texts and dictionaries count as lists only beside a list: two of them make a set. */
function list(value: Data, other: Data): readonly Data[] {
  if (isSequence(value) || isSequence(other)) return iterate(value);
  throw typeFault(`a list is needed, not ${typeName(value)}`);
}

function membership(items: readonly Data[]): (item: Data) => boolean {
  const texts = new Set<Data>(items.filter((item) => typeof item === 'string'));
  const others = items.filter((item) => typeof item !== 'string');
  return (item) => (typeof item === 'string' ? texts.has(item) : others.some((other) => equal(other, item)));
}
