import { realpathSync } from 'node:fs';
import { sep } from 'node:path';

import type { Problem } from './errors.ts';
import { vaultWords } from './vault.ts';

const SECRET_FOLDER = /^secrets?$/i;
const SECRET_FILE = /^(?:secrets?|credentials|vault)(?:\.(?:ya?ml|json))?$|\.(?:pem|key|p12|pfx|jks)$/i;
const KEY_FILE = /^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/;
const KEY_TEXT = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/;

/** Whether a file is a secret by its name or that of a folder above it, links followed: its text is never shown. */
export function isSecretFile(file: string): boolean {
  return hasSecretName(file) || hasSecretName(target(file));
}

/** Whether a text holds a private key. */
export function holdsPrivateKey(text: string): boolean {
  return KEY_TEXT.test(text);
}

/** A problem in a secret file, without its message and frame: messages quote what they found. */
export function withoutText(problem: Problem): Problem {
  const { location } = problem;
  return {
    ...(vaultWords(problem) ?? {
      message: 'something is wrong here; the file is a secret, so its text is not shown',
    }),
    ...(location === undefined ? {} : { location }),
  };
}

function hasSecretName(path: string): boolean {
  const folders = path.split(sep);
  const name = folders.pop() ?? '';
  return (
    SECRET_FILE.test(name) || KEY_FILE.test(name) || folders.some((folder) => SECRET_FOLDER.test(folder))
  );
}

function target(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
