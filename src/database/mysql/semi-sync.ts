import { UserError } from '../../lib/errors.ts';
import { flag, text } from '../rows.ts';
import type { Limits } from '../server.ts';
import type { Session } from '../session.ts';

/**
 * Switches one side; gives whether that changed anything. The plugins have old names where they were installed before
 * 8.0.26.
 */
export async function setSemiSync(
  instance: string,
  session: Session,
  side: 'source' | 'replica',
  on: boolean,
  limits: Limits,
): Promise<boolean> {
  const old = side === 'source' ? 'master' : 'slave';
  const found = await session.rows(
    'reading semi-sync',
    'SELECT variable_name AS name, variable_value AS value FROM performance_schema.global_variables WHERE variable_name IN (?, ?)',
    [`rpl_semi_sync_${side}_enabled`, `rpl_semi_sync_${old}_enabled`],
    limits,
  );
  const [row] = found;
  if (row === undefined) {
    if (!on) return false;
    throw new UserError({
      message: `${instance}: the semi-sync plugin of a ${side} is not installed`,
      hint: '`provision up` loads it from the option file',
    });
  }
  if (flag(row, 'value') === on) return false;
  await session.rows(
    `switching semi-sync of a ${side} ${on ? 'on' : 'off'}`,
    `SET GLOBAL ${text(row, 'name')} = ${on ? 'ON' : 'OFF'}`,
    [],
    limits,
  );
  return true;
}
