import type { Action, Plan, Step } from '../../../src/failover/plan/action.ts';

/** A plan, one line a stage: `stop-receiver db2 | ~fence db1`; `!` is irreversible, `~` runs beside. */
export function planText(plan: Plan): readonly string[] {
  return plan.stages.map((stage) => stage.map(stepText).join(' | '));
}

export function actionText(action: Action): string {
  const words: string[] = [action.do];
  if ('instance' in action) words.push(action.instance);
  switch (action.do) {
    case 'follow':
      words.push(action.source, ...(action.demoted ? ['demoted'] : []));
      break;
    case 'clone':
      words.push('from', action.source);
      break;
    case 'catch-up':
      words.push('with', action.with);
      break;
    case 'await-received':
      words.push(String(action.count), 'of', action.on.join(','));
      break;
    case 'semi-sync-source':
    case 'semi-sync-replica':
      words.push(action.on ? 'on' : 'off');
      break;
    case 'prove':
      words.push('on', action.on.join(','));
      break;
    case 'apply-log':
      words.push('of', action.of);
      break;
    case 'inject-empty':
      words.push(action.gtids);
      break;
    case 'end-sessions':
      words.push(action.sessions.join(','));
      break;
    case 'end-prepared':
      words.push(action.xid, action.how);
      break;
    case 'run-sql':
      words.push(action.sql);
      break;
    case 'hook':
      words.push(action.hook);
      break;
    case 'hold-writers':
    case 'release-writers':
    case 'end-writers':
    case 'point-writers':
    case 'stop-receiver':
    case 'confirm-stopped':
    case 'start-receiver':
    case 'start-applier':
    case 'stop-applier':
    case 'stop-replica':
    case 'start-replica':
    case 'forget-source':
    case 'make-read-only':
    case 'persist-read-only':
    case 'make-writable':
    case 'end-clients':
    case 'apply-backlog':
    case 'await-ackers':
    case 'enable-events':
    case 'fence':
    case 'unfence':
      break;
  }
  return words.join(' ');
}

export function stepText(step: Step): string {
  return `${step.irreversible ? '!' : ''}${step.beside ? '~' : ''}${actionText(step.action)}`;
}
