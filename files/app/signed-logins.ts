import { randomUUID } from 'node:crypto';
import type { Login, Logins } from './logins.ts';
import { type Keys, openText, sealsOf, sealText } from './sealed.ts';

const PURPOSE = 'login';

/**
 * The token itself says who is logged in, signed: no server keeps anything, so a login outlives every one of them. To log
 * out, the browser forgets it; whoever has a copy is logged in until it expires.
 */
export function signedLogins(
  { seconds, ...keys }: Keys & { readonly seconds: number },
  now: () => number = Date.now,
): Logins {
  const seals = () => sealsOf(PURPOSE, keys, now());
  return {
    async begin(user) {
      const login = { user, expiresAt: now() + seconds * 1000 };
      const text = JSON.stringify({ ...login, id: randomUUID() });
      return { ...login, token: sealText(Buffer.from(text).toString('base64url'), seals()[0]) };
    },
    async find(token) {
      const text = openText(token, ...seals());
      if (text === undefined) return undefined;
      const { user, expiresAt } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Login;
      return expiresAt > now() ? { user, expiresAt } : undefined;
    },
    async end() {},
    async lacks() {
      return [];
    },
    close() {},
  };
}
