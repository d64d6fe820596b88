/*
 * The rotation of passwords as data. Invariant: at every moment, also when a run is cut off, every password that anything
 * may use is accepted by all servers. So a new one is accepted everywhere before anything uses it, and the old one for as
 * long as anything may still use that.
 *
 * Where a password stands is in its files, which `provision up` reads, too (the role mysql): beside NAME, NAME.new is the
 * one that comes, and NAME.old the one that goes; the account accepts NAME and the one beside it.
 */

/** A password that is rotated. */
export interface RotatedSecret {
  /** Its file below secrets/. */
  readonly file: string;
  /** The database's account that it opens, by the variable that names the user. Without one: it is for people. */
  readonly user?: string;
  readonly requiresTls?: boolean;
  /** The tags of the roles that put it where it is used. */
  readonly tags: readonly string[];
}

/** The site's passwords, by what --only calls them. */
export const ROTATED_SECRETS = {
  mysql_app: { file: 'mysql_app_password', user: 'mysql_app_user', tags: ['mysql', 'app'] },
  replication: {
    file: 'mysql_replication_password',
    user: 'mysql_replication_user',
    tags: ['mysql', 'failover'],
  },
  health: { file: 'mysql_health_password', user: 'mysql_health_user', tags: ['mysql', 'app'] },
  failover: { file: 'mysql_failover_password', user: 'mysql_failover_user', tags: ['mysql', 'failover'] },
  backup: { file: 'mysql_backup_password', user: 'mysql_backup_user', tags: ['mysql', 'failover'] },
  haproxy_stats: { file: 'haproxy_stats_password', tags: ['haproxy'] },
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
  /** The servers accept the present ones only. */
  | { readonly do: 'refuse-others'; readonly secrets: readonly SecretName[] }
  /** What is beside the present ones is removed. */
  | { readonly do: 'forget'; readonly secrets: readonly SecretName[] };

export interface RotationWish {
  /** Undefined: those that a run before has left in the middle; if there are none, all. */
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
  const wanted = only ?? (unfinished.length > 0 || undo ? unfinished : SECRET_NAMES);
  const chosen = SECRET_NAMES.filter(
    (name) => wanted.includes(name) && !(undo && stageOf(name) === 'settled'),
  );
  const accounts = chosen.filter((name) => 'user' in ROTATED_SECRETS[name]);
  const at = (stage: Stage): readonly SecretName[] => chosen.filter((name) => stageOf(name) === stage);
  const steps: readonly RotationStep[] = [
    { do: 'make', secrets: at('settled') },
    // Again also when it was done: what the role mysql made of it since, nobody knows.
    { do: 'accept', secrets: accounts },
    undo
      ? { do: 'exchange-back', secrets: at('going') }
      : { do: 'exchange', secrets: [...at('settled'), ...at('coming')] },
    { do: 'use', secrets: chosen },
    { do: 'refuse-others', secrets: accounts },
    { do: 'forget', secrets: chosen },
  ];
  return steps.filter(({ secrets }) => secrets.length > 0);
}

/** The tags of the roles that a step runs; none: it only touches files. */
export function tagsOf({ do: what, secrets }: RotationStep): readonly string[] {
  if (what === 'accept' || what === 'refuse-others') return ['mysql'];
  return what === 'use' ? [...new Set(secrets.flatMap((name) => ROTATED_SECRETS[name].tags))] : [];
}
