import { args, bool, choice, count, filled, int, list, path, str, unsupported } from '../kit/arguments.ts';

const PACKAGE = /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(>?=\S+)?$/;

const packageName = str.superRefine((value, context) => {
  if (value === '*' || PACKAGE.test(value)) return;
  const problem = /[*?[]/.test(value.replace(/>?=.*/, ''))
    ? `wildcards in package names are not supported; name the packages (found '${value}')`
    : /[<>]/.test(value)
      ? `only = and >= are supported before a version (found '${value}')`
      : `'${value}' is no package name`;
  context.addIssue({ code: 'custom', message: problem });
});

/** What ansible.builtin.apt takes. */
export const aptArgs = args(
  {
    name: list(packageName)
      .optional()
      .describe('The packages, each a name, `name=version` (wildcards allowed) or `name>=version`.'),
    state: choice('absent', 'build-dep', 'fixed', 'latest', 'present')
      .refine((value) => value !== 'build-dep', {
        error: 'build-dep is not supported; use ansible.builtin.command',
      })
      .default('present')
      .describe(
        '`present` installs what is missing, `latest` upgrades too, `absent` removes, `fixed` repairs broken dependencies.',
      ),
    update_cache: bool
      .optional()
      .describe('Read the package lists again first, unless `cache_valid_time` says that they are fresh.'),
    update_cache_retries: count
      .default(5)
      .describe('How often to try again when the package lists cannot be read.'),
    update_cache_retry_max_delay: count
      .default(12)
      .describe('The longest pause between two tries, in seconds.'),
    cache_valid_time: count
      .default(0)
      .describe(
        'Package lists younger than this many seconds are not read again; above 0 it implies `update_cache`.',
      ),
    purge: bool.default(false).describe('Remove the configuration files as well, with `state: absent`.'),
    deb: path
      .refine((value) => !value.includes('://'), {
        error: 'expected a path on the target; fetch it with ansible.builtin.get_url first',
      })
      .optional()
      .describe('A package file on the target to install.'),
    default_release: filled.optional().describe("The release to prefer, as apt's `-t`."),
    install_recommends: bool
      .optional()
      .describe(
        "Whether recommended packages come along; without it the target's apt configuration decides.",
      ),
    force: bool
      .default(false)
      .describe('Allow packages whose origin cannot be verified, and downgrades; better allow one of them.'),
    upgrade: choice('dist', 'full', 'no', 'safe', 'yes')
      .default('no')
      .describe('Upgrade all packages: `safe` and `yes` remove none, `full` and `dist` may.'),
    dpkg_options: str
      .default('force-confdef,force-confold')
      .describe('Options of dpkg, without the leading dashes and separated by commas.'),
    autoremove: bool
      .default(false)
      .describe('Remove packages that came as dependencies and that nothing needs any more.'),
    autoclean: bool
      .default(false)
      .describe('Delete downloaded package files that can no longer be downloaded.'),
    clean: bool.default(false).describe('Delete all downloaded package files.'),
    fail_on_autoremove: bool
      .default(false)
      .describe('Fail rather than remove packages that the task does not name.'),
    policy_rc_d: int
      .optional()
      .describe(
        'The exit status that `policy-rc.d` gives while packages are installed; 101 keeps services from starting.',
      ),
    only_upgrade: bool.default(false).describe('Upgrade a package only if it is installed.'),
    force_apt_get: bool
      .default(false)
      .describe('Accepted, and without effect: apt-get is what is always used.'),
    allow_unauthenticated: bool.default(false).describe('Install packages whose origin cannot be verified.'),
    allow_downgrade: bool
      .default(false)
      .describe('Let a version that is asked for be older than the installed one.'),
    allow_change_held_packages: bool.default(false).describe('Change packages that are on hold, too.'),
    auto_install_module_deps: bool
      .default(true)
      .describe('Accepted, and without effect: nothing has to be installed for this module.'),
    lock_timeout: count
      .default(60)
      .describe('How many seconds to wait while another program works on packages.'),
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
