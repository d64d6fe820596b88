import type { Become } from '../../transport/transport.ts';

/** How a task asks to connect, where it differs from what the host's variables say. */
export interface Login {
  readonly user?: string | undefined;
  readonly connection?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: string | undefined;
}

/** Who a task acts as on a target. */
export interface Actor {
  readonly login?: Login | undefined;
  readonly become: Become | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number | undefined;
}

/** Tells actors apart by what they can see and do. */
export function actorKey(actor: Pick<Actor, 'login' | 'become'>): string {
  return JSON.stringify([loginKey(actor.login), actor.become?.user ?? '']);
}

/** Tells connections apart. */
export function loginKey(login: Login | undefined): string {
  const { user = '', connection = '', address = '', port = '' } = login ?? {};
  return `${user}/${connection}/${address}/${port}`;
}
