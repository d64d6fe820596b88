/** The configuration of a writer, as JSON on its stdin. The writer ends by itself after its seconds. */
export type WriterConfig = SqlWriterConfig | HttpWriterConfig;

interface Common {
  /** Ids are `first`, `first + 1`, …: the writers of one drill get ranges of their own. */
  readonly first: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly connections: number;
  /** When this file appears, it ends at once. */
  readonly stopFile: string;
  /** How long one write may take; then its connection is given up. */
  readonly attemptMs: number;
}

/** Inserts rows through the balancers, as the app does. */
export interface SqlWriterConfig extends Common {
  readonly kind: 'sql';
  readonly endpoints: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly table: string;
}

/** Posts messages to the app, as visitors do. */
export interface HttpWriterConfig extends Common {
  readonly kind: 'http';
  readonly url: string;
  /** Of each message's request id and author. */
  readonly tag: string;
}
