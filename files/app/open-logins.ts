import type { LoginConfig } from './config.ts';
import type { Logins } from './logins.ts';
import { signedLogins } from './signed-logins.ts';
import { storedLogins } from './stored-logins.ts';

/** Keeps logins where the configuration says. */
export function openLogins(config: LoginConfig): Logins {
  return config.store === undefined ? signedLogins(config) : storedLogins(config.store, config);
}
