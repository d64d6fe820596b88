/*
 * The rotation of passwords as data. Invariant: at every moment, also when a run is cut off, every password that anything
 * may use is accepted by all servers. So a new one is accepted everywhere before anything uses it, and the old one for as
 * long as anything may still use that.
 *
 * Where a password stands is in its files, which `provision up` reads, too (the role mysql): beside NAME, NAME.new is the
 * one that comes, and NAME.old the one that goes; the account accepts NAME and the one beside it.
 *
 * What is signed with a key lives on in browsers: such a key is not refused in the end, but fades. NAME.before holds it, and
 * the time from which on it is worth nothing.
 */

/** A password that is rotated. */
export interface RotatedSecret {
  /** Its file below secrets/. */
  readonly file: string;
  /** The role that has it accepted, by its tag. Without one: nobody has to accept another one meanwhile. */
  readonly acceptedBy?: 'mysql' | 'valkey' | 'app';
  /** The account that it opens: of the database, by the variable that names its user; of the store of sessions. */
  readonly user?: string;
  readonly storeUser?: string;
  /** What is signed with it counts for a while. */
  readonly fades?: true;
  readonly requiresTls?: boolean;
  /** The tags of the roles that put it where it is used. */
  readonly tags: readonly string[];
}

/** The site's passwords, by what --only calls them. */
export const ROTATED_SECRETS = {
  mysql_app: {
    file: 'mysql_app_password',
    acceptedBy: 'mysql',
    user: 'mysql_app_user',
    tags: ['mysql', 'app'],
  },
  replication: {
    file: 'mysql_replication_password',
    acceptedBy: 'mysql',
    user: 'mysql_replication_user',
    tags: ['mysql', 'failover'],
  },
  health: {
    file: 'mysql_health_password',
    acceptedBy: 'mysql',
    user: 'mysql_health_user',
    tags: ['mysql', 'app'],
  },
  failover: {
    file: 'mysql_failover_password',
    acceptedBy: 'mysql',
    user: 'mysql_failover_user',
    tags: ['mysql', 'failover'],
  },
  backup: {
    file: 'mysql_backup_password',
    acceptedBy: 'mysql',
    user: 'mysql_backup_user',
    tags: ['mysql', 'failover'],
  },
  haproxy_stats: { file: 'haproxy_stats_password', tags: ['haproxy'] },
  login: { file: 'app_login_password', acceptedBy: 'app', tags: ['app'] },
  session_key: { file: 'app_session_key', acceptedBy: 'app', fades: true, tags: ['app'] },
  valkey_app: {
    file: 'valkey_app_password',
    acceptedBy: 'valkey',
    storeUser: 'app',
    tags: ['valkey', 'app'],
  },
  valkey_replica: {
    file: 'valkey_replica_password',
    acceptedBy: 'valkey',
    storeUser: 'replica',
    tags: ['valkey'],
  },
  valkey_sentinel: {
    file: 'valkey_sentinel_password',
    acceptedBy: 'valkey',
    storeUser: 'sentinel',
    tags: ['valkey'],
  },
  valkey_manager: {
    file: 'valkey_manager_password',
    acceptedBy: 'valkey',
    storeUser: 'manager',
    tags: ['valkey'],
  },
} as const satisfies Readonly<Record<string, RotatedSecret>>;

export type SecretName = keyof typeof ROTATED_SECRETS;

export const SECRET_NAMES = Object.keys(ROTATED_SECRETS) as readonly SecretName[];

/** Where a password stands: nothing beside it; the one that comes is beside it; the one that goes is. */
export type Stage = 'settled' | 'coming' | 'going';

export type RotationStep =
  /** New passwords are made and kept beside the present ones. */
  | { readonly do: 'make'; readonly secrets: readonly SecretName[] }
  /** Every server accepts the present ones and those beside them. */
  | { readonly do: 'accept'; readonly secrets: readonly SecretName[] }
  /** Those that come become the present ones; or, taken back, those that go do. */
  | { readonly do: 'exchange'; readonly secrets: readonly SecretName[] }
  | { readonly do: 'exchange-back'; readonly secrets: readonly SecretName[] }
  /** Everything uses the present ones. */
  | { readonly do: 'use'; readonly secrets: readonly SecretName[] }
  /** What was signed with those beside the present ones counts until a time. */
  | { readonly do: 'fade'; readonly secrets: readonly SecretName[] }
  /** The servers accept the present ones only, and those that fade until their time. */
  | { readonly do: 'refuse-others'; readonly secrets: readonly SecretName[] }
  /** What is beside the present ones is removed. */
  | { readonly do: 'forget'; readonly secrets: readonly SecretName[] };

export interface RotationWish {
  /** Undefined: those that a run before has left in the middle; if there are none, all that have a stage. */
  readonly only: readonly SecretName[] | undefined;
  /** Back to what was before. */
  readonly undo: boolean;
}

/** The steps from where the passwords stand to where they are wanted. */
export function planRotation(
  stages: ReadonlyMap<SecretName, Stage>,
  { only, undo }: RotationWish,
): readonly RotationStep[] {
  const stageOf = (name: SecretName): Stage => stages.get(name) ?? 'settled';
  const unfinished = SECRET_NAMES.filter((name) => stageOf(name) !== 'settled');
  const wanted = only ?? (unfinished.length > 0 || undo ? unfinished : [...stages.keys()]);
  const chosen = SECRET_NAMES.filter(
    (name) => wanted.includes(name) && !(undo && stageOf(name) === 'settled'),
  );
  const accepted = chosen.filter((name) => 'acceptedBy' in ROTATED_SECRETS[name]);
  const at = (stage: Stage): readonly SecretName[] => chosen.filter((name) => stageOf(name) === stage);
  const steps: readonly RotationStep[] = [
    { do: 'make', secrets: at('settled') },
    // Again also when it was done: what the roles made of it since, nobody knows.
    { do: 'accept', secrets: accepted },
    undo
      ? { do: 'exchange-back', secrets: at('going') }
      : { do: 'exchange', secrets: [...at('settled'), ...at('coming')] },
    { do: 'use', secrets: chosen },
    { do: 'fade', secrets: chosen.filter(fades) },
    { do: 'refuse-others', secrets: accepted },
    { do: 'forget', secrets: chosen },
  ];
  return steps.filter(({ secrets }) => secrets.length > 0);
}

/** The tags of the roles that a step runs; none: it only touches files. */
export function tagsOf({ do: what, secrets }: RotationStep): readonly string[] {
  const rows: readonly RotatedSecret[] = secrets.map((name) => ROTATED_SECRETS[name]);
  if (what === 'accept' || what === 'refuse-others')
    return [...new Set(rows.flatMap(({ acceptedBy }) => acceptedBy ?? []))];
  return what === 'use' ? [...new Set(rows.flatMap(({ tags }) => tags))] : [];
}

export function fades(name: SecretName): boolean {
  return 'fades' in ROTATED_SECRETS[name];
}
