/** Who is logged in, and until when, in milliseconds since 1970. */
export interface Login {
  readonly user: string;
  readonly expiresAt: number;
}

/** Where it is kept who is logged in. A browser has a token, in a cookie, and nothing else. */
export interface Logins {
  /** Logs a user in. */
  begin(user: string): Promise<Login & { readonly token: string }>;
  /** Whose token this is; nothing when it is nobody's, or not any more. */
  find(token: string | undefined): Promise<Login | undefined>;
  end(token: string): Promise<void>;
  /** What of the store is missing for requests to succeed, in sentences; empty: nothing. */
  lacks(patienceMs: number): Promise<readonly string[]>;
  close(): void;
}
