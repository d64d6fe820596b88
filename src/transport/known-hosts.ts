import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One line of a known_hosts file. */
export interface KnownHost {
  readonly file: string;
  readonly line: number;
  readonly marker: 'cert-authority' | 'revoked' | undefined;
  /** Plain names, wildcard patterns or one hashed name, as written. */
  readonly names: string;
  readonly algorithm: string;
  /** The key as the protocol sends it. */
  readonly key: Buffer;
}

/** What known_hosts says about the key that a host showed. */
export type HostKeyVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown'; readonly authorities: readonly KnownHost[] }
  | { readonly kind: 'changed' | 'revoked'; readonly entry: KnownHost };

/** The name under which known_hosts keeps a host: with the port unless it is 22. */
export function knownHostLabel(name: string, port: number): string {
  const lower = name.toLowerCase();
  return port === 22 ? lower : `[${lower}]:${port}`;
}

/** Reads a known_hosts file's text. Lines that sshd's own tools would skip are skipped. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const entries: KnownHost[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const words = line.split(/[ \t]+/);
    const marker =
      words[0] === '@cert-authority' ? 'cert-authority' : words[0] === '@revoked' ? 'revoked' : undefined;
    if (words[0]?.startsWith('@')) {
      if (!marker) continue;
      words.shift();
    }
    const [names, algorithm, base64] = words;
    if (names === undefined || algorithm === undefined || base64 === undefined) continue;
    entries.push({ file, line: index + 1, marker, names, algorithm, key: Buffer.from(base64, 'base64') });
  }
  return entries;
}

/** Reads several files; one that does not exist knows nobody. */
export function readKnownHosts(files: readonly string[]): KnownHost[] {
  return files.flatMap((file) => {
    try {
      return parseKnownHosts(readFileSync(file, 'utf8'), file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** The entries for a host, by any of its labels. */
export function entriesFor(entries: readonly KnownHost[], label: string): KnownHost[] {
  return entries.filter((entry) => matchesNames(entry.names, label));
}

/** Whether a known_hosts name field covers the label: plain, with wildcards, negated or hashed. */
export function matchesNames(names: string, label: string): boolean {
  if (names.startsWith('|1|')) return matchesHash(names, label);
  return matchesPatterns(names.toLowerCase().split(','), label);
}

/** Whether one of the patterns covers the text, and none that is negated with `!` does (PATTERNS in ssh_config(5)). */
export function matchesPatterns(patterns: readonly string[], text: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith('!');
    if (!wildcard(negated ? pattern.slice(1) : pattern, text)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function matchesHash(names: string, label: string): boolean {
  const [, , salt, hash] = names.split('|');
  if (!salt || !hash) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(label).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** `*` and `?`; brackets are those of `[host]:port` and mean themselves. */
function wildcard(pattern: string, text: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === text;
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}

/** Judges the key that a host showed by the entries that are for it. */
export function judgeHostKey(entries: readonly KnownHost[], algorithm: string, key: Buffer): HostKeyVerdict {
  const revoked = entries.find((entry) => entry.marker === 'revoked' && entry.key.equals(key));
  if (revoked) return { kind: 'revoked', entry: revoked };
  const plain = entries.filter((entry) => entry.marker === undefined);
  if (plain.some((entry) => entry.key.equals(key))) return { kind: 'known' };
  // The kinds of key that are known are asked for first, so one that is not means that the host lost the known ones.
  const changed = plain.find((entry) => entry.algorithm === algorithm) ?? plain[0];
  if (changed) return { kind: 'changed', entry: changed };
  return { kind: 'unknown', authorities: entries.filter((entry) => entry.marker === 'cert-authority') };
}

/** The host key algorithms to offer, those of the known keys first, as OpenSSH does. */
export function orderAlgorithms(entries: readonly KnownHost[], all: readonly string[]): string[] {
  const known = new Set(
    entries
      .filter((entry) => entry.marker === undefined)
      .flatMap((entry) => signatureAlgorithms(entry.algorithm)),
  );
  return [...all.filter((name) => known.has(name)), ...all.filter((name) => !known.has(name))];
}

/** An RSA key signs in several ways; the file names only the kind of key. */
function signatureAlgorithms(keyType: string): string[] {
  return keyType === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [keyType];
}

/** The kind of a key, from its own bytes. */
export function keyAlgorithm(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.toString('latin1', 4, 4 + length);
}

/** As `ssh-keygen -l` shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** A new line for a known_hosts file. */
export function knownHostLine(label: string, key: Buffer, options: { hashed?: boolean } = {}): string {
  let name = label;
  if (options.hashed) {
    const salt = randomBytes(20);
    name = `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(label).digest('base64')}`;
  }
  return `${name} ${keyAlgorithm(key)} ${key.toString('base64')}`;
}

/** Whether the user's file hashes its names; new lines then do, too. */
export function isHashed(entries: readonly KnownHost[]): boolean {
  return entries.some((entry) => entry.names.startsWith('|1|'));
}

const writing = new Map<string, Promise<unknown>>();

/**
 * Adds keys for a host to a known_hosts file and removes the plain entries that `remove` names. The file is replaced
 * as a whole, so a reader never sees half a line; hosts that connect at the same time wait for each other.
 */
export async function updateKnownHosts(
  file: string,
  label: string,
  keys: readonly Buffer[],
  options: { replace?: boolean } = {},
): Promise<void> {
  const before = writing.get(file) ?? Promise.resolve();
  const after = before.catch(() => {}).then(() => rewrite(file, label, keys, options.replace ?? false));
  writing.set(file, after);
  try {
    await after;
  } finally {
    if (writing.get(file) === after) writing.delete(file);
  }
}

async function rewrite(
  file: string,
  label: string,
  keys: readonly Buffer[],
  replace: boolean,
): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const entries = parseKnownHosts(text, file);
  const mine = entriesFor(entries, label).filter((entry) => entry.marker === undefined);
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const kept = replace ? withoutLabel(lines, mine, label) : lines;
  const present = replace ? [] : mine;
  const added = keys
    .filter((key) => !present.some((entry) => entry.key.equals(key)))
    .map((key) => knownHostLine(label, key, { hashed: isHashed(entries) }));
  if (added.length === 0 && kept.length === lines.length) return;
  const content = [...kept, ...added].map((line) => `${line}\n`).join('');
  // /dev/null stands for "remember nothing".
  const existing = await stat(file).catch(() => undefined);
  if (existing && !existing.isFile()) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, content, { mode: existing ? existing.mode & 0o777 : 0o600, flag: 'wx' });
  await rename(temporary, file);
}

/** Takes the label out of the lines that name it; a line that names other hosts too keeps those. */
function withoutLabel(lines: readonly string[], entries: readonly KnownHost[], label: string): string[] {
  const byLine = new Map(entries.map((entry) => [entry.line, entry]));
  return lines.flatMap((line, index) => {
    const entry = byLine.get(index + 1);
    if (!entry) return [line];
    const names = entry.names.split(',');
    const others = names.filter((name) => name.toLowerCase() !== label);
    // A pattern is about more hosts than this one: only the user can say what becomes of it.
    if (others.length === names.length) return /[*?]/.test(entry.names) ? [line] : [];
    return others.length === 0 ? [] : [line.replace(entry.names, others.join(','))];
  });
}
