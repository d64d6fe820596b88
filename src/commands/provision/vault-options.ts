import { type Command, Option } from 'commander';

import { settings } from '../../config/settings.ts';
import { vaultIdPassword, vaultPassword } from '../../lib/vault-passwords.ts';
import { useVault, type VaultPassword } from '../../lib/vault.ts';

/** Adds the options that say how to open what Ansible Vault encrypted; gives the passwords that were given so far. */
export function addVaultOptions(command: Command): () => readonly VaultPassword[] {
  const file = settings().vaultPasswordFile;
  let passwords: readonly VaultPassword[] = [];
  const add = (password: VaultPassword): void => {
    // At once, since an option after this one may name an encrypted file.
    passwords = [...passwords, password];
    useVault(passwords);
  };
  command
    .addOption(
      new Option(
        '--vault-password-file <file>',
        'the file with the password of Ansible Vault, or a program that prints it',
      ).argParser((text) => add(vaultPassword(text))),
    )
    .addOption(
      new Option(
        '--vault-id <id@source>',
        'the same for one vault id; "prompt" asks; may be repeated',
      ).argParser((text) => add(vaultIdPassword(text))),
    )
    .option('-J, --ask-vault-pass', 'ask for the password of Ansible Vault')
    .on('option:ask-vault-pass', () => add(vaultPassword('prompt')))
    .hook('preAction', () => {
      if (passwords.length === 0 && file !== '') add(vaultPassword(file));
    });
  return () => passwords;
}
