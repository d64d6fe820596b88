import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { isDeepStrictEqual } from 'node:util';

import type { TestFn } from 'ava';

import { specOf } from '../../../src/failover/drill/ground.ts';
import { eventually, type FailoverLab, lastLine } from './failover.ts';
import { must, type TestLab } from './site.ts';

/*
 * Writers that find the primary by an address and by a name: a real address on the lab's hosts, and a real name server
 * (Knot) on the spare host. The watch is paused, so whatever is right afterwards, the tool and the guard of the address
 * have done.
 */

const NAME_SERVER = 'mon1';
const ZONE = 'foobar.test';
const RECORD = `db.${ZONE}`;

interface Endpoints {
  /** `-e …` for the command. */
  readonly options: readonly string[];
  /** The name server that takes updates, as `site_dns.update` has it. */
  readonly update: { readonly server: string; readonly key_name: string; readonly key_secret: string };
  /** The hosts that have the address, asked at their kernels. */
  holders(): Promise<readonly string[]>;
  /** What the name server says; of the writers' name without another one. */
  named(name?: string): Promise<readonly string[]>;
  /** The hardware address to which a neighbour would send a packet for the address. */
  neighbour(): Promise<string>;
  hardware(host: string): Promise<string>;
}

/** Registers the tests; the lab is there when they run. */
export function endpointTests(test: TestFn, lab: TestLab, at: () => FailoverLab): void {
  let endpoints: Endpoints | undefined;
  const ready = async (): Promise<Endpoints> => (endpoints ??= await setUp(lab, at()));

  test.serial('a switchover takes an address and a name along', async (t) => {
    const { options, holders, named, neighbour, hardware } = await ready();
    const [, to] = await at().roles();
    const { host, address } = specOf(at().site, to);
    const ended = await at().ok('promote', to, '--yes', '--json', ...options);
    t.like(lastLine(ended), { to, outcome: 'done', verified: true });
    t.deepEqual(await holders(), [host]);
    t.deepEqual(await named(), [address]);
    t.is(await neighbour(), await hardware(host));
  });

  test.serial('an address leaves a primary whose host hangs, and is not back when it goes on', async (t) => {
    const { options, holders, named, neighbour, hardware } = await ready();
    const [from, to] = await at().roles();
    const { host, address } = specOf(at().site, to);
    t.deepEqual(await holders(), [specOf(at().site, from).host]);
    await at().cause('freeze', from);
    try {
      // At once nobody may know yet that the primary is dead; the refusal says so.
      await eventually('the failover is done', async () => {
        const ended = await at().failover('promote', to, '--yes', '--json', ...options);
        return lastLine(ended)['outcome'] === 'done';
      });
      t.true((await holders()).includes(host), 'the new primary has the address');
      t.deepEqual(await named(), [address]);
      // Nobody can log in to the host that hangs: its kernel lets the address go.
      await eventually(
        'only the new primary has the address',
        async () => (await holders()).join(',') === host,
        20_000,
      );
      t.is(await neighbour(), await hardware(host));
    } finally {
      await at().heal('freeze', from);
    }
    await eventually('the host goes on', async () =>
      (await lab.sh(specOf(at().site, from).host, 'echo on')).includes('on'),
    );
    t.deepEqual(await holders(), [host]);
    await at().ok('rejoin', from, '--yes', ...options);
    t.deepEqual(await holders(), [host]);
  });

  test.serial("the site's names are asked for at a real name server, and replaced there", async (t) => {
    const { options } = await ready();
    const dns = async (...words: readonly string[]) =>
      await lab.provision('dns', ...words, '--json', ...options);
    const codes = async (): Promise<readonly string[]> => {
      const { findings } = JSON.parse((await dns('check')).stdout) as {
        findings: readonly { code: string }[];
      };
      return findings.map(({ code }) => code);
    };
    t.deepEqual(await codes(), ['NoSuchName', 'NoSuchName']);
    const updated = must(await dns('update', '--yes'), 'dns update').stdout;
    t.like(JSON.parse(updated), { updates: { length: 2 } });
    t.deepEqual(await codes(), []);
    t.like(JSON.parse(must(await dns('update', '--yes'), 'dns update').stdout), { updates: { length: 0 } });
  });

  test.serial("an address that no balancer holds leaves the site's names, and comes back", async (t) => {
    const { update, named } = await ready();
    const www = `www.${ZONE}`;
    const { vip, vip2 } = await floating(lab);
    const file = join(tmpdir(), `understudy-withdrawn-${process.pid}.json`);
    const site_dns = { names: [www], ttl: 5, withdraw_after: 10, update };
    writeFileSync(file, JSON.stringify({ keepalived_mode: 'active-active', site_dns }), { mode: 0o600 });
    const up = async (...more: readonly string[]): Promise<void> => {
      const tags = ['--tags', 'haproxy,keepalived,failover'];
      must(await lab.provision('up', '--yes', ...tags, ...more), 'up');
    };
    const leadsTo = async (what: string, addresses: readonly string[]): Promise<void> =>
      await eventually(
        what,
        async () => isDeepStrictEqual((await named(www)).toSorted(), addresses.toSorted()),
        120_000,
      );
    try {
      await up('-e', `@${file}`);
      must(await lab.provision('dns', 'update', '--yes', '-e', `@${file}`), 'dns update');
      await leadsTo('both addresses are there', [vip, vip2]);
      await at().ok('resume');
      // lb1 takes both, and is made to forget one of them.
      await lab.sh('lb2', 'systemctl stop keepalived');
      await lab.sh(
        'lb1',
        `sed -i '/^vrrp_instance site_2 /,/^}/d' /etc/keepalived/keepalived.conf; systemctl reload keepalived`,
      );
      await leadsTo('the one that nobody holds is gone', [vip]);
      const said = await lab.sh('lb1', 'journalctl -u failover-watch --no-pager -n 50');
      t.regex(said, new RegExp(`problem: no balancer holds ${vip2}; ${www} leads to it no longer`));
      t.false(said.includes(update.key_secret));
      t.is(await lab.sh('lb1', 'stat -c "%a %U" /etc/understudy/names.json'), '600 root');
      // With nobody who holds any, the last one stays.
      await lab.sh('lb1', 'systemctl stop keepalived');
      await eventually(
        'people are told that the last one stays',
        async () =>
          (await lab.sh('lb1', 'journalctl -u failover-watch --no-pager -n 50')).includes(
            `no balancer holds ${vip}, and ${www} leads to it still`,
          ),
        60_000,
      );
      t.deepEqual(await named(www), [vip]);
      await lab.sh('lb2', 'systemctl start keepalived');
      await leadsTo('both are there again', [vip, vip2]);
    } finally {
      await at().ok('pause', 'the tests promote by hand');
      await up();
      await lab.sh('lb2', 'systemctl start keepalived');
    }
    t.is(await lab.sh('lb1', 'ls /etc/understudy/names.json 2> /dev/null || :'), '');
  });

  test.serial('addresses and programs are taken away again', async (t) => {
    if (endpoints === undefined) return void t.pass();
    const { holders } = endpoints;
    for (const { host } of at().site.instances) await lab.sh(host, 'systemctl stop "understudy-address-*"');
    await eventually('nobody has the address', async () => (await holders()).length === 0, 20_000);
    t.pass();
  });
}

/** The addresses of the site that move. */
async function floating(lab: TestLab): Promise<{ readonly vip: string; readonly vip2: string }> {
  const shown = must(await lab.provision('inventory', '--json'), 'inventory').stdout;
  const { hosts } = JSON.parse(shown) as { hosts: Record<string, { vip: string; vip2: string }> };
  if (hosts['lb1'] === undefined) throw new Error('the lab has no lb1');
  return hosts['lb1'];
}

async function setUp(lab: TestLab, at: FailoverLab): Promise<Endpoints> {
  const { instances, ground } = at.site;
  const install = (packages: string): string =>
    `DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages}`;
  const [first] = instances;
  if (first === undefined) throw new Error('the lab has no instance');
  const prefix = first.address.replace(/\d+$/, '');
  const address = `${prefix}50`;
  const key = randomBytes(32).toString('base64');
  await Promise.all([
    ...instances.map(async ({ host }) => await lab.sh(host, install('iputils-arping'))),
    ...at.site.balancers.map(async ({ name }) => await lab.sh(name, install('bind9-dnsutils'))),
    lab.sh(NAME_SERVER, `apt-get update -qq && ${install('knot')}`),
  ]);
  const server = (
    await lab.sh(NAME_SERVER, `ip -4 -o address show dev back0 | sed 's/.*inet //; s,/.*,,'`)
  ).trim();
  await ground.sh(
    NAME_SERVER,
    `cat > /etc/knot/knot.conf <<'END'
server:
  listen: ${server}@53
key:
  - id: failover
    algorithm: hmac-sha256
    secret: ${key}
acl:
  - id: failover
    key: failover
    action: update
template:
  - id: default
    storage: /var/lib/knot
zone:
  - domain: ${ZONE}
    acl: failover
END
cat > /var/lib/knot/${ZONE}.zone <<'END'
$TTL 60
@ SOA ns admin 1 3600 600 86400 60
@ NS ns
ns A ${server}
END
systemctl stop knot
# An earlier run leaves a journal, which does not fit the zone any more.
rm -rf /var/lib/knot/journal /var/lib/knot/timers
chown knot:knot /var/lib/knot/${ZONE}.zone
systemctl start knot`,
  );
  const file = join(tmpdir(), `understudy-endpoints-${process.pid}.json`);
  const variable = [
    { kind: 'haproxy' },
    { kind: 'vip', name: 'db-vip', address, interface: 'back0' },
    { kind: 'dns', record: RECORD, zone: ZONE, server, ttl: 5, key_name: 'failover', key_secret: key },
  ];
  const update = { server, key_name: 'failover', key_secret: key };
  const site_dns = {
    names: [`www.${ZONE}`, ZONE],
    addresses: ['203.0.113.100', '2001:db8::64'],
    update,
  };
  writeFileSync(file, JSON.stringify({ failover_endpoints: variable, site_dns }), { mode: 0o600 });
  const [balancer = { name: '' }] = at.site.balancers;
  return {
    options: ['-e', `@${file}`],
    update,
    holders: async () => {
      const found = await Promise.all(
        instances.map(async ({ host }) =>
          (await ground.sh(host, `ip -o address show dev back0 to ${address}`)).trim() === '' ? [] : [host],
        ),
      );
      return found.flat();
    },
    named: async (name = RECORD) =>
      (await lab.sh(balancer.name, `dig +short @${server} ${name}`))
        .trim()
        .split('\n')
        .filter((line) => line !== ''),
    neighbour: async () => {
      const text = await lab.sh(
        balancer.name,
        `ping -q -c 1 -W 2 ${address} > /dev/null || :; ip neigh show ${address}`,
      );
      return /lladdr (\S+)/.exec(text)?.[1] ?? text;
    },
    hardware: async (host) => (await lab.sh(host, 'cat /sys/class/net/back0/address')).trim(),
  };
}
