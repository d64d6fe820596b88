import type { Action } from '../plan/action.ts';

type Hold = Extract<Action, { readonly do: 'hold-writers' }>;

/**
 * The balancers hold writers for a limited time, so that they go on when this tool dies. While a change takes longer
 * the tool asks for it again. That writers wait is a comfort: a failure is not reported.
 */
export function keepHeld(action: Hold, perform: (action: Hold) => Promise<unknown>): () => void {
  const timer = setInterval(() => void perform(action).catch(() => {}), action.ms / 2);
  timer.unref();
  return () => clearInterval(timer);
}
