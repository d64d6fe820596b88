import type { FailoverSettings } from '../cluster/cluster.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Answering, Instance, Topology } from '../cluster/topology.ts';
import { isEmpty, subtract } from '../../database/gtid.ts';
import { listed } from '../../lib/listed.ts';
import type { Stage } from './action.ts';
import { holdsAcknowledged, keepersOf, neededKeepers, type Keepers } from './keepers.ts';
import { find, unknownInstance } from './names.ts';
import { formerLink } from './promotion.ts';
import { refusal, type Planned, type Refusal } from './refusals.ts';
import { rightPrimary } from './rejoin.ts';
import type { RiskCode } from './risks.ts';
import { compact, step } from './steps.ts';

/**
 * Takes a replica out of the cluster. Invariants: the primary keeps as many ackers as it waits for, no other instance
 * follows the one that leaves, and what that one has acknowledged is on the others before it leaves.
 */
export function planRemove(
  topology: Topology,
  name: string,
  settings: FailoverSettings,
  accepts: readonly RiskCode[] = [],
): Planned {
  const survey = surveyOf(topology, settings);
  const instance = find(survey, name);
  if (instance === undefined) return { refusals: [unknownInstance(survey, name)] };
  const primary = rightPrimary(survey);
  const refusals = removeRefusals(survey, instance, primary);
  if (primary === undefined || refusals.length > 0) return { refusals };
  const keepers = keepersOf(survey, instance, primary, { awaited: true });
  const only = holdsAcknowledged(survey, primary, keepers);
  if (only !== undefined && !accepts.includes('HoldsAcknowledged')) return { refusals: [only] };
  const leaves = instance.spec.name;
  return {
    plan: {
      kind: 'remove',
      from: survey.links.get(leaves)?.source?.spec.name,
      to: leaves,
      notes: [
        ...(instance.kind === 'silent' ? [`${leaves} does not answer, so it is only forgotten`] : []),
        `take ${leaves} out of the inventory and run \`provision up\`: as long as it is there, the next promotion takes it along again`,
      ],
      lost: '',
      lostCount: 0,
      ...(only === undefined ? {} : { accepted: ['HoldsAcknowledged'] }),
      stages: leaveStages(survey, instance, primary, keepers),
    },
  };
}

function removeRefusals(
  survey: Survey,
  instance: Instance,
  primary: Answering | undefined,
): readonly Refusal[] {
  const { name } = instance.spec;
  const { memory } = survey.topology;
  if (
    instance === primary ||
    (primary === undefined && [survey.primary?.spec.name, memory.primary].includes(name))
  ) {
    return [
      refusal('StillPrimary', name, `${name} is the primary`, {
        remedy: '`failover promote` makes another instance the primary first',
      }),
    ];
  }
  if (primary === undefined) {
    const message = 'no single primary answers and takes writes: every instance may still be needed';
    return [refusal('NoWritablePrimary', undefined, message, { remedy: '`failover status` says why' })];
  }
  const { unfinished } = memory;
  if (unfinished !== undefined) {
    const message = `a ${unfinished.kind} to ${unfinished.to} was cut off`;
    return [
      refusal('UnknownOutcome', name, message, { remedy: `\`failover promote ${unfinished.to}\` ends it` }),
    ];
  }
  return [...withReplicas(survey, name), ...neededAcker(survey, instance, primary)];
}

function withReplicas(survey: Survey, name: string): readonly Refusal[] {
  const below = namesOf(survey.followers(name));
  if (below.length === 0) return [];
  return [
    refusal('HasReplicas', name, `${listed(below)} ${below.length === 1 ? 'follows' : 'follow'} ${name}`, {
      remedy: `\`failover relocate ${below[0]} ${survey.primary?.spec.name ?? 'SOURCE'}\` first`,
    }),
  ];
}

function neededAcker(survey: Survey, instance: Instance, primary: Answering): readonly Refusal[] {
  const { name } = instance.spec;
  const { source } = primary.state.semiSync;
  const acknowledges =
    instance.kind === 'answering' &&
    survey.links.get(name)?.source === primary &&
    instance.state.semiSync.replica.active;
  const left = source.ackers - 1;
  if (!acknowledges || !source.enabled || left >= source.requiredAcks) return [];
  return [
    refusal(
      'NeededAcker',
      name,
      `${primary.spec.name} waits for ${source.requiredAcks} acknowledgements, and without ${name} only ${left} could be given`,
      { remedy: 'add another replica first, or let the primary wait for fewer' },
    ),
  ];
}

/** What it holds is received by others before it forgets it; how late they apply it does not matter. */
function leaveStages(
  survey: Survey,
  instance: Instance,
  primary: Answering,
  keepers: Keepers,
): readonly Stage[] {
  const { settings } = survey;
  const { name } = instance.spec;
  const replication = instance.kind === 'answering' ? instance.state.replication : undefined;
  const { having } = keepers;
  // Where the primary waits for nobody, nothing is promised; one that hears it gets it all the same.
  const count = Math.min(having.length, Math.max(1, neededKeepers(primary)));
  const of = instance.kind === 'answering' ? instance : primary;
  const errant = survey.errant(of);
  const held = instance.kind === 'answering' ? subtract(survey.holds(of), errant) : keepers.held;
  return compact([
    replication === undefined
      ? []
      : [
          step(
            settings,
            { do: 'stop-receiver', instance: name },
            { undo: replication.receiver === 'off' ? [] : [{ do: 'start-receiver', instance: name }] },
          ),
        ],
    count === 0 || isEmpty(held)
      ? []
      : [
          step(settings, {
            do: 'await-received',
            instance: of.spec.name,
            on: namesOf(having),
            count,
            has: held.toString(),
            ...(isEmpty(errant) ? {} : { without: errant.toString() }),
          }),
        ],
    replication === undefined || instance.kind === 'silent'
      ? []
      : [step(settings, { do: 'forget-source', instance: name }, { undo: formerLink(survey, instance) })],
  ]);
}
