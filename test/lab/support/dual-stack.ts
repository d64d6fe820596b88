import type { ExecutionContext } from 'ava';

import { jsonLines, total } from './cli.ts';
import { holderOf } from './hand-over.ts';
import { must, request, siteIsUp, type TestLab } from './site.ts';

/** With `vip6` the site has an address of IPv6, which moves with the other one; without it, it has none any more. */
export async function hasIpv6(t: ExecutionContext, lab: TestLab, vip: string): Promise<void> {
  const shown = must(await lab.provision('inventory', '--json'), 'inventory').stdout;
  const { hosts } = JSON.parse(shown) as { hosts: Record<string, { front_network6: string }> };
  const vip6 = (hosts['lb1']?.front_network6 ?? '').replace('/64', '100');
  const extra = ['-e', `vip6=${vip6}`];
  const answers = async (): Promise<number> => (await request(lab, `http://[${vip6}]/`)).status;
  must(await lab.provision('up', ...extra), 'up');
  t.is(await answers(), 200);
  t.is((await request(lab, `https://[${vip6}]/`)).status, 200);
  const ports = '22 80 443 3306 8404 9999 10000';
  const open = await lab.exec(
    'client',
    'bash',
    '-c',
    `for port in ${ports}; do timeout 1 bash -c "</dev/tcp/${vip6}/$port" 2>/dev/null && echo $port; done`,
  );
  t.is(open.stdout.trim(), '80\n443', 'the firewall is the same');
  const first = await holderOf(lab, vip);
  const second = first === 'lb1' ? 'lb2' : 'lb1';
  const handed = must(await lab.provision('handover', first, '--yes', '--json', ...extra), 'handover').stdout;
  const { moved } = JSON.parse(handed) as { moved: readonly string[] };
  t.deepEqual([...moved].sort(), [vip, vip6].sort());
  t.is(await holderOf(lab, vip6), second);
  t.is(await answers(), 200);
  must(await lab.provision('handover', first, '--stay', ...extra), 'stay');
  t.is(total(jsonLines(must(await lab.provision('up', '--json', ...extra), 'up').stdout), 'changed'), 0);
  must(await lab.provision('up'), 'up without it');
  await siteIsUp(lab, vip);
  for (const balancer of ['lb1', 'lb2'])
    t.is(await lab.sh(balancer, `ip -6 -o address show to ${vip6}`), '', balancer);
}
