import { listed } from '../../lib/listed.ts';
import type { Action, Step } from './action.ts';

/**
 * Says what a step does, for a reader who knows databases and not this tool: `db2 applies all that db1 has committed`.
 */
export function sentenceOf(action: Action): string {
  switch (action.do) {
    case 'hold-writers':
      return 'new writers wait at the balancers';
    case 'release-writers':
      return 'waiting writers go on';
    case 'end-writers':
      return `the balancers end the writers’ sessions to ${action.instance}`;
    case 'point-writers':
      return `the balancers send writers to ${action.instance}`;
    case 'stop-receiver':
      return `${action.instance} stops receiving`;
    case 'confirm-stopped':
      return `${action.instance} has not begun to receive again by a restart`;
    case 'start-receiver':
      return `${action.instance} receives again`;
    case 'stop-applier':
      return `${action.instance} stops applying`;
    case 'start-applier':
      return `${action.instance} applies again`;
    case 'stop-replica':
      return `${action.instance} stops replicating`;
    case 'start-replica':
      return `${action.instance} replicates again`;
    case 'follow':
      return `${action.instance} follows ${action.source}`;
    case 'forget-source':
      return `${action.instance} forgets its former source`;
    case 'make-read-only':
      return `${action.instance} takes no more writes`;
    case 'persist-read-only':
      return `${action.instance} stays read-only after a restart`;
    case 'make-writable':
      return `${action.instance} takes writes`;
    case 'end-clients':
      return `client sessions on ${action.instance} end`;
    case 'end-sessions':
      return `${action.sessions.length === 1 ? 'session' : 'sessions'} ${listed(action.sessions.map(String))} on ${action.instance} end`;
    case 'end-prepared':
      return `the prepared transaction ${action.xid} on ${action.instance} is ${action.how === 'commit' ? 'committed' : 'rolled back'}`;
    case 'run-sql':
      return `the operators’ SQL runs on ${action.instance}: ${action.sql}`;
    case 'catch-up':
      return `${action.instance} applies all that ${action.with} has committed`;
    case 'await-received':
      return action.count < action.on.length
        ? `${action.count} of ${listed(action.on)} ${action.count === 1 ? 'receives' : 'receive'} all that ${action.instance} holds`
        : `${listed(action.on)} ${action.count === 1 ? 'receives' : 'receive'} all that ${action.instance} holds`;
    case 'apply-backlog':
      return `${action.instance} applies all that it has received`;
    case 'semi-sync-source':
      return `${action.instance} ${action.on ? 'waits for acknowledgements of its commits' : 'no longer waits for acknowledgements'}`;
    case 'semi-sync-replica':
      return `${action.instance} ${action.on ? 'acknowledges what it receives' : 'no longer acknowledges'}`;
    case 'await-ackers':
      return `${action.count === 1 ? 'a replica connects' : `${action.count} replicas connect`} to ${action.instance} to acknowledge its commits`;
    case 'enable-events':
      return `the scheduled events run on ${action.instance}`;
    case 'prove':
      return `a row written through ${action.instance} arrives on ${listed(action.on)}`;
    case 'fence':
      return `mysqld on the machine of ${action.instance} is stopped and kept from starting`;
    case 'unfence':
      return `mysqld on the machine of ${action.instance} is started again, read-only${action.asBefore ? ', unless somebody had stopped it before' : ''}`;
    case 'apply-log':
      return `${action.instance} applies what only the binary log of ${action.of} holds`;
    case 'clone':
      return `the data of ${action.instance} become a copy of those of ${action.source}`;
    case 'inject-empty':
      return `${action.instance} commits empty transactions in place of ${action.gtids}`;
    case 'hook':
      return `the operators’ program for "${action.hook}" runs`;
  }
}

/** Says in words what is special about a step. */
export function marksOf(step: Step): readonly string[] {
  return [
    ...(step.irreversible ? ['cannot be undone'] : []),
    ...(step.optional ? ['may fail'] : []),
    ...(step.bystander === undefined ? [] : ['when it fails, the instance is left behind']),
    ...(step.beside ? ['beside the rest'] : []),
  ];
}
