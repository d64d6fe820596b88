/** The usual umask; what chmod takes away when a symbolic mode names nobody. */
const UMASK = 0o022;

/** The bits that each class may change. */
const CLASSES: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };

const LETTERS: Readonly<Record<string, number>> = {
  r: 0o444,
  w: 0o222,
  x: 0o111,
  s: 0o6000,
  t: 0o1000,
};

const SHIFTS: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

/** The permission bits that a mode (octal digits or symbolic) gives a file that has `current`, as chmod reckons. */
export function resolveMode(mode: string, current: number, isDirectory: boolean): number {
  if (/^[0-7]+$/.test(mode)) return Number.parseInt(mode, 8);
  return mode.split(',').reduce((bits, clause) => applyClause(clause, bits, isDirectory), current);
}

function applyClause(clause: string, current: number, isDirectory: boolean): number {
  const who = /^[ugoa]*/.exec(clause)?.[0] ?? '';
  const affected = [...who].reduce((bits, name) => bits | (CLASSES[name] ?? 0), 0);
  let mode = current;
  for (const [, operator, permissions = ''] of clause
    .slice(who.length)
    .matchAll(/([-+=])([ugo]|[rwxXst]*)/g)) {
    const named = permissionBits(permissions, mode, isDirectory);
    const mentioned = affected === 0 ? named : named & affected;
    // A directory keeps setuid and setgid unless they are named.
    const kept = isDirectory ? 0o6000 & ~mentioned : 0;
    const value = named & (affected === 0 ? ~UMASK : affected) & ~kept;
    if (operator === '+') mode |= value;
    else if (operator === '-') mode &= ~value;
    else mode = (mode & ((affected === 0 ? 0 : ~affected) | kept)) | value;
  }
  return mode & 0o7777;
}

function permissionBits(permissions: string, current: number, isDirectory: boolean): number {
  const shift = SHIFTS[permissions];
  if (shift !== undefined) return ((current >> shift) & 7) * 0o111;
  let bits = 0;
  for (const letter of permissions) {
    bits |= letter === 'X' ? (isDirectory || (current & 0o111) !== 0 ? 0o111 : 0) : (LETTERS[letter] ?? 0);
  }
  return bits;
}
