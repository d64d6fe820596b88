/**
 * `host`: depends on the target alone, stays true until something is done there.
 * `network`: depends on other hosts as well (an address that moves from host to host), and stays true until something
 * is done anywhere.
 */
export type FactScope = 'host' | 'network';

/**
 * How one kind of state is read on a target, for many subjects in one process.
 * Reading never changes anything, so facts are free to be read at any time, in check mode too.
 */
export interface FactKind<Key, Fact> {
  readonly name: string;
  readonly scope: FactScope;
  /** One word that tells subjects apart; also what appears in messages. */
  id(key: Key): string;
  /** POSIX sh that reads all `keys` in as few processes as it can. It must not fail where a subject is missing. */
  script(keys: readonly Key[]): string;
  /** What the script printed, as one fact per key, in the order of `keys`. */
  parse(stdout: Buffer, keys: readonly Key[]): readonly Fact[];
}

/** One thing a module must know, with the type of the answer. Made by `query`. */
export interface FactQuery<Fact = unknown> {
  // The key's type is known to the kind alone; a query carries both, so they always fit.
  readonly kind: FactKind<never, Fact>;
  readonly key: unknown;
  /** Unique over all kinds. */
  readonly id: string;
}

export function query<Key, Fact>(kind: FactKind<Key, Fact>, key: Key): FactQuery<Fact> {
  return { kind: kind, key, id: `${kind.name}:${kind.id(key)}` };
}

/** The facts that were read. Asking for one that was not is a bug in the module: it must list what it needs. */
export interface FactReader {
  get<Fact>(query: FactQuery<Fact>): Fact;
  has(query: FactQuery): boolean;
}
