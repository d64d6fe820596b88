import { UserError, type Problem } from './errors.ts';

/** Ansible Vault is not supported. These words quote nothing, so they are told of secret files too. */
const VAULT_FILE = {
  message: 'this file is encrypted with Ansible Vault, which is not supported yet',
  hint: 'decrypt it ("ansible-vault decrypt") and keep it out of the repository, or look its secrets up elsewhere',
} as const;

export const VAULT_VALUE = {
  message: 'this value is encrypted with Ansible Vault, which is not supported yet',
  hint: 'keep the secret outside the repository and look it up',
} as const;

/** Refuses the text of a file that ansible-vault encrypted, whatever the file is called. */
export function refuseVaultFile(text: string, file: string): void {
  if (!text.startsWith('$ANSIBLE_VAULT;')) return;
  throw new UserError([{ ...VAULT_FILE, location: { file, line: 1, column: 1 } }]);
}

/** The message and the hint of a problem with Ansible Vault. */
export function vaultWords({ message }: Problem): Pick<Problem, 'message' | 'hint'> | undefined {
  return [VAULT_FILE, VAULT_VALUE].find((words) => words.message === message);
}
