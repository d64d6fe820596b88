import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import { quote } from '../../lib/shell.ts';
import type { Dict } from '../../lib/value.ts';
import { settings } from '../../config/settings.ts';
import type { RollRecord, RollSettings } from '../../site/roll/record.ts';

/** What the command line says of how a roll goes; the rest is as it was, or as it usually is. */
export type GivenSettings = Partial<Omit<RollSettings, 'variables'>>;

const DEFAULTS = {
  serial: { kind: 'number', number: 1 },
  settleMs: 1000,
  timeoutMs: 300_000,
  drainTimeoutMs: 60_000,
} as const satisfies GivenSettings;

/** How a roll goes: by the command line, else as before, when it goes on with one that was cut off. */
export function settingsOf(
  { given, extraVariables }: { readonly given: GivenSettings; readonly extraVariables: Dict },
  before: RollRecord | undefined,
): RollSettings {
  const kept = before?.settings;
  const variables = namesOf(extraVariables);
  if (before !== undefined) mustHaveAll(before, variables);
  return { ...DEFAULTS, ...kept, ...given, variables: [...variables] };
}

/** How it is gone on with a roll, to be typed. */
export function resumeCommand(
  { purpose, settings: how }: Pick<RollRecord, 'purpose' | 'settings'>,
  inventory: string,
): string {
  const where = inventory === settings().inventory ? '' : ` -i ${quote(inventory)}`;
  return `provision ${purpose} --resume${where}${variablesText(how?.variables ?? [])}`;
}

/** With other values than before the rest of the hosts would not become what the first ones are. */
function mustHaveAll({ purpose, settings: how }: RollRecord, given: readonly string[]): void {
  const missing = (how?.variables ?? []).filter((name) => !given.includes(name));
  if (missing.length === 0) return;
  throw new UserError(
    {
      message: `"${purpose}" was begun with ${listed(missing)} on the command line, and values are not kept`,
      hint: `give them again: --resume${variablesText(missing)}`,
    },
    { exitCode: EXIT.failed },
  );
}

function namesOf(variables: Dict): readonly string[] {
  return [...variables.keys()].map(String);
}

function variablesText(names: readonly string[]): string {
  return names.map((name) => ` -e ${name}=…`).join('');
}
