import { contains, count, isEmpty } from '../../database/gtid.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { find, unknownInstance } from './names.ts';
import { isLate, isStuck } from './holdings.ts';
import { followStep } from './promotion.ts';
import { refusal, type Planned, type Refusal } from './refusals.ts';
import { compact, step } from './steps.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering, Instance, Topology } from '../cluster/topology.ts';

export interface RelocateWish {
  readonly instance: string;
  readonly below: string;
}

/**
 * Moves one replica below another source. Invariants: the replica applies everything that it has received before it
 * moves, the new source has all of that, and no ring of replicas comes out of it.
 */
export function planRelocate(topology: Topology, wish: RelocateWish, settings: FailoverSettings): Planned {
  const survey = surveyOf(topology, settings);
  const instance = find(survey, wish.instance);
  const below = find(survey, wish.below);
  if (instance === undefined) return { refusals: [unknownInstance(survey, wish.instance)] };
  if (below === undefined) return { refusals: [unknownInstance(survey, wish.below)] };
  for (const one of [instance, below]) {
    if (one.kind === 'silent') {
      return {
        refusals: [
          refusal(
            'UnreachableInstance',
            one.spec.name,
            `${one.spec.name} does not answer: ${one.silence.message}`,
            {
              remedy: topology.memory.fenced?.includes(one.spec.name)
                ? `it was fenced: \`failover rejoin ${one.spec.name}\``
                : 'start it first',
            },
          ),
        ],
      };
    }
  }
  const replica = instance as Answering;
  const source = below as Answering;
  const found = relocateRefusals(survey, replica, source);
  if (found.length > 0) return { refusals: found };
  const { name } = replica.spec;
  // The replica fetches again what it has received and not applied, where the new source has all of it.
  const isGiven = isLate(settings, replica) && contains(source.state.executed, survey.holds(replica));
  const { replication } = replica.state;
  // A stopped applier is started for the move: following another source throws away what is not applied.
  const isOff = replication?.applier === 'off' && !contains(source.state.executed, survey.holds(replica));
  const applies = (replication?.applier === 'on' || isOff) && !isGiven;
  // Back below an instance that is not the primary, the replica would acknowledge writes that no other instance gets.
  const former = survey.links.get(name)?.source;
  const isUndone = former !== undefined && leadsToPrimary(survey, former);
  // What comes from the primary need not be waited for there. Its commits may even wait for this replica: they are
  // executed there only once it acknowledges them.
  const comesFromThere = source === survey.primary && former !== undefined && isPurelyBelow(survey, former);
  return {
    plan: {
      kind: 'relocate',
      from: survey.links.get(name)?.source?.spec.name,
      to: name,
      notes: [],
      lost: '',
      lostCount: 0,
      stages: compact([
        isOff ? [step(settings, { do: 'start-applier', instance: name }, { optional: true })] : [],
        applies
          ? [
              step(
                settings,
                { do: 'stop-receiver', instance: name },
                isUndone ? { undo: [{ do: 'start-receiver', instance: name }] } : {},
              ),
            ]
          : [],
        applies ? [step(settings, { do: 'apply-backlog', instance: name })] : [],
        applies && !comesFromThere
          ? [
              step(
                settings,
                { do: 'catch-up', instance: source.spec.name, with: name },
                { name: `catch-up-with-${name}` },
              ),
            ]
          : [],
        [followStep(survey, replica, source, isUndone ? {} : { undo: [] })],
        // The replica follows by now. The record says how long it takes to catch up; nothing is taken back for that.
        [step(settings, { do: 'catch-up', instance: name, with: source.spec.name }, { optional: true })],
      ]),
    },
  };
}

function leadsToPrimary(survey: Survey, instance: Instance): boolean {
  return chainOf(survey, instance).at(-1) === survey.primary;
}

/** Whether everything that it gives to others comes from the primary. */
function isPurelyBelow(survey: Survey, instance: Instance): boolean {
  return (
    leadsToPrimary(survey, instance) &&
    chainOf(survey, instance).every((one) => one.kind === 'answering' && isEmpty(survey.errant(one)))
  );
}

/** An instance and those above it, up to the primary where it leads there. */
function chainOf(survey: Survey, instance: Instance): readonly Instance[] {
  const chain: Instance[] = [];
  for (let at: Instance | undefined = instance; at !== undefined && !chain.includes(at);) {
    chain.push(at);
    if (at === survey.primary) break;
    at = survey.links.get(at.spec.name)?.source;
  }
  return chain;
}

function relocateRefusals(survey: Survey, replica: Answering, source: Answering): readonly Refusal[] {
  const { name } = replica.spec;
  const above = source.spec.name;
  const found: Refusal[] = [];
  if (replica === survey.primary) {
    found.push(
      refusal('AlreadyPrimary', name, `${name} is the primary and follows nobody`, {
        remedy: `\`failover promote ${above}\``,
      }),
    );
  }
  const { replication } = replica.state;
  const isGiven = contains(source.state.executed, survey.holds(replica));
  if (replication && !isGiven && isStuck(replica)) {
    const error = replication.applierError;
    found.push(
      refusal(
        'ApplierStopped',
        name,
        `${name} has received ${count(replication.backlog)} transactions that it cannot apply${error ? ` (${error.code} ${error.message})` : ''} and that ${above} does not have: to follow ${above} would throw them away`,
        {
          remedy: `see to the error and start the applier there, or wait until ${above} has them`,
          details: [replication.backlog.toString()],
        },
      ),
    );
  }
  const errant = survey.errant(replica);
  if (!isEmpty(errant)) {
    found.push(
      refusal(
        'ErrantTransactions',
        name,
        `${name} has ${count(errant)} transactions that the primary never had`,
        {
          remedy: `\`failover rejoin ${name}\` says what to do`,
          details: [errant.toString()],
        },
      ),
    );
  }
  if (!replica.state.readOnly) {
    found.push(
      refusal('ReplicaIsWritable', name, `${name} takes writes`, { remedy: `\`failover rejoin ${name}\`` }),
    );
  }
  const seen = new Set<string>();
  for (
    let at: string | undefined = above;
    at !== undefined && !seen.has(at);
    at = survey.links.get(at)?.source?.spec.name
  ) {
    seen.add(at);
    if (at === name) {
      found.push(
        refusal('Ring', name, `${above} follows ${name}, directly or by others`, {
          remedy: `relocate ${above} first`,
        }),
      );
    }
  }
  if (!source.state.logBin || !source.state.logReplicaUpdates) {
    found.push(
      refusal('NoBinaryLog', above, `${above} does not log what it replicates`, {
        remedy: 'choose another source',
      }),
    );
  }
  if (!contains(survey.holds(replica), source.state.purged)) {
    found.push(
      refusal('PurgedTransactions', name, `${name} needs transactions that ${above} has purged`, {
        remedy: `\`failover rejoin ${name} --clone\``,
      }),
    );
  }
  const { primary } = survey;
  const { source: semiSync } = primary?.kind === 'answering' ? primary.state.semiSync : { source: undefined };
  if (
    semiSync?.enabled &&
    source !== primary &&
    survey.links.get(name)?.source === primary &&
    replica.state.semiSync.replica.active &&
    semiSync.ackers <= semiSync.requiredAcks
  ) {
    found.push(
      refusal(
        'NeededAcker',
        name,
        `${primary?.spec.name} needs the acknowledgements of ${name}: without it writes would wait`,
        {
          remedy: 'bring another replica back first',
        },
      ),
    );
  }
  return found;
}
