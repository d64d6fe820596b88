import type { FailoverSettings } from '../../../src/failover/cluster/cluster.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { acceptable } from '../../../src/failover/plan/accept.ts';
import { planPromote } from '../../../src/failover/plan/promote.ts';
import type { Planned, Refusal } from '../../../src/failover/plan/refusals.ts';
import { planRejoin } from '../../../src/failover/plan/rejoin.ts';
import { planRelocate } from '../../../src/failover/plan/relocate.ts';
import { riskNamed, type RiskCode } from '../../../src/failover/plan/risks.ts';

/** A command that an operator types because a remedy names it. */
export type Command =
  | { readonly verb: 'promote'; readonly name: string | undefined; readonly accepts: readonly RiskCode[] }
  | {
      readonly verb: 'rejoin';
      readonly name: string;
      readonly accepts: readonly RiskCode[];
      readonly clone: boolean;
    }
  | {
      readonly verb: 'relocate';
      readonly name: string;
      readonly below: string;
      readonly accepts: readonly [];
    }
  /** Brings the settings of all instances to what the inventory wants. */
  | { readonly verb: 'provision up'; readonly accepts: readonly [] };

/** A command that carries out a plan. */
type Planning = Exclude<Command, { readonly verb: 'provision up' }>;

/** The commands in the text of a remedy, in the order in which it names them. */
export function commandsIn(remedy: string): readonly Command[] {
  return [
    ...remedy.matchAll(/`(failover (?:promote|rejoin|relocate)|provision up)((?: [\w,-]+)*)`/g),
  ].flatMap(([, program = '', rest = '']): readonly Command[] => {
    const words = rest.trim().split(' ');
    const [name, below] = words.filter((word) => /^db\d+$/.test(word));
    const accepts = words
      .flatMap((word, index) => (words[index - 1] === '--force' ? word.split(',') : []))
      .flatMap((risk) => riskNamed(risk) ?? []);
    const clone = words.includes('--clone');
    switch (program) {
      case 'failover promote':
        return [{ verb: 'promote', name, accepts }];
      case 'failover rejoin':
        return name === undefined ? [] : [{ verb: 'rejoin', name, accepts, clone }];
      case 'failover relocate':
        return name === undefined || below === undefined
          ? []
          : [{ verb: 'relocate', name, below, accepts: [] }];
      default:
        return [{ verb: 'provision up', accepts: [] }];
    }
  });
}

/** What an operator tries next when a command was refused: what the refusals name, and what the command may accept. */
export function commandsAfter(
  topology: Topology,
  command: Planning,
  refusals: readonly Refusal[],
  settings: FailoverSettings,
): readonly Command[] {
  const named = refusals.flatMap(({ remedy }) => commandsIn(remedy));
  const isCloned = refusals.some(({ remedy }) => remedy.includes('`--clone`'));
  return [
    ...named,
    ...(isCloned && command.verb === 'rejoin' ? [{ ...command, clone: true }] : []),
    ...forced(topology, command, settings),
  ];
}

/** Where that is possible, the command says which risks it needs to be accepted. */
function forced(topology: Topology, command: Planning, settings: FailoverSettings): readonly Command[] {
  if (command.verb === 'relocate') return [];
  const possible = acceptable(
    (accepts) => planOf(topology, { ...command, accepts }, settings),
    command.accepts,
  );
  if (!('plan' in possible.planned) || possible.needed.length === 0) return [];
  return [{ ...command, accepts: [...command.accepts, ...possible.needed.map(({ risk }) => risk)] }];
}

/** What the tool plans when the command is typed. */
export function planOf(topology: Topology, command: Planning, settings: FailoverSettings): Planned {
  const { name } = command;
  switch (command.verb) {
    case 'promote':
      return planPromote(topology, { to: name, accepts: command.accepts }, settings);
    case 'rejoin':
      return planRejoin(topology, { ...command, instance: command.name, byHand: true }, settings);
    case 'relocate':
      return planRelocate(topology, { instance: command.name, below: command.below }, settings);
  }
}
