import type { ExecutionContext } from 'ava';

import { run } from '../../../src/lib/process.ts';
import { waitFor } from './cli.ts';
import { must, request, type TestLab } from './site.ts';

const FORM = ['-X', 'POST', '-d', 'name=nobody', '-D', '-'];

/** Logins are limited to ten a minute, by form and by JSON: of the client's, not of somebody else's, and whichever balancer is asked. */
export async function limitsOneClient(t: ExecutionContext, lab: TestLab, vip: string): Promise<void> {
  const login = async (address: string) => await request(lab, `http://${address}/login`, ...FORM);
  const shown = must(await lab.provision('inventory', '--json'), 'inventory').stdout;
  const { hosts } = JSON.parse(shown) as { hosts: Record<string, { front_address: string }> };
  const balancers = ['lb1', 'lb2'].map((name) => hosts[name]?.front_address ?? '');
  const codes: number[] = [];
  for (let count = 0; count < 12; count++) codes.push((await login(vip)).status);
  t.deepEqual(
    codes.map((code) => code === 429),
    [...Array.from({ length: 10 }, () => false), true, true],
  );
  for (const address of balancers) {
    await waitFor(`${address} knows it, too`, async () => (await login(address)).status === 429);
    t.regex((await login(address)).body, /^retry-after: 60\r$/im);
  }
  t.is((await request(lab, `http://${vip}/`)).status, 200, 'the limit is one for logins');
  const json = ['-H', 'content-type: application/json', '-d', '{"user": "demo", "password": "guessed"}'];
  for (const wanted of [...Array.from({ length: 10 }, () => 401), 429])
    t.is((await request(lab, `http://${vip}/api/login`, ...json)).status, wanted);
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
