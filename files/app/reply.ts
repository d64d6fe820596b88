import type { IncomingMessage } from 'node:http';
import { BadRequest } from './input.ts';

export interface Reply {
  readonly status: number;
  readonly body: string | object;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export type Handler = (request: IncomingMessage, url: URL) => Promise<Reply> | Reply;

/** What a path answers to, by method. */
export type Routes = Readonly<Record<string, Readonly<Record<string, Handler>>>>;

/** Another site must not post in a visitor's name. */
export function refuseForeignForms(request: IncomingMessage): void {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new BadRequest(403, 'this form belongs to another site');
  }
}

export function cookie(request: IncomingMessage, name: string): string | undefined {
  for (const pair of request.headers.cookie?.split(';') ?? []) {
    const [key, ...value] = pair.trim().split('=');
    if (key === name) return value.join('=');
  }
  return undefined;
}

/** A cookie that no script sees, and that no other site's form brings along. */
export function setCookie(
  request: IncomingMessage,
  name: string,
  value: string,
  seconds: number,
  sameSite: 'Lax' | 'Strict' = 'Lax',
): string {
  // Who speaks TLS with the browser, the balancers, says so.
  const secure = request.headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=${sameSite}${secure}`;
}
