import { get } from 'node:http';

import { hostPort } from '../../lib/host-port.ts';
import { type EtcdHttpOptions, MemberAgent, parseEndpoint } from './etcd-http.ts';

/**
 * What each member of the store says of its own health, by endpoint as it was written; undefined: it is up, and a majority
 * answers it. Needs no account. See "Monitoring etcd" in etcd's manual for `/health`.
 */
export async function etcdHealth(
  endpoints: readonly string[],
  options: Pick<EtcdHttpOptions, 'dial' | 'ca' | 'timeoutMs'>,
): Promise<ReadonlyMap<string, string | undefined>> {
  const asked = endpoints.map(async (endpoint) => [endpoint, await troubleOf(endpoint, options)] as const);
  return new Map(await Promise.all(asked));
}

async function troubleOf(
  endpoint: string,
  options: Pick<EtcdHttpOptions, 'dial' | 'ca' | 'timeoutMs'>,
): Promise<string | undefined> {
  const { address, port } = parseEndpoint(endpoint);
  const agent = new MemberAgent({ address, port }, options);
  try {
    return await new Promise((resolve) => {
      const request = get({
        agent,
        path: '/health',
        host: hostPort(address, port),
        timeout: options.timeoutMs,
        signal: AbortSignal.timeout(options.timeoutMs),
      });
      request.on('error', (error) =>
        resolve(error.name === 'AbortError' ? `silent for ${options.timeoutMs} ms` : error.message),
      );
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode === 200 ? undefined : `it says ${response.statusCode ?? 0}`);
      });
    });
  } finally {
    agent.destroy();
  }
}
