import { blankSeparated, trimBlanks } from './edit.ts';

export interface AuthorizedKey {
  readonly options: string;
  readonly type: string;
  readonly key: string;
  readonly comment: string;
}

const TYPE =
  /(^|[ \t])((?:sk-)?(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+)(?:@openssh\.com)?)[ \t]+([^ \t]+)(?:[ \t]+(.*))?$/;

/** A line of authorized_keys: options, type, key, comment. Undefined when it is none. */
export function parseAuthorizedKey(line: string): AuthorizedKey | undefined {
  if (line.startsWith('#')) return undefined;
  // Quotes in the options may hold anything, a type's name too, so they are masked for the search.
  const masked = line.replaceAll(/"(?:[^"\\]|\\.)*"/g, (part) => '"'.repeat(part.length));
  const match = TYPE.exec(masked);
  if (!match) return undefined;
  const start = match.index + (match[1]?.length ?? 0);
  const [type = '', key = '', ...comment] = blankSeparated(line.slice(start));
  return { options: trimBlanks(line.slice(0, start)), type, key, comment: comment.join(' ') };
}
