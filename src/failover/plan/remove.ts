import type { FailoverSettings } from '../cluster/cluster.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Answering, Instance, Topology } from '../cluster/topology.ts';
import { listed } from '../../lib/listed.ts';
import type { Stage } from './action.ts';
import { isLate } from './holdings.ts';
import { find, unknownInstance } from './names.ts';
import { formerLink } from './promotion.ts';
import { refusal, type Planned, type Refusal } from './refusals.ts';
import { rightPrimary } from './rejoin.ts';
import { compact, step } from './steps.ts';

/**
 * Takes a replica out of the cluster. Invariants: the primary keeps as many ackers as it waits for, no other instance
 * follows the one that leaves, and what that one has acknowledged is on the others before it leaves.
 */
export function planRemove(topology: Topology, name: string, settings: FailoverSettings): Planned {
  const survey = surveyOf(topology, settings);
  const instance = find(survey, name);
  if (instance === undefined) return { refusals: [unknownInstance(survey, name)] };
  const refusals = removeRefusals(survey, instance);
  if (refusals.length > 0) return { refusals };
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
      stages: instance.kind === 'silent' ? [] : leaveStages(survey, instance),
    },
  };
}

function removeRefusals(survey: Survey, instance: Instance): readonly Refusal[] {
  const { name } = instance.spec;
  const { memory } = survey.topology;
  const primary = rightPrimary(survey);
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

function leaveStages(survey: Survey, instance: Answering): readonly Stage[] {
  const { settings } = survey;
  const { name } = instance.spec;
  const { replication } = instance.state;
  if (replication === undefined) return [];
  const others = survey.others.filter(
    (other) => other !== instance && other.state.replication?.applier === 'on' && !isLate(settings, other),
  );
  return compact([
    [
      step(
        settings,
        { do: 'stop-receiver', instance: name },
        { undo: replication.receiver === 'off' ? [] : [{ do: 'start-receiver', instance: name }] },
      ),
    ],
    replication.applier === 'on'
      ? [step(settings, { do: 'apply-backlog', instance: name }, { optional: true })]
      : [],
    others.map((other) =>
      step(
        settings,
        { do: 'catch-up', instance: other.spec.name, with: name },
        { name: `catch-up-with-${name}` },
      ),
    ),
    [step(settings, { do: 'forget-source', instance: name }, { undo: formerLink(survey, instance) })],
  ]);
}
