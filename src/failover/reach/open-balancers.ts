import type { Duplex } from 'node:stream';

import type { Balancer } from '../../balancer/balancer.ts';
import { dnsBalancer, type RunScript } from '../../balancer/dns.ts';
import { haproxyBalancer } from '../../balancer/haproxy.ts';
import { proxysqlBalancer } from '../../balancer/proxysql.ts';
import { vipBalancer } from '../../balancer/vip.ts';
import type { Dial } from '../../lib/dial.ts';
import { unreachable } from '../../lib/errors.ts';
import type { BalancerSpec, Cluster } from '../cluster/cluster.ts';
import { DEFAULT_ENDPOINTS, endpointName } from '../cluster/endpoint.ts';
import type { InstanceSpec } from '../cluster/topology.ts';
import { addressHolder } from './address-holder.ts';
import type { RunVerb } from './machine-verbs.ts';

/** How the parts behind the balancers are reached; an operator and a daemon have different ones. */
export interface Ways {
  /** The runtime API of a balancer's HAProxy. */
  readonly haproxy: (balancer: BalancerSpec) => () => Promise<Duplex>;
  readonly dial: Dial;
  /** The verbs of `understudy-node` on an instance's host. */
  readonly verbs: (instance: InstanceSpec) => RunVerb;
  /** A shell on a balancer, or on any of them. */
  readonly script: RunScript;
}

/** An SSH login through a jump host, on machines that are busy. */
const LOGIN_MS = 4000;

/** Opens every way by which the cluster's writers find the primary. */
export function openBalancers(cluster: Cluster, ways: Ways): readonly Balancer[] {
  const { endpoints = DEFAULT_ENDPOINTS, balancers, instances, settings } = cluster;
  const { queryTimeoutMs } = settings;
  // A connection is opened for each question.
  const timeoutMs = settings.connectTimeoutMs + queryTimeoutMs;
  return endpoints.flatMap((endpoint): Balancer | readonly Balancer[] => {
    switch (endpoint.kind) {
      case 'haproxy':
        return balancers.map((balancer) =>
          haproxyBalancer({
            name: balancer.name,
            backend: balancer.backend,
            open: ways.haproxy(balancer),
            timeoutMs: queryTimeoutMs,
          }),
        );
      case 'proxysql': {
        const { address, port, user, password, writer_hostgroup: writerHostgroup } = endpoint;
        const name = endpointName(endpoint);
        const open = async (): Promise<Duplex> => await ways.dial(address, port);
        return proxysqlBalancer({
          name,
          open,
          user,
          password,
          writerHostgroup,
          targets: instances,
          timeoutMs,
        });
      }
      case 'vip': {
        const { address, interface: device, moved_by: movedBy } = endpoint;
        const holders = instances.map((instance) =>
          addressHolder({
            host: instance.host,
            address,
            interface: device,
            run: ways.verbs(instance),
            timeoutMs,
          }),
        );
        // Logging in by SSH takes longer than connecting to a server.
        return vipBalancer({
          name: endpointName(endpoint),
          address,
          movedBy,
          holders,
          timeoutMs: Math.max(LOGIN_MS, timeoutMs),
        });
      }
      case 'dns': {
        const { record, zone, server, port, ttl, key_name, key_algorithm, key_secret } = endpoint;
        return dnsBalancer({
          name: endpointName(endpoint),
          record,
          zone,
          server,
          port,
          ttl,
          key: { name: key_name, algorithm: key_algorithm, secret: key_secret },
          targets: instances,
          run: ways.script,
          timeoutMs,
        });
      }
      default:
        return unreachable(endpoint);
    }
  });
}
