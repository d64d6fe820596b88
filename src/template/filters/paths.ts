import { isSequence, own, Tuple, typeFault, type Data } from '../python/objects.ts';
import { text } from '../python/string-methods.ts';
import { repr, str } from '../python/text.ts';
import { filter, type Filters } from './define.ts';

/** Filters about paths and addresses of pages. */
export const pathFilters: Filters = {
  basename: filter('', (value) => text(value).slice(text(value).lastIndexOf('/') + 1)),
  dirname: filter('', (value) => {
    const path = text(value);
    const head = path.slice(0, path.lastIndexOf('/') + 1);
    return /^\/*$/.test(head) ? head : head.replace(/\/+$/, '');
  }),
  splitext: filter('', (value) => {
    const path = text(value);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const dot = name.lastIndexOf('.');
    const isExtension = dot > 0 && !/^\.+$/.test(name.slice(0, dot + 1));
    const at = isExtension ? path.length - name.length + dot : path.length;
    return Tuple.containing([path.slice(0, at), path.slice(at)]);
  }),
  path_join: filter('', (value) => (isSequence(value) ? joinPaths(value.map(text)) : text(value))),
  win_basename: filter('', (value) => /[^\\/]*$/.exec(text(value))![0]),
  urlsplit: filter('query? alias?', (value, [query]) =>
    urlsplit(str(value), query === null || query === undefined ? '' : query),
  ),
  urldecode: filter('', (value) => decode(str(value))),
};

/** Python's `os.path.join`. */
function joinPaths(parts: readonly string[]): string {
  const [first, ...rest] = parts;
  if (first === undefined) throw typeFault('path_join needs at least one part');
  let path = first;
  for (const part of rest) {
    if (part.startsWith('/')) path = part;
    else path += path === '' || path.endsWith('/') ? part : `/${part}`;
  }
  return path;
}

const URL_PARTS = [
  'fragment',
  'hostname',
  'netloc',
  'password',
  'path',
  'port',
  'query',
  'scheme',
  'username',
];

/** Python's `urlsplit`, as Ansible shows it. */
function urlsplit(url: string, query: Data): Data {
  let rest = url.replaceAll(/[\t\r\n]/g, '').replace(/^[\x00-\x20]+/, '');
  let scheme = '';
  const colon = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(rest);
  if (colon) {
    scheme = colon[1]!.toLowerCase();
    rest = rest.slice(colon[0].length);
  }
  let netloc = '';
  if (rest.startsWith('//')) {
    netloc = /^[^/?#]*/.exec(rest.slice(2))![0];
    rest = rest.slice(2 + netloc.length);
  }
  const hash = rest.indexOf('#');
  const fragment = hash < 0 ? '' : rest.slice(hash + 1);
  if (hash >= 0) rest = rest.slice(0, hash);
  const mark = rest.indexOf('?');
  const search = mark < 0 ? '' : rest.slice(mark + 1);
  const path = mark < 0 ? rest : rest.slice(0, mark);
  const at = netloc.lastIndexOf('@');
  const account = at < 0 ? undefined : netloc.slice(0, at);
  const address = netloc.slice(at + 1);
  const host = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(address);
  const hostname = (host?.[1] ?? host?.[2] ?? '').toLowerCase();
  const portText = host?.[3] ?? '';
  if (!/^\d*$/.test(portText) || Number(portText) > 65_535)
    throw typeFault(`urlsplit: the port ${repr(portText)} is not valid`);
  const values: Readonly<Record<string, Data>> = {
    fragment,
    hostname: hostname === '' ? null : hostname,
    netloc,
    password: account?.includes(':') ? account.slice(account.indexOf(':') + 1) : null,
    path,
    port: portText === '' ? null : Number(portText),
    query: search,
    scheme,
    username: account === undefined ? null : account.split(':')[0]!,
  };
  if (query === '') return own(new Map<Data, Data>(URL_PARTS.map((name) => [name, values[name]!])));
  if (typeof query !== 'string' || !Object.hasOwn(values, query))
    throw typeFault(`urlsplit: unknown URL component: ${str(query)}`);
  return values[query]!;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    throw typeFault('urldecode: the text has an escape that is no UTF-8');
  }
}
