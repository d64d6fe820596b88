import test from 'ava';

import { holderOf } from './support/hand-over.ts';
import {
  allIsWell,
  balancerStops,
  changesNothing,
  forget,
  isForTheMonitoringOnly,
  isTold,
  type Monitoring,
  turnOn,
} from './support/monitoring.ts';
import { testLab, vipOf } from './support/site.ts';

/*
 * Real faults, and what people are told: npm run test:alerts. It takes a quarter of an hour, most of which is waiting for
 * what must last before it is told. With PROVISIONED=1 the lab of that name is taken as it is.
 */
const lab = testLab(process.env['LAB'] ?? 'test-monitoring');
const BOTH = ['lb1', 'lb2'] as const;

let monitoring: Monitoring;

test.before('a lab', async () => {
  if (process.env['PROVISIONED'] !== undefined) return;
  await lab.lab('up');
  await lab.lab('reset');
});

test.after.always('nothing is left', async () => {
  await monitoring?.close();
  if (process.env['KEEP_LAB'] !== undefined) return;
  forget(lab);
  await lab.lab('down', '--yes');
});

const database = async (host: string, line: string): Promise<string> =>
  await lab.sh(host, `unit=$(test -e /usr/sbin/mariadbd && echo mariadb || echo mysql); ${line}`);

test.serial('up makes a site that is watched, and a further run changes nothing', async (t) => {
  monitoring = await turnOn(t, lab);
  await allIsWell(t, monitoring);
  await changesNothing(t, lab);
  await isForTheMonitoringOnly(t, lab);
});

test.serial('a replica whose server is killed and stays down', async (t) => {
  await isTold(t, monitoring, {
    alert: 'InstanceDown',
    instance: 'web3',
    cause: async () =>
      await database('web3', 'systemctl mask --quiet --runtime $unit; systemctl kill -s KILL $unit'),
    heal: async () =>
      await database('web3', 'systemctl unmask --quiet --runtime $unit; systemctl start $unit'),
  });
});

test.serial('the balancer that holds the address, whose HAProxy is stopped', async (t) => {
  await isTold(t, monitoring, balancerStops(lab, await holderOf(lab, await vipOf(lab))));
});

test.serial('watches that are stopped', async (t) => {
  const all = async (verb: string): Promise<unknown> =>
    await Promise.all(BOTH.map(async (host) => await lab.sh(host, `systemctl ${verb} failover-watch`)));
  await isTold(t, monitoring, {
    alert: 'NobodyWatches',
    instance: '',
    cause: async () => await all('stop'),
    heal: async () => await all('start'),
  });
});

test.serial('a host that is cut off, about whose programs nothing is told', async (t) => {
  await isTold(t, monitoring, {
    alert: 'HostDown',
    instance: 'web3',
    cause: async () => await lab.lab('isolate', 'web3'),
    heal: async () => await lab.lab('heal'),
  });
});
