import { UserError } from '../../lib/errors.ts';
import type { Account } from '../cluster/cluster.ts';
import { reason, type EtcdHttp } from './etcd-http.ts';

export interface EtcdKeyValue {
  readonly key: string;
  readonly value: string;
  /** The revisions of the store at which the key was created and last changed. */
  readonly created: string;
  readonly modified: string;
}

/** A condition on a key: its last change, or '0' for "does not exist"; or its value. */
export type EtcdCompare =
  | { readonly key: string; readonly modified: string }
  | { readonly key: string; readonly value: string };

export type EtcdOperation =
  | { readonly put: string; readonly value: string; readonly lease?: string | undefined }
  | { readonly remove: string }
  | { readonly get: string }
  /** All keys that begin with this, those created last first. */
  | { readonly newest: string; readonly limit: number; readonly keysOnly?: boolean | undefined };

export interface EtcdResult {
  readonly succeeded: boolean;
  /** What each `get` and `newest` of the branch that was taken found, in order. */
  readonly found: readonly (readonly EtcdKeyValue[])[];
}

/** Uses the JSON gateway of etcd 3.4 and later, below /v3. */
export interface EtcdGateway {
  /** A transaction, agreed on by a majority of the members when `then` has at least one operation. */
  txn(
    compare: readonly EtcdCompare[],
    then: readonly EtcdOperation[],
    otherwise?: readonly EtcdOperation[],
    signal?: AbortSignal,
  ): Promise<EtcdResult>;
  grant(ttlSeconds: number): Promise<{ readonly id: string; readonly ttlMs: number }>;
  /** The remaining time of the lease; 0 when it has expired. */
  keepAlive(lease: string, signal?: AbortSignal): Promise<number>;
  /** Revokes the lease, and deletes its keys. */
  revoke(lease: string): Promise<void>;
}

interface RawKeyValue {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
}

const UNAUTHENTICATED = 16;

export function etcdGateway(http: EtcdHttp, account: Account | undefined): EtcdGateway {
  let token: Promise<string | undefined> | undefined;

  const logIn = async (): Promise<string | undefined> => {
    if (!account) return undefined;
    const body = JSON.stringify({ name: account.user, password: account.password.reveal() });
    const answer = await http.post('/v3/auth/authenticate', body, undefined);
    if (answer.status === 200) return (JSON.parse(answer.body) as { token: string }).token;
    // A store without authentication accepts everybody; the role enables authentication.
    if (reason(answer.body) === 'authentication is not enabled') return undefined;
    throw new UserError({
      message: `etcd does not let ${account.user} in: ${reason(answer.body)}`,
      hint: 'the password is the inventory’s etcd_failover_password; `provision up --tags etcd` sets it on the members',
    });
  };
  const currentToken = (): Promise<string | undefined> => {
    token ??= logIn().catch((error: unknown) => {
      token = undefined;
      throw error;
    });
    return token;
  };

  const call = async <T>(path: string, body: object, signal?: AbortSignal): Promise<T> => {
    const text = JSON.stringify(body);
    for (let attempt = 0; ; attempt++) {
      const used = currentToken();
      const answer = await http.post(path, text, await used, signal);
      if (answer.status === 200) return JSON.parse(answer.body.split('\n', 1)[0] ?? '') as T;
      if (attempt === 0 && account && mayBeOldToken(answer.body)) {
        // A token expires when it is not used for minutes, and whenever an account changes.
        if (token === used) token = undefined;
        continue;
      }
      throw new UserError(`etcd refuses: ${reason(answer.body)}`);
    }
  };

  return {
    txn: async (compare, then, otherwise = [], signal) => {
      const body = {
        compare: compare.map(rawCompare),
        success: then.map(rawOperation),
        failure: otherwise.map(rawOperation),
      };
      const raw = await call<{
        succeeded?: boolean;
        responses?: readonly { response_range?: { kvs?: RawKeyValue[] } }[];
      }>('/v3/kv/txn', body, signal);
      return {
        succeeded: raw.succeeded ?? false,
        found: (raw.responses ?? []).flatMap(({ response_range: range }) =>
          range ? [(range.kvs ?? []).map(keyValue)] : [],
        ),
      };
    },
    grant: async (ttlSeconds) => {
      const raw = await call<{ ID: string; TTL: string }>('/v3/lease/grant', { TTL: String(ttlSeconds) });
      return { id: raw.ID, ttlMs: Number(raw.TTL) * 1000 };
    },
    keepAlive: async (lease, signal) => {
      const raw = await call<{ result?: { TTL?: string } }>('/v3/lease/keepalive', { ID: lease }, signal);
      return Number(raw.result?.TTL ?? 0) * 1000;
    },
    revoke: async (lease) => {
      await call('/v3/lease/revoke', { ID: lease });
    },
  };
}

function mayBeOldToken(body: string): boolean {
  try {
    const { code } = JSON.parse(body) as { code?: number };
    return (
      code === UNAUTHENTICATED || /revision of auth store|user name is empty|invalid auth token/.test(body)
    );
  } catch {
    return false;
  }
}

function rawCompare(compare: EtcdCompare): object {
  const key = encode(compare.key);
  return 'modified' in compare
    ? { key, target: 'MOD', result: 'EQUAL', mod_revision: compare.modified }
    : { key, target: 'VALUE', result: 'EQUAL', value: encode(compare.value) };
}

function rawOperation(operation: EtcdOperation): object {
  if ('put' in operation) {
    const { put, value, lease } = operation;
    return { request_put: { key: encode(put), value: encode(value), ...(lease !== undefined && { lease }) } };
  }
  if ('remove' in operation) return { request_delete_range: { key: encode(operation.remove) } };
  if ('get' in operation) return { request_range: { key: encode(operation.get) } };
  return {
    request_range: {
      key: encode(operation.newest),
      range_end: encode(afterPrefix(operation.newest)),
      sort_order: 'DESCEND',
      sort_target: 'CREATE',
      limit: String(operation.limit),
      keys_only: operation.keysOnly ?? false,
    },
  };
}

/** The first key that comes after all that begin with the prefix; prefixes here end in an ASCII character. */
function afterPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function keyValue(raw: RawKeyValue): EtcdKeyValue {
  return {
    key: decode(raw.key),
    value: decode(raw.value ?? ''),
    created: raw.create_revision ?? '0',
    modified: raw.mod_revision ?? '0',
  };
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
