import { isIP } from 'node:net';

/** A host and a port as one word, with brackets round an IPv6 address. */
export function hostPort(host: string, port: number | string): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Reads `db1`, `10.0.0.1:3306`, `fd00::1` or `[fd00::1]:3306`; undefined when the port is none. */
export function parseHostPort(
  text: string,
  defaultPort: number,
): { readonly host: string; readonly port: number } | undefined {
  const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([^:[\]]+)(?::(\d+))?$/.exec(text);
  if (match === null) return isIP(text) === 6 ? { host: text, port: defaultPort } : undefined;
  const [, host = '', digits] = match;
  const port = digits === undefined ? defaultPort : Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
