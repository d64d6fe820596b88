import type { FactQuery, FactReader, FactScope } from '../../facts/fact.ts';
import { joinSections, type Section, type SectionResult } from './sections.ts';

/** One read of many facts: a section of script for each kind, and what to make of its output. */
export interface Gathering {
  readonly queries: readonly FactQuery[];
  readonly sections: readonly Section[];
  /** Facts by the id of their query. */
  parse(results: readonly (SectionResult | undefined)[]): ReadonlyMap<string, unknown>;
}

/** Groups queries by kind, so that each kind is read by one process; a query that stands twice is read once. */
export function gathering(queries: readonly FactQuery[]): Gathering {
  const kinds = new Map<string, Map<string, FactQuery>>();
  for (const query of queries) {
    const ofKind = kinds.get(query.kind.name) ?? new Map<string, FactQuery>();
    ofKind.set(query.id, query);
    kinds.set(query.kind.name, ofKind);
  }
  const groups = [...kinds.values()].map((group) => [...group.values()]);
  return {
    queries: groups.flat(),
    sections: groups.map((group) => ({ script: groupScript(group), required: false })),
    parse(results) {
      const facts = new Map<string, unknown>();
      groups.forEach((group, index) => {
        const kind = group[0]?.kind;
        const result = results[index];
        if (!kind) return;
        if (!result || result.status !== 0) {
          const reason = result
            ? `exit status ${result.status}: ${result.stderr.toString().trim()}`
            : 'no output';
          throw new Error(`reading facts of kind "${kind.name}" failed: ${reason}`);
        }
        // The key's type is known to its kind alone (see FactQuery).
        const values = kind.parse(result.stdout, group.map((query) => query.key) as never);
        group.forEach((query, position) => facts.set(query.id, values[position]));
      });
      return facts;
    },
  };
}

function groupScript(group: readonly FactQuery[]): string {
  const kind = group[0]?.kind;
  if (!kind) throw new Error('a group of no facts');
  return kind.script(group.map((query) => query.key) as never);
}

/** The script of a gathering on its own. */
export function gatheringScript(gathered: Gathering): ReturnType<typeof joinSections> {
  return joinSections(gathered.sections);
}

/** Facts that are being read: they are as old as the moment at which that began. */
export interface Reading {
  store(queries: readonly FactQuery[], facts: ReadonlyMap<string, unknown>): void;
}

/**
 * What is known of one host as one user. Facts about the host alone stand until something changes there; facts that
 * depend on others stand until something changes anywhere.
 */
export class FactCache implements FactReader {
  readonly #facts = new Map<string, { readonly fact: unknown; readonly age: number }>();
  readonly #ages: Readonly<Record<FactScope, () => number>>;

  /** Both grow: `hostAge` when the host may have changed, `worldAge` when anything may have. */
  constructor(hostAge: () => number, worldAge: () => number) {
    this.#ages = { host: hostAge, network: worldAge };
  }

  /** Whether it is known and still stands. */
  has(query: FactQuery): boolean {
    const entry = this.#facts.get(query.id);
    return entry !== undefined && entry.age === this.#ages[query.kind.scope]();
  }

  /** What was read last: a plan that is under way goes on with what it began with. */
  get<Fact>(query: FactQuery<Fact>): Fact {
    const entry = this.#facts.get(query.id);
    if (!entry) throw new Error(`the fact ${query.id} was not asked for`);
    // A query carries the type of its fact.
    return entry.fact as Fact;
  }

  /** To be called before the reading begins: what changes during it is not known by it. */
  reading(): Reading {
    const ages = { host: this.#ages.host(), network: this.#ages.network() };
    return {
      store: (queries, facts) => {
        for (const query of queries)
          this.#facts.set(query.id, { fact: facts.get(query.id), age: ages[query.kind.scope] });
      },
    };
  }

  clear(): void {
    this.#facts.clear();
  }
}
