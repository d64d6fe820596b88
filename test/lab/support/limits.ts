import type { ExecutionContext } from 'ava';

import { run } from '../../../src/lib/process.ts';
import { waitFor } from './cli.ts';
import { must, request, type TestLab } from './site.ts';

const FORM = ['-X', 'POST', '-d', 'name=nobody'];

/** Logins are limited to ten a minute, by form and by JSON: of the client's, not of somebody else's, and whichever balancer is asked. */
export async function limitsOneClient(t: ExecutionContext, lab: TestLab, vip: string): Promise<void> {
  const login = async (address: string) => await request(lab, `http://${address}/login`, ...FORM, '-D', '-');
  const shown = must(await lab.provision('inventory', '--json'), 'inventory').stdout;
  const { hosts } = JSON.parse(shown) as { hosts: Record<string, { front_address: string }> };
  const balancers = ['lb1', 'lb2'].map((name) => hosts[name]?.front_address ?? '');
  const codes = await inARow(lab, 12, `http://${vip}/login`, FORM);
  t.deepEqual(
    codes.map((code) => code === 429),
    [...Array.from({ length: 10 }, () => false), true, true],
    codes.join(),
  );
  for (const address of balancers) {
    await waitFor(`${address} knows it, too`, async () => (await login(address)).status === 429);
    t.regex((await login(address)).body, /^retry-after: 60\r$/im);
  }
  t.is((await request(lab, `http://${vip}/`)).status, 200, 'the limit is one for logins');
  const json = ['-H', 'content-type: application/json', '-d', '{"user": "demo", "password": "guessed"}'];
  t.deepEqual(await inARow(lab, 11, `http://${vip}/api/login`, json), [
    ...Array.from({ length: 10 }, () => 401),
    429,
  ]);
  const somebodyElse = ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '10', ...FORM];
  t.notRegex((await run([...somebodyElse, `http://${vip}/login`])).stdout, /429$/);
  for (const balancer of ['lb1', 'lb2']) await lab.sh(balancer, 'systemctl reload haproxy');
  for (const address of balancers) t.is((await login(address)).status, 429, 'a reload forgets nothing');
  const limits = must(await lab.provision('limits', '--json'), 'limits').stdout;
  const { clients } = JSON.parse(limits) as { clients: readonly { client: string; table: string }[] };
  const limited = clients.find(({ table }) => table === 'path_login')?.client ?? '';
  must(await lab.provision('limits', '--clear', limited), 'clear');
  for (const address of balancers) t.not((await login(address)).status, 429, 'it begins anew');
}

/** The statuses of the same request, asked by one program: a rate falls while a busy machine starts one for each. */
async function inARow(
  lab: TestLab,
  count: number,
  url: string,
  curl: readonly string[],
): Promise<readonly number[]> {
  const each = ['-o', '/dev/null', '-w', '%{http_code}\n'];
  const asked = Array.from({ length: count }, () => [...each, url]).flat();
  const ended = await lab.exec('client', 'curl', '-sS', '-k', '--max-time', '30', ...curl, ...asked);
  const { stdout } = must(ended, `curl ${url}`);
  return stdout.trim().split('\n').map(Number);
}
