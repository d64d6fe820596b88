import { readdirSync, readFileSync, statSync, type Stats } from 'node:fs';
import { basename, extname, join } from 'node:path';

import { parse } from 'yaml';

import type { Problem } from '../lib/errors.ts';
import { isSecretFile } from '../lib/secret-file.ts';

const HOSTS_FILES = ['hosts.yml', 'hosts.yaml', 'hosts'];

/** In a directory these are no inventories, by name or by extension; Ansible's list. */
const NEVER = /^\.|^(?:host_vars|group_vars|vars_plugins)$/;
const IGNORED_EXTENSIONS = /(?:~|\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|ini|cfg|retry))$/;

/** Ansible would read these, too, and show their text when it cannot: where keys, certificates and passwords lie. */
const PRIVATE_FOLDERS =
  /^(?:secrets?|private|keys?|certs?|certificates|credentials|passwords?|tls|ssl|ssh|pki|vault)$/i;
const PRIVATE_FILES =
  /^(?:known_hosts|authorized_keys|id_[a-z0-9]+)|(?:passwords?|passwd|passphrase|secrets?|tokens?|credentials|vault|_pass|_key)$/i;
const PRIVATE_EXTENSIONS = /\.(?:pem|key|crt|cer|csr|der|p12|pfx|jks|pub|asc|gpg|age|srl|crl|lock|log)$/i;
/** How keys and certificates start, and lines of known_hosts and authorized_keys. */
const PRIVATE_TEXT =
  /-----BEGIN |(?:^|\s)(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-\S+@openssh\.com) AAAA/m;

const INVENTORY_EXTENSIONS = ['', '.yml', '.yaml', '.json', '.toml'];

/** The sources of an inventory, and what was found instead of them. */
export interface InventoryFiles {
  readonly files: readonly string[];
  readonly warnings: readonly Problem[];
  readonly problems: readonly Problem[];
}

/**
 * The files that an inventory is made of: the file itself, the hosts file of a directory, or else all that a directory
 * holds, as in Ansible, but nothing that may be a secret.
 */
export function inventoryFiles(path: string): InventoryFiles {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return { files: [path], warnings: [], problems: [] };
  const warnings: Problem[] = [];
  const problems: Problem[] = [];
  const files = sourcesIn(path, warnings, problems);
  if (files.length === 0 && problems.length === 0) problems.push(nothingIn(path));
  return { files, warnings, problems };
}

function sourcesIn(directory: string, warnings: Problem[], problems: Problem[]): readonly string[] {
  const own = HOSTS_FILES.map((name) => join(directory, name)).find(
    (file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true,
  );
  // With a hosts file of its own, a directory is that inventory, and other things may lie beside it; what is as plainly an
  // inventory is read, too, as Ansible would.
  if (own !== undefined) {
    const others = entriesOf(directory, problems).filter((name) => isPlainlyInventory(directory, name));
    return [...new Set([basename(own), ...others])].sort().map((name) => join(directory, name));
  }
  if (PRIVATE_FOLDERS.test(basename(directory))) return [];
  return entriesOf(directory, problems).flatMap((name) => {
    if (NEVER.test(name)) return [];
    const entry = join(directory, name);
    const stat = statOf(entry, problems);
    if (stat?.isDirectory() === true) {
      const leftOut = PRIVATE_FOLDERS.test(name) || IGNORED_EXTENSIONS.test(name);
      return leftOut ? [] : sourcesIn(entry, warnings, problems);
    }
    if (stat?.isFile() !== true || isPrivate(name, entry, problems)) return [];
    const leftOut = reasonToLeaveOut(name);
    if (leftOut === undefined) return IGNORED_EXTENSIONS.test(name) ? [] : [entry];
    warnings.push({ ...leftOut, message: `${entry} is left out: ${leftOut.message}` });
    return [];
  });
}

const SECTIONS = new Set(['hosts', 'children', 'vars']);

/** A YAML file of groups and nothing else, or of an inventory plugin, which is refused later by its name. */
function isPlainlyInventory(directory: string, name: string): boolean {
  const file = join(directory, name);
  if (
    !/\.(?:ya?ml|json)$/.test(name) ||
    NEVER.test(name) ||
    PRIVATE_FILES.test(basename(name, extname(name)))
  )
    return false;
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true || isSecretFile(file)) return false;
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'), { logLevel: 'silent' });
  } catch {
    return false;
  }
  if (!isRecord(value)) return false;
  if (typeof value['plugin'] === 'string') return true;
  const groups = Object.values(value).filter((group) => group !== null);
  return (
    groups.every((group) => isRecord(group) && Object.keys(group).every((key) => SECTIONS.has(key))) &&
    groups.some((group) => isRecord(group) && ('hosts' in group || 'children' in group))
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPrivate(name: string, path: string, problems: Problem[]): boolean {
  if (PRIVATE_FILES.test(name) || PRIVATE_EXTENSIONS.test(name) || isSecretFile(path)) return true;
  if (IGNORED_EXTENSIONS.test(name)) return false;
  try {
    return PRIVATE_TEXT.test(readFileSync(path, 'utf8'));
  } catch (error) {
    problems.push({ message: `cannot read ${path}: ${(error as Error).message}` });
    return true;
  }
}

/** Why a file that looks like one that is meant is none all the same. */
function reasonToLeaveOut(name: string): Problem | undefined {
  if (name.endsWith('.ini')) {
    return {
      message: 'Ansible ignores .ini files in an inventory directory',
      hint: `rename it to ${basename(name, '.ini')}`,
    };
  }
  if (IGNORED_EXTENSIONS.test(name) || INVENTORY_EXTENSIONS.includes(extname(name))) return undefined;
  return {
    message: 'an inventory file ends in .yml, .yaml or .json, or has no extension',
    hint: 'rename it, or give the file itself with -i',
  };
}

function nothingIn(directory: string): Problem {
  const names = entriesOf(directory, []).map((name) =>
    statSync(join(directory, name), { throwIfNoEntry: false })?.isDirectory() === true ? `${name}/` : name,
  );
  const found = names.length === 0 ? 'nothing' : listing(names);
  return {
    message: `the inventory directory ${directory} holds no inventory file: expected hosts.yml, found ${found}`,
    hint: 'write hosts.yml there, or give another inventory with -i; that of a lab is there while the lab is up (provision lab up)',
  };
}

const LISTED = 8;

function listing(names: readonly string[]): string {
  const rest = names.length - LISTED;
  return rest > 0 ? `${names.slice(0, LISTED).join(', ')} and ${rest} more` : names.join(', ');
}

function entriesOf(directory: string, problems: Problem[]): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    problems.push({ message: `cannot read ${directory}: ${(error as Error).message}` });
    return [];
  }
}

function statOf(path: string, problems: Problem[]): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    problems.push({ message: `cannot read ${path}: ${(error as Error).message}` });
    return undefined;
  }
}
