import { dirname, resolve } from 'node:path';

import { settings } from '../../config/settings.ts';
import type { Cluster } from '../../failover/cluster/cluster.ts';
import { haproxiesOf } from '../../failover/cluster/endpoint.ts';
import type { Ground, Site } from '../../failover/drill/ground.ts';
import { sshGround } from '../../failover/drill/ground-ssh.ts';
import { loadInventory } from '../../inventory/load.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import { type Dict, isDict, type Value } from '../../lib/value.ts';
import { UserError } from '../../lib/errors.ts';
import { sshTransport } from '../../transport/ssh.ts';
import type { ClusterWish } from './choose-cluster.ts';
import { inventoryCluster } from './cluster.ts';
import { siteVariables } from './variables.ts';

export interface DrillSite extends Site {
  readonly cluster: Cluster;
  /** The site's address for visitors; undefined when the inventory names none. */
  readonly vip: string | undefined;
  /** The name of the lab, if it is one. */
  readonly labName: string | undefined;
  redact(text: string): string;
}

/** What a drill knows of an inventory: its machines, by the lab's own means when it is a lab and by SSH when not. */
export async function drillSite(
  inventory: string,
  extraVars: Dict = new Map(),
  wish: ClusterWish = {},
): Promise<DrillSite> {
  const { playbook } = settings();
  const found = inventoryCluster({ inventory, playbook, extraVars, ...wish });
  const { cluster, secrets } = found;
  const variables = siteVariables({
    inventory: loadInventory(inventory),
    playbookDirectory: dirname(resolve(playbook)),
    extraVars,
    secrets: new SecretRegistry(),
  });
  const first = cluster.instances[0]?.host ?? '';
  const value = (name: string): Value | undefined => variables.of(first).get(name);
  const text = (name: string): string => {
    const found = value(name);
    if (typeof found === 'string' && found !== '') return found;
    throw new UserError({
      message: `${inventory}: ${name} is not known`,
      hint: 'a drill writes as the app does',
    });
  };
  const isLab = value('lab') === true && typeof value('lab_name') === 'string';
  const labName = isLab ? String(value('lab_name')) : undefined;
  const ground = labName === undefined ? overSsh() : await inLab(labName);
  if (haproxiesOf(cluster).length === 0) {
    throw new UserError({
      message: `${inventory}: writers do not find the primary by HAProxy (failover_endpoints)`,
      hint: 'a drill writes through the HAProxy on each balancer, and asks it who the writer is',
    });
  }
  const [balancer] = cluster.balancers;
  const listener = value('mysql_listener');
  const port = Number(
    isDict(listener)
      ? listener.get('writer')
      : variables.of(balancer?.name ?? first).get('mysql_writer_port'),
  );
  const vip = value('vip');
  return {
    ground,
    cluster,
    flavour: cluster.flavour,
    instances: cluster.instances,
    balancers: cluster.balancers,
    writerPort: Number.isInteger(port) ? port : 3306,
    app: {
      user: text('mysql_app_user'),
      password: text('mysql_app_password'),
      database: text('mysql_app_database'),
    },
    vip: typeof vip === 'string' ? vip : undefined,
    labName,
    redact: (line) => secrets.redact(line),
  };

  function overSsh(): Ground {
    const ssh = sshTransport({ hosts: found.addressOf, keepaliveIntervalMs: 2000 });
    return sshGround({
      connect: async (host) => {
        const address = found.addressOf(host);
        if (!address) throw new UserError(`the inventory has no host "${host}"`);
        return await ssh.connect(address);
      },
      becomeOf: found.becomeOf,
      close: async () => await ssh.close(),
    });
  }

  async function inLab(name: string): Promise<Ground> {
    const { labGround } = await import('./drill-lab.ts');
    return await labGround(name);
  }
}
