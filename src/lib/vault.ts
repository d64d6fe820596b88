import { UserError, type Problem, type SourceLocation } from './errors.ts';
import type { Secret } from './secret.ts';
import { isVaultText, openEnvelope, readEnvelope } from './vault-cipher.ts';

/** A password of ansible-vault and the id under which texts name it. */
export interface VaultPassword {
  readonly id: string;
  readonly password: Secret;
}

/** These words quote nothing, so they are told of secret files too. */
const NO_PASSWORD = {
  message: 'this is encrypted with Ansible Vault, and no password was given',
  hint: 'give --vault-password-file FILE or --vault-id ID@FILE, before the options that read files, or set UNDERSTUDY_VAULT_PASSWORD_FILE',
} as const;
const WRONG_PASSWORD = {
  message: 'this is encrypted with Ansible Vault, and none of the given passwords opens it',
  hint: 'the password may be another one, or the text may be damaged',
} as const;

/** Opens what ansible-vault encrypted, and remembers what was in it. */
export class Vault {
  readonly #passwords: readonly VaultPassword[];
  readonly #opened = new Set<string>();
  #listeners: ((secret: string) => void)[] = [];

  constructor(passwords: readonly VaultPassword[]) {
    this.#passwords = passwords;
  }

  /** The content of an encrypted text. */
  open(text: string, at: SourceLocation | undefined): Buffer {
    if (this.#passwords.length === 0) throw new UserError({ ...NO_PASSWORD, location: at });
    const envelope = readEnvelope(text);
    if (typeof envelope === 'string') throw new UserError({ message: envelope, location: at });
    // As Ansible does: the one that is named first, then all others.
    const named = this.#passwords.filter(({ id }) => id === envelope.id);
    const others = this.#passwords.filter(({ id }) => id !== envelope.id);
    for (const { password } of [...named, ...others]) {
      const content = openEnvelope(envelope, password.reveal());
      if (content) return content;
    }
    throw new UserError({ ...WRONG_PASSWORD, location: at });
  }

  /** Says that a text came out of the vault, so that it is never shown. */
  keep(secret: string): void {
    this.#opened.add(secret);
    for (const tell of this.#listeners) tell(secret);
  }

  /** Tells everything that was and will be opened. */
  onSecret(tell: (secret: string) => void): void {
    for (const secret of this.#opened) tell(secret);
    this.#listeners = [...this.#listeners, tell];
  }
}

let vault = new Vault([]);

/** The vault of this process. The command line says once which passwords it has, before anything is read. */
export function theVault(): Vault {
  return vault;
}

/** Gives the process the passwords of its command line. */
export function useVault(passwords: readonly VaultPassword[]): void {
  vault = new Vault(passwords);
}

/** A file's text, opened if ansible-vault encrypted it. */
export function openedText(text: string, file: string): string {
  return isVaultText(text) ? theVault().open(text, { file, line: 1, column: 1 }).toString('utf8') : text;
}

/** Like openedText, for content that may be no text. */
export function openedContent(content: Buffer, file: string): Buffer {
  const text = content.subarray(0, 15).toString('latin1');
  if (!isVaultText(text)) return content;
  const opened = theVault().open(content.toString('latin1'), { file, line: 1, column: 1 });
  theVault().keep(opened.toString('utf8').trimEnd());
  return opened;
}

/** The message and the hint of a problem with Ansible Vault. */
export function vaultWords({ message }: Problem): Pick<Problem, 'message' | 'hint'> | undefined {
  return [NO_PASSWORD, WRONG_PASSWORD].find((words) => words.message === message);
}
