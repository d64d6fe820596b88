import { bool, choice, count, dict, filled, list, only, path, str, unsupported } from '../kit/arguments.ts';

/** What uri and get_url share. */
export const httpArguments = {
  url: str
    .refine((value) => /^https?:\/\/[^/]/.test(value), {
      error: 'expected an address that begins with http:// or https://',
    })
    .describe('The address, with http or https.'),
  headers: dict.default({}).describe('Further headers of the request.'),
  http_agent: str.default('ansible-httpget').describe('The `User-Agent` header.'),
  url_username: filled.optional().describe('The user name for basic authentication.'),
  url_password: filled.optional().describe('The password for basic authentication.'),
  force_basic_auth: bool
    .default(false)
    .describe('Accepted, and without effect: a name and password are always sent with the first request.'),
  validate_certs: bool
    .default(true)
    .describe("Check the server's certificate, by the authorities that the target trusts."),
  use_proxy: bool
    .default(true)
    .describe('Go through the proxy that `environment` names: `http_proxy`, `https_proxy`, `no_proxy`.'),
  force: bool.default(false).describe('Download even if the file exists (get_url only).'),
  client_cert: unsupported('client certificates are not sent'),
  client_key: unsupported('client certificates are not sent'),
  ca_path: path
    .optional()
    .describe('A file or directory on the target with the authorities to trust, in PEM form.'),
  ciphers: unsupported('the usual ciphers are offered'),
  use_gssapi: only(false, 'Kerberos is not supported').describe('Kerberos is not supported.'),
  use_netrc: bool.default(false).describe('Accepted, and without effect: no .netrc is read.'),
  unredirected_headers: list(str).default([]).describe('Accepted, and without effect.'),
  decompress: bool
    .default(true)
    .describe('Accepted, and without effect: the server is asked for uncompressed answers.'),
} as const;

/** Redirects that are followed, as uri's `follow_redirects` says. */
export const redirects = choice('all', 'none', 'safe', 'urllib2', 'yes', 'no').default('safe');

/** How many redirects a request follows: `safe` is only for those that change nothing. */
export function redirectCount(wish: string, method: string): number {
  if (wish === 'all' || wish === 'yes' || wish === 'urllib2') return 10;
  return wish === 'safe' && (method === 'GET' || method === 'HEAD') ? 10 : 0;
}

/** Seconds that a request may take. */
export const timeout = count;

/** The headers of a request: those given, who asks, and the user's name and password. */
export function requestHeaders(given: {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly http_agent: string;
  readonly url_username?: string | undefined;
  readonly url_password?: string | undefined;
}): Record<string, string> {
  const result: Record<string, string> = { 'user-agent': given.http_agent, 'accept-encoding': 'identity' };
  if (given.url_username !== undefined) {
    const pair = `${given.url_username}:${given.url_password ?? ''}`;
    result['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  for (const [name, value] of Object.entries(given.headers)) result[name.toLowerCase()] = String(value);
  return result;
}
