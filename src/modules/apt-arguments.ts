import { args, bool, choice, count, int, list, only, path, str, unsupported } from './arguments.ts';

const PACKAGE = /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=\S+)?$/;

const packageName = str.superRefine((value, context) => {
  if (value === '*' || PACKAGE.test(value)) return;
  const problem = /[*?[]/.test(value.replace(/=.*/, ''))
    ? `wildcards in package names are not supported; name the packages (found '${value}')`
    : /[<>]/.test(value)
      ? `only = is supported before a version (found '${value}')`
      : `'${value}' is no package name`;
  context.addIssue({ code: 'custom', message: problem });
});

/** What ansible.builtin.apt takes. */
export const aptArgs = args(
  {
    name: list(packageName).optional(),
    state: choice('absent', 'build-dep', 'fixed', 'latest', 'present')
      .refine((value) => value !== 'build-dep', {
        error: 'build-dep is not supported; use ansible.builtin.command',
      })
      .default('present'),
    update_cache: bool.optional(),
    update_cache_retries: count.default(5),
    update_cache_retry_max_delay: count.default(12),
    cache_valid_time: count.default(0),
    purge: bool.default(false),
    deb: path
      .refine((value) => !value.includes('://'), {
        error: 'expected a path on the target; fetch it with ansible.builtin.get_url first',
      })
      .optional(),
    default_release: str.optional(),
    install_recommends: bool.optional(),
    force: only(false, 'use allow_unauthenticated or allow_downgrade'),
    upgrade: choice('dist', 'full', 'no', 'safe', 'yes').default('no'),
    dpkg_options: str.default('force-confdef,force-confold'),
    autoremove: bool.default(false),
    autoclean: bool.default(false),
    clean: bool.default(false),
    fail_on_autoremove: bool.default(false),
    policy_rc_d: int.optional(),
    only_upgrade: bool.default(false),
    force_apt_get: bool.default(false),
    allow_unauthenticated: bool.default(false),
    allow_downgrade: bool.default(false),
    allow_change_held_packages: bool.default(false),
    auto_install_module_deps: bool.default(true),
    lock_timeout: count.default(60),
    install_python_apt: unsupported('no Python is needed'),
  },
  { exclusive: [['deb', 'name']] },
).superRefine((given, context) => {
  const problem = (message: string): void => context.addIssue({ code: 'custom', message });
  const upgrades = given.upgrade !== 'no';
  if (upgrades && (given.name ?? given.deb) !== undefined)
    problem('upgrade and name or deb exclude each other');
  const isWork =
    given.name ??
    given.deb ??
    (given.autoremove || given.autoclean || given.clean || upgrades || given.state === 'fixed');
  if (isWork === false && given.update_cache === undefined && given.cache_valid_time === 0) {
    problem('one of name, deb, upgrade, update_cache, autoremove, autoclean, clean is required');
  }
  if (given.deb !== undefined && given.state !== 'present') problem('deb: needs state: present');
  if (given.name?.includes('*') && (given.name.length > 1 || given.state !== 'latest')) {
    problem("name: '*' stands alone, with state: latest");
  }
});

export type AptArgs = (typeof aptArgs)['_output'];

/** Other spellings of apt's arguments. */
export const aptAliases = {
  name: ['package', 'pkg'],
  update_cache: ['update-cache'],
  default_release: ['default-release'],
  install_recommends: ['install-recommends'],
  allow_unauthenticated: ['allow-unauthenticated'],
  allow_downgrade: ['allow-downgrade', 'allow_downgrades', 'allow-downgrades'],
} as const;
