/** The proxy that the task's environment names for a request; undefined for none. As Python's urllib, which Ansible uses. */
export function proxyFor(url: URL, environment: Readonly<Record<string, string>>): URL | undefined {
  const variable = (name: string): string | undefined =>
    environment[name.toLowerCase()] ?? environment[name.toUpperCase()];
  const scheme = url.protocol.slice(0, -1);
  const proxy = variable(`${scheme}_proxy`) ?? variable('all_proxy');
  if (proxy === undefined || proxy === '') return undefined;
  if (isExempt(url, variable('no_proxy') ?? '')) return undefined;
  const parsed = URL.parse(/^[a-z0-9+.-]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`);
  if (!parsed || parsed.protocol !== 'http:')
    throw new Error(`the environment names the proxy "${withoutPassword(proxy)}"; expected http://HOST:PORT`);
  return parsed;
}

/** `no_proxy`: hosts that are asked directly, with all below them; `*` means all. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  const withPort = `${host}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
  return list
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
    .some((name) => {
      if (name === '*') return true;
      const bare = name.replace(/^\*?\./, '').replace(/^\[(.*)\]$/, '$1');
      return [host, withPort].some((one) => one === bare || one.endsWith(`.${bare}`));
    });
}

/** What authenticates us to the proxy, from the user and password in its address. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

function withoutPassword(proxy: string): string {
  return proxy.replace(/\/\/[^@/]*@/, '//…@');
}
