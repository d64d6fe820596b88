/** What becomes, or became, of a package. Without `from` it is new, without `to` it is gone. */
export interface PackageChange {
  readonly name: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** How what is installed differs, by the names of the packages. */
export function packageChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly PackageChange[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .sort()
    .map((name) => ({
      name,
      ...(before.has(name) && { from: before.get(name) }),
      ...(after.has(name) && { to: after.get(name) }),
    }));
}
