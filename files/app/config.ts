import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Keys, OtherKey } from './sealed.ts';

/** Where a database may be reached. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface DatabaseConfig {
  /** In order of preference; each leads to the instance that may be written. */
  readonly writers: readonly Endpoint[];
  /** In order of preference; each leads to an instance that may be read. */
  readonly readers: readonly Endpoint[];
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** How long a request waits for the database to come back, in milliseconds. */
  readonly patienceMs: number;
}

/** The servers that keep logins, and the Sentinels that know which of them is the primary. */
export interface LoginStoreConfig {
  readonly sentinels: readonly Endpoint[];
  /** What the Sentinels call it. */
  readonly name: string;
  readonly user: string;
  readonly password: string;
  /** Who signed the servers' certificates, as PEM. */
  readonly ca: string;
  /** How long a request waits for the store to come back, in milliseconds. */
  readonly patienceMs: number;
}

/** What tokens are signed with is on all servers the same. */
export interface LoginConfig extends Keys {
  /** The one account of the sample. */
  readonly user: string;
  readonly password: string;
  /** Right as well, while the password is changed. */
  readonly otherPasswords?: readonly string[];
  /** How long a login lasts. */
  readonly seconds: number;
  /** Absent: the browser's cookie says everything. */
  readonly store: LoginStoreConfig | undefined;
}

export interface AppConfig {
  readonly host: string;
  readonly port: number;
  /** The name of this server, as pages show it. */
  readonly server: string;
  readonly version: string;
  /** Which instance runs on which host. */
  readonly instances: ReadonlyMap<string, string>;
  /** How long the app goes on serving after it was told to stop, while the balancers take it out, in milliseconds. */
  readonly drainMs: number;
  readonly database: DatabaseConfig;
  /** Absent: nobody logs in. */
  readonly login: LoginConfig | undefined;
}

/** Reads the configuration from environment variables; an error names every one that is wrong. */
export function readConfig(env: NodeJS.ProcessEnv): AppConfig {
  const problems: string[] = [];
  const text = (name: string, fallback?: string): string => {
    const value = env[name] ?? fallback;
    if (value === undefined || value === '') problems.push(`${name} is not set`);
    return value ?? '';
  };
  const whole = (name: string, fallback: number): number => {
    const value = env[name] ?? String(fallback);
    if (!/^\d+$/.test(value)) problems.push(`${name}: expected a whole number; found '${value}'`);
    return Number(value);
  };
  const endpoints = (name: string): readonly Endpoint[] =>
    text(name)
      .split(',')
      .filter((each) => each !== '')
      .map((each) => {
        const match = /^(.+):(\d+)$/.exec(each);
        if (!match?.[1]) problems.push(`${name}: expected HOST:PORT; found '${each}'`);
        return { host: match?.[1] ?? '', port: Number(match?.[2]) };
      });
  const readStore = (): LoginStoreConfig => ({
    sentinels: endpoints('APP_SESSION_SENTINELS'),
    name: text('APP_SESSION_STORE_NAME', 'sessions'),
    user: text('APP_SESSION_STORE_USER', 'app'),
    password: readSecret(env, 'APP_SESSION_STORE_PASSWORD', 'session-store-password', problems),
    ca: readSecret(env, 'APP_SESSION_STORE_CA', 'session-store-ca', problems),
    patienceMs: whole('APP_SESSION_PATIENCE_MS', 8000),
  });
  const readLogin = (): LoginConfig => {
    const store = text('APP_SESSION_STORE', 'cookie');
    if (store !== 'cookie' && store !== 'valkey') {
      problems.push(`APP_SESSION_STORE: expected cookie or valkey; found '${store}'`);
    }
    // Below the first one is what counts, too, while it is changed.
    const lines = (name: string, credential: string): readonly string[] =>
      readSecret(env, name, credential, problems).split('\n');
    const [password = '', ...otherPasswords] = lines('APP_LOGIN_PASSWORD', 'login-password');
    const [key = '', ...otherKeys] = lines('APP_SESSION_KEY', 'session-key');
    return {
      user: text('APP_LOGIN_USER'),
      password,
      otherPasswords,
      key,
      otherKeys: otherKeys.map(readOtherKey),
      seconds: whole('APP_SESSION_SECONDS', 12 * 3600),
      store: store === 'valkey' ? readStore() : undefined,
    };
  };
  const config: AppConfig = {
    host: text('APP_HOST', '127.0.0.1'),
    port: whole('APP_PORT', 3000),
    server: text('APP_SERVER'),
    version: text('APP_VERSION', 'development'),
    instances: new Map(
      text('APP_DB_INSTANCES', '-')
        .split(',')
        .filter((pair) => pair.includes('='))
        .map((pair) => pair.split('=', 2) as [string, string]),
    ),
    drainMs: whole('APP_DRAIN_MS', 0),
    database: {
      writers: endpoints('APP_DB_WRITERS'),
      readers: endpoints('APP_DB_READERS'),
      database: text('APP_DB_NAME'),
      user: text('APP_DB_USER'),
      password: readSecret(env, 'APP_DB_PASSWORD', 'db-password', problems),
      patienceMs: whole('APP_DB_PATIENCE_MS', 20_000),
    },
    login: env['APP_LOGIN_USER'] === undefined ? undefined : readLogin(),
  };
  if (problems.length > 0) throw new Error(`the configuration is wrong:\n  ${problems.join('\n  ')}`);
  return config;
}

/** `KEY`, or `KEY SECONDS` since 1970, when it is worth nothing any more. */
function readOtherKey(line: string): OtherKey {
  const [key = '', seconds] = line.split(' ');
  return { key, until: seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000 };
}

/** A secret: a file in systemd's credentials directory, a file named by NAME_FILE, or (for development) the variable. */
export function readSecret(
  env: NodeJS.ProcessEnv,
  name: string,
  credential: string,
  problems: string[],
): string {
  const directory = env['CREDENTIALS_DIRECTORY'];
  const file = env[`${name}_FILE`] ?? (directory === undefined ? undefined : join(directory, credential));
  if (file === undefined) {
    const value = env[name];
    if (value === undefined) problems.push(`neither ${name}_FILE nor ${name} is set`);
    return value ?? '';
  }
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    problems.push(`${name}: ${(error as Error).message}`);
    return '';
  }
}
