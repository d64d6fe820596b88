import { setTimeout as wait } from 'node:timers/promises';

import { type MakeRound, nothing, promote } from './round.ts';

/* Balancers, the watches on them, and etcd. */

const BALANCERS = ['lb1', 'lb2'] as const;

export const promoteAndBalancer: MakeRound = (setting) => {
  const { site, replicas, random } = setting;
  const { pick, between } = random;
  const balancer = pick(BALANCERS);
  const how = pick(['restart haproxy', 'cut its power']);
  const to = pick(replicas);
  return {
    kind: `promote ${to}, and ${how} on ${balancer}`,
    changes: 2,
    act: async (stage) => {
      const promoting = promote(setting, to);
      await wait(between(0, 800));
      if (how === 'cut its power') await site.ground.lab?.cutPower(balancer);
      else await site.ground.sh(balancer, 'systemctl restart haproxy');
      stage.mark();
      await promoting;
      await stage.accepted();
    },
    heal: nothing,
  };
};

export const balancerDies: MakeRound = ({ site, random }) => {
  const balancer = random.pick(BALANCERS);
  return {
    kind: `${balancer} loses its power`,
    changes: 0,
    act: async (stage) => {
      await site.ground.lab?.cutPower(balancer);
      stage.mark();
      await stage.accepted();
      await wait(random.between(1000, 6000));
      await site.ground.lab?.powerOn(balancer);
      await stage.accepted();
    },
    heal: nothing,
  };
};

export const observer: MakeRound = ({ site, random }) => {
  const balancer = random.pick(BALANCERS);
  const seconds = Math.round(random.between(5, 15));
  return {
    kind: `${balancer} is cut from the servers for ${seconds} s`,
    changes: 0,
    act: async (stage) => {
      await site.ground.lab?.isolate(
        balancer,
        site.instances.map((spec) => spec.host),
      );
      stage.mark();
      await wait(seconds * 1000);
      await stage.accepted();
    },
    heal: nothing,
  };
};

/** One member, or the majority; the primary may be on one of them. */
export const etcd: MakeRound = (setting) => {
  const { site, replicas, random } = setting;
  // The role gives members to the first five servers, or to the first three.
  const members = site.instances.map((spec) => spec.host).slice(0, site.instances.length < 5 ? 3 : 5);
  const hosts = members.slice(random.next() < 0.6 ? -1 : -Math.ceil(members.length / 2));
  const to = random.pick(replicas);
  const each = async (verb: string): Promise<void> => {
    await Promise.all(hosts.map(async (host) => await site.ground.sh(host, `systemctl ${verb} etcd || :`)));
  };
  return {
    kind: `etcd stopped on ${hosts.join(' and ')}, and promote ${to}`,
    changes: 1,
    act: async (stage) => {
      await each('stop');
      stage.mark();
      await wait(random.between(1000, 8000));
      await promote(setting, to);
      await stage.accepted();
    },
    heal: async () => await each('start'),
  };
};
