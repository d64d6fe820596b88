import type { Limits } from './server.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';

/** How many idle connections are kept: one to ask with while another one waits for something. */
const KEPT = 2;

/** The connections to one instance: opened when they are needed, used again, forgotten when they break. */
export class Sessions {
  readonly #options: SessionOptions;
  readonly #idle: Session[] = [];
  readonly #listeners = new Set<() => void>();
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Calls back when a connection breaks that nobody here has closed. */
  onLost(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs work on a connection of its own. */
  async with<Result>(limits: Limits, work: (session: Session) => Promise<Result>): Promise<Result> {
    const session = await this.#acquire(limits);
    try {
      return await work(session);
    } finally {
      if (session.isOpen && !this.#closed && this.#idle.length < KEPT) this.#idle.push(session);
      else session.destroy();
    }
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#idle.splice(0)) session.destroy();
  }

  async #acquire(limits: Limits): Promise<Session> {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) if (idle.isOpen) return idle;
    return await openSession(this.#options, limits, (lost) => {
      const index = this.#idle.indexOf(lost);
      if (index >= 0) this.#idle.splice(index, 1);
      for (const listener of this.#listeners) listener();
    });
  }
}
