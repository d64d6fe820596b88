import { duplexPair, type Duplex } from 'node:stream';

import type { Balancer } from '../../../src/balancer/balancer.ts';
import { dnsBalancer } from '../../../src/balancer/dns.ts';
import { haproxyBalancer } from '../../../src/balancer/haproxy.ts';
import { proxysqlBalancer } from '../../../src/balancer/proxysql.ts';
import type { Target } from '../../../src/balancer/target.ts';
import { vipBalancer } from '../../../src/balancer/vip.ts';
import { EXIT, UserError } from '../../../src/lib/errors.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { fakeProxysql } from './proxysql.ts';

/** One kind of balancer with what is behind it, as far as the adapter can tell it from the real one. */
export interface World {
  readonly balancer: Balancer;
  /** The hosts to which a writer would come now, as nobody but the far side knows. */
  leadsTo(): readonly string[];
  /** Somebody else points it at an address that is none of the cluster's. */
  astray?(): void;
  /** From now on nobody answers. */
  silence(): void;
  close(): void;
}

export const SECRET = 'dGhlIHNlY3JldCBvZiB0aGUga2V5';
export const TARGETS: readonly Target[] = [1, 2, 3].map((number) => ({
  host: `web${number}`,
  address: `10.0.0.${number}`,
  port: 3306,
}));
/** Each begins with web1 as the writer; `timeoutMs` is how long it waits for an answer. */
export const WORLDS: Readonly<Record<string, (timeoutMs: number) => World | Promise<World>>> = {
  haproxy: haproxyWorld,
  proxysql: proxysqlWorld,
  vip: (timeoutMs) => vipWorld('failover', timeoutMs),
  'vip of keepalived': (timeoutMs) => vipWorld('keepalived', timeoutMs),
  dns: dnsWorld,
};

function haproxyWorld(timeoutMs: number): World {
  const up = new Set(['web1']);
  let isSilent = false;
  const answer = (command: string): string => {
    const [, host = '', state = ''] =
      /^set server mysql_primary\/(\S+) health (up|down)$/.exec(command) ?? [];
    if (state === 'up') up.add(host);
    if (state === 'down') up.delete(host);
    if (command.startsWith('writers ')) return 'held 0 until 0\n\n';
    if (!command.startsWith('show servers state')) return '\n';
    const header =
      '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change';
    const rows = TARGETS.map(
      ({ host: name, address }, index) =>
        `6 mysql_primary ${index} ${name} ${address} ${up.has(name) ? 2 : 0} 0 1 1 76`,
    );
    return `1\n${header}\n${rows.join('\n')}\n\n`;
  };
  // oxlint-disable-next-line require-await -- the interface is asynchronous
  const open = async (): Promise<Duplex> => {
    const [near, far] = duplexPair();
    let request = '';
    far.on('data', (chunk: Buffer) => {
      request += chunk.toString('utf8');
      if (!isSilent && request.endsWith('\n')) far.end(request.trim().split('; ').map(answer).join(''));
    });
    return near;
  };
  return {
    balancer: haproxyBalancer({ name: 'lb1', open, timeoutMs }),
    leadsTo: () => [...up],
    silence: () => (isSilent = true),
    close: () => {},
  };
}

async function proxysqlWorld(timeoutMs: number): Promise<World> {
  const proxysql = await fakeProxysql('radmin');
  let isSilent = false;
  proxysql.configure(`INSERT INTO mysql_servers (hostgroup_id, hostname, port, status) VALUES
    (10, '10.0.0.1', 3306, 'ONLINE'), (10, '10.0.0.2', 3306, 'OFFLINE_HARD'), (10, '10.0.0.3', 3306, 'OFFLINE_HARD'),
    (20, '10.0.0.1', 3306, 'ONLINE'), (20, '10.0.0.2', 3306, 'ONLINE'), (20, '10.0.0.3', 3306, 'ONLINE')`);
  return {
    balancer: proxysqlBalancer({
      name: 'proxysql1',
      open: async () => (isSilent ? duplexPair()[0] : await proxysql.open()),
      user: 'radmin',
      password: new Secret(SECRET),
      writerHostgroup: 10,
      targets: TARGETS,
      timeoutMs,
    }),
    leadsTo: () =>
      proxysql.database
        .prepare("SELECT hostname FROM runtime_mysql_servers WHERE hostgroup_id = 10 AND status = 'ONLINE'")
        .all()
        .map((row) => hostOf(String(row['hostname']))),
    astray: () =>
      proxysql.configure(
        "UPDATE mysql_servers SET hostname = '10.0.0.9' WHERE hostgroup_id = 10 AND status = 'ONLINE'",
      ),
    silence: () => (isSilent = true),
    close: () => proxysql.close(),
  };
}

function vipWorld(movedBy: 'failover' | 'keepalived', timeoutMs: number): World {
  const on = new Set(['web1']);
  let isSilent = false;
  const reach = async (): Promise<void> => {
    if (isSilent) throw new UserError('no route to host', { exitCode: EXIT.unreachable });
  };
  const balancer = vipBalancer({
    name: 'db-vip',
    address: '10.0.0.50/32',
    movedBy,
    timeoutMs,
    holders: TARGETS.map(({ host }) => ({
      host,
      holds: async () => {
        await reach();
        return on.has(host);
      },
      ready: reach,
      take: async () => {
        await reach();
        on.add(host);
      },
      drop: async () => {
        await reach();
        on.delete(host);
      },
    })),
  });
  return {
    balancer:
      movedBy === 'failover'
        ? balancer
        : {
            ...balancer,
            // Its own check sees the new primary take writes.
            pointWriters: async (host) => {
              if (TARGETS.some((each) => each.host === host) && !isSilent) {
                on.clear();
                on.add(host);
              }
              await balancer.pointWriters(host);
            },
          },
    leadsTo: () => [...on],
    silence: () => (isSilent = true),
    close: () => {},
  };
}

/** A name server behind a shell with nsupdate and dig, whose texts are those of BIND 9.18 beside Knot 3.2 and BIND. */
function dnsWorld(timeoutMs: number): World {
  const records = new Map([['A', ['10.0.0.1']]]);
  let isSilent = false;
  const ask = (script: string): string => {
    const [, name = ''] = / '?(\S*db\.foobar\.test)'? A /.exec(script) ?? [];
    return ['A', 'AAAA']
      .map((type) =>
        [
          ';; Got answer:',
          ';; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 7737',
          ';; flags: qr aa; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1',
          ';; ANSWER SECTION:',
          ...(records.get(type) ?? []).map((address) => `${name}.\t\t5\tIN\t${type}\t${address}`),
          '',
        ].join('\n'),
      )
      .join('\n');
  };
  const update = (script: string): void => {
    for (const line of script.split('\n')) {
      const [, action, type = '', address] =
        /^update (add|delete) db\.foobar\.test\. (?:\d+ )?(A|AAAA)(?: (\S+))?$/.exec(line) ?? [];
      if (action === 'add' && address !== undefined)
        records.set(type, [...(records.get(type) ?? []), address]);
      if (action === 'delete')
        records.set(
          type,
          address === undefined ? [] : (records.get(type) ?? []).filter((each) => each !== address),
        );
    }
  };
  return {
    balancer: dnsBalancer({
      name: 'db.foobar.test',
      record: 'db.foobar.test',
      zone: 'foobar.test',
      server: '10.0.0.53',
      port: 53,
      ttl: 5,
      key: { name: 'failover', algorithm: 'hmac-sha256', secret: new Secret(SECRET) },
      targets: TARGETS,
      timeoutMs,
      // oxlint-disable-next-line require-await -- the interface is asynchronous
      run: async (script) => {
        const isUpdate = script.includes('nsupdate');
        if (isSilent) {
          return isUpdate
            ? {
                status: 2,
                stdout: '',
                stderr: '; Communication with 10.0.0.53#53 failed: operation canceled\n',
              }
            : { status: 9, stdout: ';; no servers could be reached\n', stderr: '' };
        }
        if (!isUpdate) return { status: 0, stdout: ask(script), stderr: '' };
        update(script);
        return { status: 0, stdout: '', stderr: '' };
      },
    }),
    leadsTo: () => [...records.values()].flat().map(hostOf),
    astray: () => records.set('A', ['10.0.0.9']),
    silence: () => (isSilent = true),
    close: () => {},
  };
}

function hostOf(address: string): string {
  return TARGETS.find((target) => target.address === address)?.host ?? address;
}
