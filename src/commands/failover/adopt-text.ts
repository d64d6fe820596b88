import { stringify } from 'yaml';

import type { Flavour } from '../../database/version.ts';
import { EMPTY_MEMORY } from '../../failover/coordination/empty-memory.ts';
import { defaultSettings } from '../../failover/cluster/settings.ts';
import { primaryOf } from '../../failover/cluster/primary.ts';
import type { Instance, Topology } from '../../failover/cluster/topology.ts';
import { primaryNames } from '../../failover/output/json.ts';
import { problems } from '../../failover/problems/problems.ts';
import type { Discovered, Discovery } from '../../failover/reach/discover.ts';

/** A cluster that others built, as this project would have it. */
export interface Adopted {
  /** The text of hosts.yml. */
  readonly inventory: string;
  /** What is not as it should be, one sentence each, with what to do. */
  readonly remarks: readonly string[];
}

/** Problems of what surrounds a cluster, of which nothing is known yet. */
const NOT_YET = /^(Balancer|NoBalancer|Store|Watch|InDowntime|Paused)/;

/** Writes the inventory of a cluster that was discovered, and says what is not as it should be. */
export function adopt({ instances, gaps }: Discovery, name: string): Adopted {
  const named = withNames(instances);
  const topology: Topology = { cluster: name, at: 0, instances: named, balancers: [], memory: EMPTY_MEMORY };
  const [primary] = primaryNames(primaryOf(topology));
  const flavours = new Set(
    named.flatMap((one) => (one.kind === 'answering' ? [one.state.version.flavour] : [])),
  );
  const [flavour = 'mysql'] = flavours;
  return {
    inventory: inventoryOf(named, { name, primary, flavour }),
    remarks: [
      ...(primary === undefined
        ? ['no instance takes writes and is followed: say mysql_initial_primary yourself']
        : []),
      ...gaps,
      ...problems(topology, defaultSettings())
        .filter(({ code }) => !NOT_YET.test(code))
        .map(({ message, remedy }) => `${message}: ${remedy}`),
    ],
  };
}

/** The short name of its host, or one that is free. */
function withNames(instances: readonly Discovered[]): readonly Instance[] {
  const taken = new Set<string>();
  return instances.map(({ address, answer }, index): Instance => {
    const said = answer.kind === 'answering' ? (answer.state.hostname.split('.')[0] ?? '') : '';
    const wanted = /^[A-Za-z][\w-]*$/.test(said) ? said : `db${index + 1}`;
    let name = wanted;
    for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
    taken.add(name);
    const spec = {
      name,
      host: name,
      address: address.host,
      port: address.port,
      rule: 'neutral',
      dataCentre: '',
    } as const;
    return answer.kind === 'answering'
      ? { spec, kind: 'answering', state: answer.state, ms: 0 }
      : { spec, kind: 'silent', silence: answer.silence, ms: 0 };
  });
}

function inventoryOf(
  instances: readonly Instance[],
  cluster: { readonly name: string; readonly primary: string | undefined; readonly flavour: Flavour },
): string {
  const ports = new Set(instances.map(({ spec }) => spec.port));
  const [port] = ports;
  const hosts = Object.fromEntries(
    instances.map(({ spec, ...rest }) => [
      spec.name,
      {
        ansible_host: spec.address,
        back_address: spec.address,
        ...(ports.size > 1 ? { mysql_port: spec.port } : {}),
        // Its own stays: another one would make the others take it for another server.
        ...(rest.kind === 'answering' ? { mysql_server_id: rest.state.serverId } : {}),
      },
    ]),
  );
  const vars = {
    failover_cluster: cluster.name,
    mysql_flavour: cluster.flavour,
    ...(ports.size === 1 && port !== 3306 ? { mysql_port: port } : {}),
    ...(cluster.primary === undefined ? {} : { mysql_initial_primary: cluster.primary }),
  };
  const head = [
    '# Written by `failover adopt` from what the servers said. How a host is reached by SSH (ansible_user, jump hosts), the',
    '# balancers and the accounts are not known to them: docs/own-machines.md and docs/failover.md say what is missing.',
  ].join('\n');
  return `${head}\n${stringify({ all: { children: { servers: { vars, hosts } } } })}`;
}
