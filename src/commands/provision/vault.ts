import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { Command, Option } from 'commander';

import { replaceFile } from '../../lib/durable.ts';
import { UserError } from '../../lib/errors.ts';
import { userEnvironment } from '../../lib/system-path.ts';
import { isVaultText, readEnvelope, sealText } from '../../lib/vault-cipher.ts';
import { vaultIdPassword, vaultPassword } from '../../lib/vault-passwords.ts';
import { theVault, type VaultPassword } from '../../lib/vault.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from './options.ts';
import { addVaultOptions } from './vault-options.ts';

type Passwords = () => readonly VaultPassword[];

/** `provision vault`: writes and opens what `ansible-vault` does. */
export function vaultCommand(_context: CommandContext): Command {
  const command = new Command('vault').description(
    'encrypt files and values as Ansible Vault does, and open them',
  );
  addExamples(command, [
    ['provision vault encrypt group_vars/all/vault.yml --vault-password-file ~/.vault', 'encrypt a file'],
    ['provision vault edit group_vars/all/vault.yml --vault-id prod@prompt', 'change it in $EDITOR'],
    ['provision vault encrypt-string -n db_password < secret.txt', 'a value to put into a YAML file'],
  ]);
  command.addCommand(withFiles('encrypt', 'encrypt files', encrypt));
  command.addCommand(withFiles('decrypt', 'write files as they are without encryption', decrypt));
  command.addCommand(withFiles('view', 'show what is in files', view));
  command.addCommand(withFiles('edit', 'change files in $EDITOR', edit));
  command.addCommand(rekeyCommand());
  command.addCommand(encryptStringCommand());
  return command;
}

interface Encryption {
  readonly encryptVaultId?: string;
}

function withFiles(
  name: string,
  description: string,
  act: (file: string, password: () => VaultPassword, passwords: Passwords) => void,
): Command {
  const command = new Command(name).description(description).argument('<files...>', 'the files');
  const passwords = addVaultOptions(command);
  if (name === 'encrypt') addEncryptionOption(command);
  addExamples(command, [[`provision vault ${name} vault.yml --vault-password-file ~/.vault`, description]]);
  return command.action((files: readonly string[]) => {
    const { encryptVaultId } = command.opts<Encryption>();
    for (const file of files) act(file, () => passwordFor(passwords, encryptVaultId), passwords);
  });
}

function addEncryptionOption(command: Command): void {
  command.addOption(new Option('--encrypt-vault-id <id>', 'which of several passwords to encrypt with'));
}

/** The password to encrypt with. */
function passwordFor(passwords: Passwords, id: string | undefined): VaultPassword {
  const all = passwords();
  const found = id === undefined ? all : all.filter((one) => one.id === id);
  const [first, second] = found;
  if (!first) {
    throw new UserError({
      message:
        id === undefined ? 'no vault password was given' : `no password of the vault id "${id}" was given`,
      hint: 'give --vault-password-file FILE, --vault-id ID@FILE or --ask-vault-pass',
    });
  }
  if (second && first.id !== second.id) {
    throw new UserError({
      message: `several vault ids were given: ${found.map((one) => one.id).join(', ')}`,
      hint: 'say with --encrypt-vault-id which one to encrypt with',
    });
  }
  return first;
}

function seal(content: Buffer, { id, password }: VaultPassword): string {
  return sealText(content, password.reveal(), id);
}

function opened(file: string): Buffer {
  const text = readFileSync(file, 'latin1');
  if (!isVaultText(text)) throw new UserError(`${file} is not encrypted`);
  return theVault().open(text, { file, line: 1, column: 1 });
}

function encrypt(file: string, password: () => VaultPassword): void {
  const content = readFileSync(file);
  if (isVaultText(content.toString('latin1'))) throw new UserError(`${file} is encrypted already`);
  write(file, seal(content, password()));
}

function decrypt(file: string): void {
  write(file, opened(file));
}

function view(file: string): void {
  process.stdout.write(opened(file));
}

/** The file keeps its password where that was given under the id that the file names. */
function edit(file: string, _: () => VaultPassword, passwords: Passwords): void {
  const envelope = readEnvelope(readFileSync(file, 'latin1'));
  const content = opened(file);
  const directory = mkdtempSync(join(tmpdir(), 'understudy-vault-'));
  try {
    const copy = join(directory, basename(file));
    writeFileSync(copy, content, { mode: 0o600 });
    const editor = process.env['VISUAL'] ?? process.env['EDITOR'] ?? 'vi';
    const { status, error } = spawnSync('/bin/sh', ['-c', `${editor} "$1"`, 'sh', copy], {
      stdio: 'inherit',
      env: userEnvironment(),
    });
    if (status !== 0)
      throw new UserError(
        `${editor} ${error?.message ?? `ended with status ${status}`}: ${file} is as it was`,
      );
    const changed = readFileSync(copy);
    if (changed.equals(content)) return;
    const same = passwords().find(({ id }) => typeof envelope !== 'string' && id === envelope.id);
    write(file, seal(changed, same ?? passwordFor(passwords, undefined)));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Replaces a file; it is only its owner's while it is written, and then has the mode that it had. */
function write(file: string, content: string | Buffer): void {
  replaceFile(file, content, statSync(file).mode & 0o7777);
}

function rekeyCommand(): Command {
  const command = new Command('rekey')
    .description('encrypt files with another password')
    .argument('<files...>', 'the files')
    .option('--new-vault-password-file <file>', 'the file with the new password, or a program that prints it')
    .option('--new-vault-id <id@source>', 'the same for one vault id');
  addVaultOptions(command);
  addExamples(command, [
    [
      'provision vault rekey vault.yml --vault-password-file old --new-vault-password-file new',
      'a new password',
    ],
  ]);
  return command.action((files: readonly string[]) => {
    const { newVaultPasswordFile, newVaultId } = command.opts<{
      newVaultPasswordFile?: string;
      newVaultId?: string;
    }>();
    const password =
      newVaultId === undefined
        ? vaultPassword(newVaultPasswordFile ?? 'prompt')
        : vaultIdPassword(newVaultId);
    const contents = files.map((file) => ({ file, content: opened(file) }));
    for (const { file, content } of contents) write(file, seal(content, password));
  });
}

function encryptStringCommand(): Command {
  const command = new Command('encrypt-string')
    .description('encrypt a value for a YAML file; without an argument it is read from stdin')
    .argument('[text]', 'the value, which other users can see in the list of processes')
    .option('-n, --name <name>', 'the name of the variable');
  const passwords = addVaultOptions(command);
  addEncryptionOption(command);
  addExamples(command, [
    ['provision vault encrypt-string -n token < token.txt', 'a value that nobody else sees'],
  ]);
  return command.action((text: string | undefined) => {
    const { name, encryptVaultId } = command.opts<Encryption & { name?: string }>();
    const content = text === undefined ? readFileSync(0) : Buffer.from(text);
    const sealed = seal(content, passwordFor(passwords, encryptVaultId)).trimEnd();
    const lines = sealed.split('\n').map((line) => `          ${line}`);
    process.stdout.write(`${name === undefined ? '' : `${name}: `}!vault |\n${lines.join('\n')}\n`);
  });
}
