/** Which proxy apt uses for an address of http://; undefined when it connects by itself. */
export type ProxyFor = (url: URL) => URL | undefined;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxies that apt is configured with, from the text of `apt-config dump` and the environment: whoever fetches
 * packages in apt's place must go the same way. apt's own settings win; one for a host wins over the general one.
 */
export function aptProxies(configuration: string, environment: Environment): ProxyFor {
  const settings = new Map<string, string>();
  for (const [, host = '', value = ''] of configuration.matchAll(
    /^Acquire::http::Proxy(?:::(\S+))? "(.*)";$/gim,
  ))
    if (value !== '') settings.set(host.toLowerCase(), value);
  const general = settings.get('') ?? environment['http_proxy'];
  const exempt = (environment['no_proxy'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return (url) => {
    const own = settings.get(url.hostname);
    if (own !== undefined) return proxyUrl(own);
    if (settings.get('') === undefined && exempt.some((name) => covers(name, url.hostname))) return undefined;
    return proxyUrl(general);
  };
}

function proxyUrl(text: string | undefined): URL | undefined {
  if (text === undefined || text === '' || text.toUpperCase() === 'DIRECT') return undefined;
  const address = text.includes('://') ? text : `http://${text}`;
  return URL.canParse(address) ? new URL(address) : undefined;
}

/** Whether an entry of no_proxy means this host: itself, everything, or a domain that it is in. */
function covers(entry: string, host: string): boolean {
  const name = entry.replace(/^\*?\./, '');
  return entry === '*' || host === name || host.endsWith(`.${name}`);
}
