import test from 'ava';

import { linksOf } from '../../../src/failover/cluster/links.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { describe, uuidOf } from '../support/topology.ts';

/** The same topology, in which db2 has been told to follow this host. */
function following(topology: Topology, sourceHost: string): Topology {
  return {
    ...topology,
    instances: topology.instances.map((instance) =>
      instance.spec.name === 'db2' && instance.kind === 'answering' && instance.state.replication
        ? {
            ...instance,
            state: { ...instance.state, replication: { ...instance.state.replication, sourceHost } },
          }
        : instance,
    ),
  };
}

const ALIVE = describe({ instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100'] });
const DEAD = describe({
  instances: ['db1 dead', 'db2 <db1~ 1:1-100'],
  memory: { identities: { db1: uuidOf('db1') } },
});

for (const host of ['DB1', 'Web1', 'db1.example.com', '192.0.2.7', '2001:db8::1']) {
  test(`a replica that follows ${host} follows db1, alive or dead`, (t) => {
    for (const topology of [ALIVE, DEAD])
      t.is(linksOf(following(topology, host)).get('db2')?.source?.spec.name, 'db1');
  });
}

test("an address that is nobody's, and an identity that nobody has seen, are outside the cluster", (t) => {
  const { instances } = DEAD;
  const topology = { ...DEAD, instances, memory: { ...DEAD.memory, identities: undefined } };
  t.is(linksOf(following(topology, 'db1.example.com')).get('db2')?.source, undefined);
});

test('whoever was told to follow another instance follows that one, whatever it was connected to before', (t) => {
  const topology = describe({ instances: ['db1 primary 1:1-100', 'db2 <db1 1:1-100', 'db3 <db1 1:1-100'] });
  t.is(linksOf(following(topology, 'db3')).get('db2')?.source?.spec.name, 'db3');
});
