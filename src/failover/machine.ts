/** What can be done to the machine that carries an instance. Rejects with a `UserError` when it cannot be reached. */
export interface Machine {
  readonly host: string;
  /** Masks and stops mysqld so that nothing starts it again, and rejects its port in the firewall. */
  fence(signal?: AbortSignal): Promise<void>;
  /** Takes that back and starts mysqld, which boots read-only. */
  unfence(signal?: AbortSignal): Promise<void>;
  /** MariaDB: makes this machine's data a physical copy of the donor's, and leaves it read-only. */
  copyFrom(
    donor: { readonly host: string; readonly address: string },
    report: (line: string) => void,
    signal?: AbortSignal,
  ): Promise<void>;
}
