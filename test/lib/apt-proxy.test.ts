import test from 'ava';
import { aptProxies } from '../../src/lib/apt-proxy.ts';

interface Case {
  readonly title: string;
  readonly configuration?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The proxy for http://deb.debian.org/debian. */
  readonly proxy: string | undefined;
}

const CASES: readonly Case[] = [
  { title: 'without any setting there is no proxy', proxy: undefined },
  {
    title: "apt's own setting counts",
    configuration: 'APT "";\nAcquire::http::Proxy "http://proxy.example:3128/";\n',
    proxy: 'http://proxy.example:3128/',
  },
  {
    title: "the name of apt's setting is read in any case",
    configuration: 'Acquire::HTTP::proxy "http://proxy.example:3128/";\n',
    proxy: 'http://proxy.example:3128/',
  },
  {
    title: 'the environment counts where apt has no setting',
    environment: { http_proxy: 'http://env.example:8080' },
    proxy: 'http://env.example:8080/',
  },
  {
    title: "apt's own setting wins over the environment, its exceptions included",
    configuration: 'Acquire::http::Proxy "http://proxy.example:3128";',
    environment: { http_proxy: 'http://env.example:8080', no_proxy: 'deb.debian.org' },
    proxy: 'http://proxy.example:3128/',
  },
  {
    title: 'a setting for the host wins over the general one',
    configuration:
      'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::http::Proxy::deb.debian.org "DIRECT";\n',
    proxy: undefined,
  },
  {
    title: 'a setting for another host means nothing here',
    configuration: 'Acquire::http::Proxy::security.debian.org "http://proxy.example:3128";\n',
    proxy: undefined,
  },
  {
    title: 'no_proxy exempts a host by its domain',
    environment: { http_proxy: 'http://env.example:8080', no_proxy: 'localhost, .debian.org' },
    proxy: undefined,
  },
  {
    title: 'no_proxy with another domain does not',
    environment: { http_proxy: 'http://env.example:8080', no_proxy: 'bian.org' },
    proxy: 'http://env.example:8080/',
  },
  {
    title: 'an empty setting is none',
    configuration: 'Acquire::http::Proxy "";\n',
    proxy: undefined,
  },
  {
    title: 'an address without a scheme is one of http',
    configuration: 'Acquire::http::Proxy "proxy.example:3128";\n',
    proxy: 'http://proxy.example:3128/',
  },
];

for (const { title, configuration = '', environment = {}, proxy } of CASES) {
  test(title, (t) => {
    const found = aptProxies(configuration, environment)(new URL('http://deb.debian.org/debian'));
    t.is(found?.href, proxy);
  });
}
