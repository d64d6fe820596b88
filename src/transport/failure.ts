/** How far a connection had come. */
export type Phase = 'connect' | 'handshake' | 'authentication' | 'sudo';

/** Where a TCP connection went. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** The jump host that tried it, when it was not this machine. */
  readonly via?: string | undefined;
}

/** Why a host cannot be worked on. */
export type TransportFailure =
  | ({ readonly kind: 'unresolved' } & Endpoint)
  | ({ readonly kind: 'refused' } & Endpoint)
  | ({ readonly kind: 'unreachable-network'; readonly code: string } & Endpoint)
  | ({
      readonly kind: 'timeout';
      readonly phase: Phase;
      readonly ms: number;
      readonly detail?: string;
    } & Endpoint)
  | ({ readonly kind: 'handshake'; readonly detail: string } & Endpoint)
  | {
      readonly kind: 'host-key-unknown';
      readonly label: string;
      readonly algorithm: string;
      readonly fingerprint: string;
      readonly files: readonly string[];
      readonly notes: readonly string[];
    }
  | {
      readonly kind: 'host-key-changed' | 'host-key-revoked';
      readonly label: string;
      readonly algorithm: string;
      readonly fingerprint: string;
      readonly known: { readonly file: string; readonly line: number; readonly fingerprint: string };
    }
  | {
      readonly kind: 'authentication';
      readonly user: string;
      readonly endpoint: string;
      /** What was offered to the server, in order. */
      readonly tried: readonly string[];
      /** What the server would accept. */
      readonly accepted: readonly string[];
      /** Why some of what the user has could not be offered. */
      readonly notes: readonly string[];
    }
  | {
      readonly kind: 'jump';
      readonly jump: string;
      readonly cause: TransportFailure;
      /** The other jump hosts that were tried, each with its own failure. */
      readonly others?: readonly TransportFailure[] | undefined;
    }
  | { readonly kind: 'sudo-password-required' | 'sudo-requiretty'; readonly user: string }
  | { readonly kind: 'sudo-refused'; readonly user: string; readonly reason: string }
  | { readonly kind: 'shell'; readonly reason: string }
  | { readonly kind: 'lost'; readonly during?: string | undefined; readonly reason?: string | undefined };
