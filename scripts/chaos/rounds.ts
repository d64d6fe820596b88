import type { DrillSite } from '../../src/commands/failover/drill-site.ts';
import type { Tool } from '../../src/failover/drill/tool.ts';
import type { Random } from './random.ts';
import { primaryDisk } from './rounds/disks.ts';
import { brief, flapping, ofPrimary, ofReplica, restartInFailover, twoAtOnce } from './rounds/faults.ts';
import { handicapped } from './rounds/handicapped.ts';
import {
  copyWhile,
  interrupted,
  killedTool,
  promoteWhile,
  suspendedTool,
  switchover,
  twoOperators,
} from './rounds/operators.ts';
import type { MakeRound, Round } from './rounds/round.ts';
import { balancerDies, etcd, observer, promoteAndBalancer } from './rounds/surroundings.ts';

/** What may happen in a round, and how often beside the others. */
const ROUNDS = {
  primary: { weight: 3, make: ofPrimary },
  replica: { weight: 1, make: ofReplica },
  brief: { weight: 2, make: brief },
  double: { weight: 1, make: twoAtOnce },
  restart: { weight: 2, make: restartInFailover },
  flapping: { weight: 1, make: flapping },
  disk: { weight: 2, make: primaryDisk },
  handicap: { weight: 4, make: handicapped },
  switchover: { weight: 1, make: switchover },
  'killed-tool': { weight: 2, make: killedTool },
  'suspended-tool': { weight: 2, make: suspendedTool },
  interrupted: { weight: 1, make: interrupted },
  'two-operators': { weight: 1, make: twoOperators },
  'promote-while': { weight: 1, make: promoteWhile },
  copy: { weight: 2, make: copyWhile },
  balancer: { weight: 1, make: promoteAndBalancer },
  reboot: { weight: 1, make: balancerDies },
  observer: { weight: 1, make: observer },
  etcd: { weight: 1, make: etcd },
} as const satisfies Readonly<Record<string, { readonly weight: number; readonly make: MakeRound }>>;

export type RoundName = keyof typeof ROUNDS;

export const ROUND_NAMES = Object.keys(ROUNDS) as readonly RoundName[];

/** The next round, with its faults and moments chosen. */
export function makeRound(
  site: DrillSite,
  failover: Tool,
  primary: string,
  random: Random,
  names: readonly RoundName[] = ROUND_NAMES,
): Round {
  const name = random.pick(names.flatMap((one) => Array.from({ length: ROUNDS[one].weight }, () => one)));
  const replicas = site.instances.map((spec) => spec.name).filter((each) => each !== primary);
  return ROUNDS[name].make({ site, failover, primary, replicas, random });
}
