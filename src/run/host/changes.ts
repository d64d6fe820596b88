/** The machine that this program runs on. */
export const CONTROLLER = 'local';

/**
 * Counts what was done to machines, so that what was read before can be told from what was read after. It goes by what
 * was done, never by what a task reports about it.
 */
export class Changes {
  readonly #ofMachines = new Map<string, number>();
  readonly #lastWork = new Map<string, Promise<void>>();
  #anywhere = 0;
  #total = 0;

  /** Something was done that may have changed these machines. */
  note(machines: ReadonlySet<string> | 'anywhere'): void {
    this.#total++;
    if (machines === 'anywhere') this.#anywhere++;
    else for (const name of machines) this.#ofMachines.set(name, (this.#ofMachines.get(name) ?? 0) + 1);
  }

  /** Does some work while nobody else does any on the same machines; who asks first comes first. */
  async exclusively<Result>(machines: ReadonlySet<string>, work: () => Promise<Result>): Promise<Result> {
    const names = [...machines];
    const before = names.flatMap((name) => this.#lastWork.get(name) ?? []);
    const { promise: done, resolve: leave } = Promise.withResolvers<void>();
    for (const name of names) this.#lastWork.set(name, done);
    await Promise.all(before);
    try {
      return await work();
    } finally {
      for (const name of names) if (this.#lastWork.get(name) === done) this.#lastWork.delete(name);
      leave();
    }
  }

  /** Grows whenever one of the machines may have changed. */
  ageOf(machines: ReadonlySet<string>): number {
    let age = this.#anywhere;
    for (const name of machines) age += this.#ofMachines.get(name) ?? 0;
    return age;
  }

  /** Grows whenever anything may have changed. */
  get total(): number {
    return this.#total;
  }
}
