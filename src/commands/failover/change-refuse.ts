import type { Acceptable } from '../../failover/plan/accept.ts';
import type { Planned, Refusal } from '../../failover/plan/refusals.ts';
import { refusalJson } from '../../failover/output/json.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import type { Palette } from '../../report/palette.ts';
import { print, textStream } from './change-output.ts';
import { refusalsText } from './change-text.ts';
import { forced, type Force } from './force.ts';
import type { Session } from './session.ts';

/** Says every reason why not and, where all of them can be accepted, the command that does so. */
export function refuse(
  refusals: readonly Refusal[],
  { needed, planned }: Acceptable<Planned>,
  how: {
    readonly session: Session;
    readonly json: boolean;
    readonly preface: string;
    readonly force: Force;
    readonly styles: Palette;
  },
): void {
  const { session, json, preface, force, styles } = how;
  if (preface !== '') textStream(json).write(session.redact(`${preface}\n`));
  const risks = [...force.accepts, ...needed.map(({ risk }) => risk)];
  const accept = needed.length > 0 && 'plan' in planned ? forced(process.argv.slice(2), risks) : undefined;
  process.stderr.write(session.redact(`${refusalsText(refusals, styles, accept)}\n`));
  if (force.asks) process.stderr.write('a bare --force asks about each risk, and here nobody can be asked\n');
  if (json) print(session, refusalJson(refusals, accept));
  process.exitCode = EXIT.failed;
}

/** A bare `--force` where nobody can be asked, and nothing would have to be. */
export function nothingToForce(): UserError {
  return new UserError({
    message: 'a bare --force asks about each risk, and here nobody can be asked',
    hint: 'nothing has to be accepted: leave --force out',
  });
}
