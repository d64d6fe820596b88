import type { FailoverSettings } from '../cluster/cluster.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import { surveyOf } from '../cluster/survey-of.ts';
import type { Answering, Topology } from '../cluster/topology.ts';
import { listed } from '../../lib/listed.ts';
import { isOlder } from '../../database/version.ts';
import { traitsOf } from '../../database/traits.ts';
import { find, unknownInstance } from './names.ts';
import { refusal, type Planned, type Refusal } from './refusals.ts';
import { planRejoin, rightPrimary, type RejoinWish } from './rejoin.ts';

/**
 * Makes a server that was never a member a replica of the primary: as `planRejoin` does, once it is one that can be a
 * member at all. What would make replication fail later, or the next promotion, is refused here. So is a server that
 * takes writes for others: nothing is done to it before it is known that it can follow.
 */
export function planAdd(
  topology: Topology,
  wish: RejoinWish,
  settings: FailoverSettings,
): Planned & { readonly again?: boolean } {
  const survey = surveyOf(topology, settings);
  const instance = find(survey, wish.instance);
  if (instance === undefined) return { refusals: [unknownInstance(survey, wish.instance)] };
  const primary = rightPrimary(survey);
  if (instance.kind === 'answering' && primary !== undefined && instance !== primary) {
    const refusals = addRefusals(survey, instance, primary);
    if (refusals.length > 0) return { refusals };
  }
  if (instance.kind === 'answering' && instance !== primary && !instance.state.readOnly) {
    const planned = planRejoin(closed(topology, instance), wish, settings);
    if ('refusals' in planned) return planned;
  }
  return planRejoin(topology, wish, settings);
}

/** The cluster once this server takes no writes: what would be refused then must be known before it is closed. */
function closed(topology: Topology, writable: Answering): Topology {
  const state = { ...writable.state, readOnly: true, superReadOnly: true };
  return {
    ...topology,
    instances: topology.instances.map((one) => (one === writable ? { ...writable, state } : one)),
  };
}

function addRefusals(survey: Survey, instance: Answering, primary: Answering): readonly Refusal[] {
  const { state } = instance;
  const { name } = instance.spec;
  const found: Refusal[] = [];
  const twin = survey.topology.instances.find(
    (other): other is Answering =>
      other.kind === 'answering' &&
      other !== instance &&
      (other.state.uuid === state.uuid || other.state.serverId === state.serverId),
  );
  if (twin !== undefined) {
    const same = twin.state.uuid === state.uuid ? 'server_uuid' : 'server_id';
    found.push(
      refusal(
        'SameIdentity',
        name,
        `${name} has the ${same} of ${twin.spec.name}: neither would get what the other wrote`,
        {
          remedy:
            same === 'server_uuid'
              ? 'its data directory is a copy: stop it, remove auto.cnf there, start it'
              : 'give it a server_id of its own: `provision up`',
        },
      ),
    );
  }
  const link = survey.links.get(name);
  if (state.replication !== undefined && link?.source === undefined) {
    const { sourceHost, sourcePort } = state.replication;
    found.push(
      refusal(
        'NotAReplicaOfThePrimary',
        name,
        `${name} follows ${sourceHost}:${sourcePort}, which is none of this cluster`,
        { remedy: 'end that replication there (RESET REPLICA ALL) when it is no longer needed' },
      ),
    );
  } else if (link?.state === 'hears') {
    found.push(
      refusal('AlreadyMember', name, `${name} follows ${link.source?.spec.name ?? 'the primary'} already`, {
        remedy: 'nothing to do',
      }),
    );
  }
  const below = [
    ...new Set([...namesOf(survey.followers(name)), ...state.replicas.map(({ address }) => address)]),
  ];
  if (!state.readOnly && below.length > 0) {
    found.push(
      refusal(
        'HasReplicas',
        name,
        `${name} takes writes, and ${listed(below)} ${below.length === 1 ? 'follows' : 'follow'} it`,
        { remedy: 'it is the primary of others: end their replication first when it is no longer needed' },
      ),
    );
  }
  if (isOlder(state.version, primary.state.version)) {
    found.push(
      refusal(
        'OlderThanPrimary',
        name,
        `${name} runs ${state.version.text}, older than ${primary.spec.name} with ${primary.state.version.text}, and might not understand it`,
        { remedy: 'upgrade it first' },
      ),
    );
  }
  const { gtidVariable } = traitsOf(state.version.flavour);
  const needs = [
    [state.gtidMode, 'GtidsOff', `${gtidVariable} is not ON`],
    [state.logBin, 'NoBinaryLog', 'it writes no binary log'],
    [state.logReplicaUpdates, 'NoReplicaUpdatesInLog', 'it does not log what it replicates'],
  ] as const;
  for (const [has, code, what] of needs) {
    if (!has)
      found.push(
        refusal(code, name, `${name} could never be the primary: ${what}`, { remedy: '`provision up`' }),
      );
  }
  return found;
}
