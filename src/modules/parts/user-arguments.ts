import { args, bool, choice, float, int, list, path, str, unsupported } from '../kit/arguments.ts';

/** What ansible.builtin.user takes. */
export const userArgs = args({
  name: str
    .refine((value) => /^[^:,\s/-][^:,\n/]*$/.test(value), { error: 'expected the name of a user' })
    .describe('The name of the user.'),
  state: choice('absent', 'present').default('present').describe('Whether the user shall exist.'),
  uid: int.optional().describe("The user's number."),
  non_unique: bool.default(false).describe('Let the number be that of another user.'),
  group: str.optional().describe('The primary group.'),
  groups: list(str)
    .optional()
    .describe('Further groups; all others are left, unless `append` is set. An empty list leaves all.'),
  append: bool.default(false).describe('Only add to the groups.'),
  comment: str.optional().describe('The full name, or what the account is for.'),
  home: path.optional().describe('The home directory.'),
  create_home: bool.default(true).describe('Create the home directory of a new user.'),
  move_home: bool.default(false).describe('Move what is in the old home directory when `home` changes.'),
  skeleton: path.optional().describe('The directory whose files a new home directory gets.'),
  shell: str.optional().describe('The login shell.'),
  password: str
    .refine((value) => !/[:\n]/.test(value), {
      error: 'expected a password hash, as from the filter password_hash',
    })
    .optional()
    .describe("The password's hash, as of the filter `password_hash`; it travels on stdin only."),
  update_password: choice('always', 'on_create')
    .default('always')
    .describe('Whether the password of an existing user is changed.'),
  password_lock: bool.optional().describe('Lock or unlock the password; keys still work.'),
  password_expire_max: int.optional().describe('After how many days the password must be changed.'),
  password_expire_min: int.optional().describe('After how many days the password may be changed.'),
  password_expire_warn: int.optional().describe('How many days before that the user is warned.'),
  password_expire_account_disable: int
    .optional()
    .describe('How many days after that the account is disabled; negative is never.'),
  expires: float.optional().describe('When the account ends, in seconds since 1970; negative is never.'),
  uid_min: int.optional().describe('The lowest number that a new user may get.'),
  uid_max: int.optional().describe('The highest number that a new user may get.'),
  system: bool.default(false).describe('Take the number of a new user from the range of the system.'),
  umask: str.optional().describe('The umask with which a new home directory is made.'),
  force: bool.default(false).describe('With `absent`: remove the user even if logged in.'),
  remove: bool.default(false).describe('With `absent`: remove the home directory, too.'),
  local: bool
    .default(false)
    .describe("Accepted, and without effect: useradd and its kin work on the target's own files."),
  generate_ssh_key: bool.default(false).describe('Make the user an SSH key where there is none.'),
  ssh_key_type: choice('rsa', 'ed25519', 'ecdsa').default('rsa').describe('The kind of that key.'),
  ssh_key_bits: int.optional().describe('The size of that key.'),
  ssh_key_file: path
    .default('.ssh/id_rsa')
    .describe('Where that key is kept; relative to the home directory.'),
  ssh_key_comment: str.optional().describe('The comment of that key.'),
  ssh_key_passphrase: unsupported('make the key with ansible.builtin.command'),
  seuser: unsupported('SELinux contexts are not managed'),
  login_class: str.optional().describe('Accepted, and without effect: it is for BSD.'),
  hidden: bool.optional().describe('Accepted, and without effect: it is for macOS.'),
  profile: str.optional().describe('Accepted, and without effect: it is for Solaris.'),
  authorization: str.optional().describe('Accepted, and without effect: it is for Solaris.'),
  role: str.optional().describe('Accepted, and without effect: it is for Solaris.'),
});

export type UserArgs = (typeof userArgs)['_output'];
