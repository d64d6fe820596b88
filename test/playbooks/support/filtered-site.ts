import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { siteVariables } from '../../../src/commands/failover/variables.ts';
import { loadInventory } from '../../../src/inventory/load.ts';
import { run } from '../../../src/lib/process.ts';
import { SecretRegistry } from '../../../src/lib/secret.ts';
import type { Value } from '../../../src/lib/value.ts';
import { firstMissing, type Missing, needsProgram } from '../../needs.ts';

/* A server of the site with its real Nginx, ModSecurity and rules, as the role nginx configures them, before any app. */

const PLAYBOOKS = fileURLToPath(new URL('../../../playbooks/', import.meta.url));
const RULES = '/usr/share/modsecurity-crs/rules/REQUEST-901-INITIALIZATION.conf';
const MODULE = '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so';

const LOG_MS = 10_000;

export function needsFilter(): Missing {
  const packages = 'nginx libnginx-mod-http-modsecurity modsecurity-crs';
  return firstMissing(
    needsProgram('nginx', packages),
    [RULES, MODULE].every((file) => existsSync(file))
      ? undefined
      : `ModSecurity or its rules are not installed: apt-get install ${packages}`,
  );
}

export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface FilteredSite {
  /** The status of the answer. */
  send(request: Sent): Promise<number>;
  /** The filter's log, with so many lines in it; the last ones are written after the answer. */
  log(lines: number): Promise<string>;
  close(): Promise<void>;
}

/** Starts the server with these variables of the inventory, before an app that says 200 to everything. */
export async function filteredSite(variables: Readonly<Record<string, unknown>>): Promise<FilteredSite> {
  const directory = mkdtempSync(join(tmpdir(), 'filtered-site-'));
  const app = createServer((request, response) => {
    request.resume().on('end', () => response.end('ok'));
  });
  const appPort = await portOf(app);
  const port = await freePort();
  for (const folder of ['log', 'lib', 'static']) mkdirSync(join(directory, folder));
  writeFileSync(join(directory, 'static/icon.svg'), '<svg/>');
  const inventory = join(directory, 'hosts.yml');
  writeFileSync(
    inventory,
    JSON.stringify({
      all: {
        vars: { vip: '192.0.2.100', vip6: '2001:db8::100' },
        children: {
          balancers: { hosts: { lb1: { back_address: '127.0.0.1', front_address: '192.0.2.11' } } },
          servers: {
            hosts: {
              web1: {
                back_address: '127.0.0.1',
                nginx_port: port,
                app_port: appPort,
                nginx_app_directory: directory,
                ...variables,
              },
            },
          },
        },
      },
    }),
  );
  const loaded = loadInventory(inventory);
  const rendered = (template: string): string =>
    String(
      siteVariables({
        inventory: loaded,
        playbookDirectory: PLAYBOOKS,
        extraVars: new Map<Value, Value>([
          [
            'probe',
            `{{ lookup('ansible.builtin.template', '${PLAYBOOKS}roles/nginx/templates/${template}') }}`,
          ],
        ]),
        secrets: new SecretRegistry(),
        roles: ['nginx'],
      })
        .of('web1')
        .get('probe'),
    )
      .replaceAll('/etc/nginx/understudy-waf.conf', join(directory, 'waf.conf'))
      .replaceAll('/var/log/understudy-waf', join(directory, 'log'))
      .replaceAll('/var/log/nginx', join(directory, 'log'))
      .replaceAll('/var/lib/nginx/modsecurity', join(directory, 'lib'));
  writeFileSync(join(directory, 'waf.conf'), rendered('waf.conf.j2'));
  writeFileSync(join(directory, 'site.conf'), rendered('site.conf.j2'));
  writeFileSync(
    join(directory, 'nginx.conf'),
    `load_module ${MODULE};
pid ${directory}/nginx.pid;
error_log ${directory}/log/error.log;
worker_processes 1;
user root;
events {}
http { include ${directory}/site.conf; }
`,
  );
  const nginx = ['nginx', '-p', directory, '-c', join(directory, 'nginx.conf')];
  const started = await run(nginx, { timeoutMs: 60_000 });
  if (started.status !== 0) throw new Error(started.stderr);
  return {
    send: async (request) => await statusOf(port, request),
    async log(lines) {
      const until = Date.now() + LOG_MS;
      for (;;) {
        const text = readFileSync(join(directory, 'log/audit.log'), 'utf8');
        if (text.split('\n').length > lines || Date.now() > until) return text;
        await wait(20);
      }
    },
    async close() {
      await run([...nginx, '-s', 'stop']);
      await new Promise((resolve) => app.close(resolve));
      rmSync(directory, { recursive: true });
    },
  };
}

/** By hand, for `fetch` would put the path in order. */
async function statusOf(port: number, { method, path, headers = {}, body }: Sent): Promise<number> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        port,
        host: '127.0.0.1',
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          host: 'www.example.com',
          'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
          accept: '*/*',
          'x-request-id': 'A1B2C3D4E5',
          ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
          ...headers,
        },
      },
      (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)),
    );
    request.on('error', reject);
    request.end(body);
  });
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
