import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

/** Larger files are not carried over the network to be looked at. */
export const MAXIMUM_CONTENT = 1024 * 1024;

export type ContentFact =
  | { readonly kind: 'file'; readonly bytes: Buffer }
  | { readonly kind: 'missing' }
  | { readonly kind: 'directory' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'too large'; readonly size: number };

/** The bytes of a file, links followed. */
export const content: FactKind<string, ContentFact> = {
  name: 'content',
  scope: 'host',
  id: (path) => path,
  script: (paths) =>
    subshell([
      'read_file() {',
      `if [ ! -e "$1" ]; then printf 'missing\\0\\0'; return; fi`,
      `if [ -d "$1" ]; then printf 'directory\\0\\0'; return; fi`,
      `if ! [ -r "$1" ] || ! [ -f "$1" ]; then printf 'unreadable\\0\\0'; return; fi`,
      's=$(stat -L -c %s -- "$1") || s=0',
      `if [ "$s" -gt ${MAXIMUM_CONTENT} ]; then printf 'too large\\0%s\\0' "$s"; return; fi`,
      `printf 'file\\0'; base64 < "$1"; printf '\\0'`,
      '}',
      ...paths.map((path) => `read_file ${quote(path)}`),
    ]),
  parse(stdout, paths) {
    const reader = new FieldReader('content', stdout);
    return paths.map((): ContentFact => {
      const kind = reader.next();
      const data = reader.next();
      switch (kind) {
        case 'file':
          return { kind, bytes: Buffer.from(data, 'base64') };
        case 'too large':
          return { kind, size: Number(data) };
        case 'missing':
        case 'directory':
        case 'unreadable':
          return { kind };
        default:
          throw new Error(`the content fact script printed ${JSON.stringify(kind)}`);
      }
    });
  },
};
