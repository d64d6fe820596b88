/** The usual umask; what chmod takes away when a symbolic mode names nobody. */
const UMASK = 0o022;

const SHIFTS = { u: 6, g: 3, o: 0 } as const;
const SPECIAL = { u: 0o4000, g: 0o2000, o: 0 } as const;

/** The permission bits that a mode (octal digits or symbolic) gives a file that has `current`. */
export function resolveMode(mode: string, current: number, isDirectory: boolean): number {
  if (/^[0-7]+$/.test(mode)) return Number.parseInt(mode, 8);
  return mode.split(',').reduce((bits, clause) => applyClause(clause, bits, isDirectory), current);
}

function applyClause(clause: string, current: number, isDirectory: boolean): number {
  const who = /^[ugoa]*/.exec(clause)?.[0] ?? '';
  const classes = (who === '' || who.includes('a') ? 'ugo' : who) as string;
  let bits = current;
  for (const [, operator, permissions = ''] of clause
    .slice(who.length)
    .matchAll(/([-+=])([rwxXst]*|[ugo])/g)) {
    const before = bits;
    for (const name of new Set(classes)) {
      const kind = name as keyof typeof SHIFTS;
      const shift = SHIFTS[kind];
      const mask = who === '' ? ~(UMASK >> shift) & 7 : 7;
      const given = (permissionBits(permissions, before, isDirectory) & mask) << shift;
      const special = permissions.includes('s') ? SPECIAL[kind] : 0;
      if (operator === '+') bits |= given | special;
      else if (operator === '-') bits &= ~(given | special);
      // Directories keep setuid and setgid unless they are named, as chmod has it.
      else bits = (bits & ~((7 << shift) | (isDirectory ? 0 : SPECIAL[kind]))) | given | special;
    }
    if (permissions.includes('t')) bits = operator === '-' ? bits & ~0o1000 : bits | 0o1000;
    else if (operator === '=' && (who === '' || who.includes('a') || who.includes('o')) && !isDirectory)
      bits &= ~0o1000;
  }
  return bits;
}

function permissionBits(permissions: string, current: number, isDirectory: boolean): number {
  if (permissions === 'u' || permissions === 'g' || permissions === 'o') {
    return (current >> SHIFTS[permissions]) & 7;
  }
  let bits = 0;
  if (permissions.includes('r')) bits |= 4;
  if (permissions.includes('w')) bits |= 2;
  if (permissions.includes('x')) bits |= 1;
  if (permissions.includes('X') && (isDirectory || (current & 0o111) !== 0)) bits |= 1;
  return bits;
}
