/** The lookups that there are; what they do is in lookups.ts. */
export const LOOKUPS = [
  'env',
  'file',
  'unvault',
  'template',
  'fileglob',
  'first_found',
  'vars',
  'varnames',
  'items',
  'list',
  'indexed_items',
  'dict',
  'flattened',
  'together',
  'nested',
  'subelements',
  'random_choice',
  'inventory_hostnames',
  'sequence',
  'lines',
  'pipe',
  'password',
] as const;

export type LookupName = (typeof LOOKUPS)[number];

/** A lookup's name without the namespace of its collection. */
export function shortLookupName(name: string): string {
  return name.replace(/^(?:ansible\.(?:builtin|legacy)|community\.general)\./, '');
}

/** Whether there is a lookup of this name, given without a namespace. */
export function isLookup(name: string): name is LookupName {
  return (LOOKUPS as readonly string[]).includes(name);
}
