import { args, bool, choice, float, int, list, path, str, unsupported } from './arguments.ts';

/** What ansible.builtin.user takes. */
export const userArgs = args({
  name: str.refine((value) => /^[^:,\s/-][^:,\s/]*$/.test(value), { error: 'expected the name of a user' }),
  state: choice('absent', 'present').default('present'),
  uid: int.optional(),
  non_unique: bool.default(false),
  group: str.optional(),
  groups: list(str).optional(),
  append: bool.default(false),
  comment: str.optional(),
  home: path.optional(),
  create_home: bool.default(true),
  move_home: bool.default(false),
  skeleton: path.optional(),
  shell: str.optional(),
  password: str
    .refine((value) => !/[:\n]/.test(value), {
      error: 'expected a password hash, as from the filter password_hash',
    })
    .optional(),
  update_password: choice('always', 'on_create').default('always'),
  password_lock: bool.optional(),
  password_expire_max: int.optional(),
  password_expire_min: int.optional(),
  password_expire_warn: int.optional(),
  expires: float.optional(),
  system: bool.default(false),
  umask: str.optional(),
  force: bool.default(false),
  remove: bool.default(false),
  local: bool.default(false),
  generate_ssh_key: bool.default(false),
  ssh_key_type: choice('rsa', 'ed25519', 'ecdsa').default('rsa'),
  ssh_key_bits: int.optional(),
  ssh_key_file: path.default('.ssh/id_rsa'),
  ssh_key_comment: str.optional(),
  ssh_key_passphrase: unsupported('make the key with ansible.builtin.command'),
  seuser: unsupported('SELinux contexts are not managed'),
  login_class: unsupported('it is for BSD'),
  hidden: unsupported('it is for macOS'),
  profile: unsupported('it is for Solaris'),
  authorization: unsupported('it is for Solaris'),
  role: unsupported('it is for Solaris'),
});

export type UserArgs = (typeof userArgs)['_output'];
