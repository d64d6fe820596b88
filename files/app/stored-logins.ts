import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { LoginStoreConfig } from './config.ts';
import { Unavailable } from './failure.ts';
import { log } from './log.ts';
import type { Login, Logins } from './logins.ts';
import { type Keys, openText, sealsOf, sealText } from './sealed.ts';

const PURPOSE = 'stored login';
const CONNECT_TIMEOUT_MS = 1000;
/** How long a login waits for a replica to have it, too, so that it survives the primary. */
const COPY_MS = 500;
const PAUSE_MS = 100;

/** What passes by itself during a failover: there is no replica yet, this is not the primary any more, or nobody is. */
const PASSING = /^(NOREPLICAS|READONLY|LOADING|MASTERDOWN|UNBLOCKED|TRYAGAIN|Connection is closed)\b/;

/** Logins in Valkey, whose primary the Sentinels know. The store has hashes of tokens, which log nobody in. */
export function storedLogins(
  store: LoginStoreConfig,
  { seconds, ...keys }: Keys & { readonly seconds: number },
): Logins {
  const seals = () => sealsOf(PURPOSE, keys, Date.now());
  let closing = false;
  const redis = connect(store, () => closing);

  /** Asks until it works, or the patience is over. */
  const ask = async <Answer>(work: () => Promise<Answer>, patienceMs = store.patienceMs): Promise<Answer> => {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        return await within(work(), deadline - Date.now());
      } catch (error) {
        const passes = PASSING.test((error as Error).message);
        if (!passes || Date.now() + PAUSE_MS > deadline) throw new Unavailable(error, 'store of the logins');
        await sleep(PAUSE_MS);
      }
    }
  };

  return {
    async begin(user) {
      const token = sealText(randomBytes(24).toString('base64url'), seals()[0]);
      const login: Login = { user, expiresAt: Date.now() + seconds * 1000 };
      await ask(() => redis.set(keyOf(token), JSON.stringify(login), 'EX', seconds));
      const copies = await ask(() => redis.wait(1, COPY_MS)).catch(() => 0);
      if (copies === 0) log('a login is on one server of the store only');
      return { ...login, token };
    },
    async find(token) {
      // What we did not sign is no token, and nothing to ask the store for.
      if (token === undefined || openText(token, ...seals()) === undefined) return undefined;
      const text = await ask(() => redis.get(keyOf(token)));
      return text === null ? undefined : (JSON.parse(text) as Login);
    },
    async end(token) {
      if (openText(token, ...seals()) !== undefined) await ask(() => redis.del(keyOf(token)));
    },
    async lacks(patienceMs) {
      return await ask(() => redis.get('sess:none'), patienceMs).then(
        () => [],
        () => ['the store of the logins does not answer'],
      );
    },
    close() {
      closing = true;
      redis.disconnect();
    },
  };
}

function connect(store: LoginStoreConfig, isClosing: () => boolean): Redis {
  const tls = { ca: store.ca };
  const redis = new Redis({
    sentinels: [...store.sentinels],
    name: store.name,
    username: store.user,
    password: store.password,
    sentinelUsername: store.user,
    sentinelPassword: store.password,
    enableTLSForSentinelMode: true,
    tls,
    sentinelTLS: tls,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: store.patienceMs,
    // How long a request waits is said by the time alone.
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(attempt * 50, 500),
    sentinelRetryStrategy: (attempt) => Math.min(attempt * 50, 500),
    // The Sentinels say when there is another primary: the connection to one without power would hang.
    failoverDetector: true,
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  });
  // When a second Sentinel tells of a failover while the client connects after the first one's word, it gives up for good.
  redis.on('end', () => {
    if (!isClosing()) setTimeout(() => void redis.connect().catch(() => {}), PAUSE_MS).unref();
  });
  let told = '';
  redis.on('error', (error: Error) => {
    if (error.message !== told) log(`store of the logins: ${error.message}`);
    told = error.message;
  });
  redis.on('ready', () => (told = ''));
  return redis;
}

function keyOf(token: string): string {
  return `sess:${createHash('sha256').update(token).digest('base64url')}`;
}

async function within<Answer>(work: Promise<Answer>, ms: number): Promise<Answer> {
  const over = new AbortController();
  const late = sleep(Math.max(ms, 0), undefined, { signal: over.signal }).then(() => {
    throw new Error(`no answer within ${ms} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
    late.catch(() => {});
  }
}
