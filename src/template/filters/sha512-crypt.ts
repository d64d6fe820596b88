import { createHash, randomInt } from 'node:crypto';

import { typeFault } from '../python/objects.ts';

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DEFAULT_ROUNDS = 5000;
/** Rounds of passlib, which Ansible uses where it is installed; written out in the result. */
const FEWEST_ROUNDS = 1000;
const MOST_ROUNDS = 999_999_999;
/** In which order the bytes of the digest are written, three at a time. */
const ORDER = [
  [0, 21, 42],
  [22, 43, 1],
  [44, 2, 23],
  [3, 24, 45],
  [25, 46, 4],
  [47, 5, 26],
  [6, 27, 48],
  [28, 49, 7],
  [50, 8, 29],
  [9, 30, 51],
  [31, 52, 10],
  [53, 11, 32],
  [12, 33, 54],
  [34, 55, 13],
  [56, 14, 35],
  [15, 36, 57],
  [37, 58, 16],
  [59, 17, 38],
  [18, 39, 60],
  [40, 61, 19],
  [62, 20, 41],
] as const;

function sha512(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** As much of a digest, repeated, as `length` asks for. */
function stretched(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest);
}

/** The `$6$` hash of glibc's crypt(3), by Ulrich Drepper's specification; a random salt if none is given. */
export function sha512Crypt(
  password: string,
  salt: string | undefined,
  rounds: number | undefined,
  saltSize = 16,
): string {
  const saltText =
    salt ?? Array.from({ length: saltSize }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  if (!/^[./0-9A-Za-z]{0,16}$/.test(saltText))
    throw typeFault('password_hash: a salt has up to 16 letters, digits, dots and slashes');
  const count = rounds ?? DEFAULT_ROUNDS;
  if (!Number.isInteger(count) || count < FEWEST_ROUNDS || count > MOST_ROUNDS)
    throw typeFault('password_hash: rounds must be between 1000 and 999999999');
  const key = Buffer.from(password);
  const saltBytes = Buffer.from(saltText);

  const alternate = sha512(key, saltBytes, key);
  const parts: Uint8Array[] = [key, saltBytes, stretched(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? alternate : key);
  let digest = sha512(...parts);

  const keySequence = stretched(sha512(...Array.from({ length: key.length }, () => key)), key.length);
  const saltSequence = stretched(
    sha512(...Array.from({ length: 16 + digest[0]! }, () => saltBytes)),
    saltBytes.length,
  );
  for (let round = 0; round < count; round++) {
    const steps: Uint8Array[] = [round & 1 ? keySequence : digest];
    if (round % 3 !== 0) steps.push(saltSequence);
    if (round % 7 !== 0) steps.push(keySequence);
    steps.push(round & 1 ? digest : keySequence);
    digest = sha512(...steps);
  }
  const shownRounds = rounds === undefined || rounds === DEFAULT_ROUNDS ? '' : `rounds=${count}$`;
  return `$6$${shownRounds}${saltText}$${encoded(digest)}`;
}

function encoded(digest: Buffer): string {
  let text = '';
  const write = (value: number, characters: number): void => {
    let rest = value;
    for (let index = 0; index < characters; index++, rest >>= 6) text += ALPHABET[rest & 0x3f];
  };
  for (const [a, b, c] of ORDER) write((digest[a]! << 16) | (digest[b]! << 8) | digest[c]!, 4);
  write(digest[63]!, 2);
  return text;
}
