import { UserError } from '../lib/errors.ts';

interface Setting<T> {
  /** The environment variable that sets it. */
  readonly variable: string;
  readonly default: T;
  /** What it sets, in words that complete a sentence. */
  readonly sets: string;
  /** What a value must be, in words. */
  readonly expected: string;
  /** Undefined when the text is no value for it. */
  readonly parse: (text: string) => T | undefined;
}

// Read before anything else can begin, so it is plain code: the schema library alone takes longer than a handshake.
const wholeNumber = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);

/** Every setting with its default. Command-line options are stronger, then the environment, then what stands here. */
export const SETTINGS = {
  inventory: {
    variable: 'UNDERSTUDY_INVENTORY',
    default: 'inventory/lab',
    sets: 'the inventory: hosts.yml or its directory',
    expected: 'a path',
    parse: (text) => text,
  } satisfies Setting<string>,
  playbook: {
    variable: 'UNDERSTUDY_PLAYBOOK',
    default: 'playbooks/site.yml',
    sets: 'the playbook of `up` and `check`',
    expected: 'a path',
    parse: (text) => text,
  } satisfies Setting<string>,
  vaultPasswordFile: {
    variable: 'UNDERSTUDY_VAULT_PASSWORD_FILE',
    default: '',
    sets: 'the file with the password of Ansible Vault, or the program that prints it',
    expected: 'a path',
    parse: (text) => text,
  } satisfies Setting<string>,
  forks: {
    variable: 'UNDERSTUDY_FORKS',
    default: 50,
    sets: 'hosts that are worked on at the same time',
    expected: 'a whole number from 1 to 1000',
    parse: (text) => {
      const forks = wholeNumber(text);
      return forks !== undefined && forks >= 1 && forks <= 1000 ? forks : undefined;
    },
  } satisfies Setting<number>,
} as const;

export interface Settings {
  readonly inventory: string;
  readonly playbook: string;
  /** Empty: none. */
  readonly vaultPasswordFile: string;
  readonly forks: number;
}

/** The settings that hold where no option is given. An empty variable counts as unset. */
export function settings(environment: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const problems: { message: string; hint: string }[] = [];
  const read = <T>(setting: Setting<T>): T => {
    const text = environment[setting.variable];
    if (text === undefined || text === '') return setting.default;
    const value = setting.parse(text);
    if (value !== undefined) return value;
    problems.push({
      message: `${setting.variable}=${text}: expected ${setting.expected}`,
      hint: `it sets ${setting.sets}`,
    });
    return setting.default;
  };
  const found = {
    inventory: read(SETTINGS.inventory),
    playbook: read(SETTINGS.playbook),
    vaultPasswordFile: read(SETTINGS.vaultPasswordFile),
    forks: read(SETTINGS.forks),
  };
  if (problems.length > 0) throw new UserError(problems);
  return found;
}
