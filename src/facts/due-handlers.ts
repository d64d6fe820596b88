import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';

/**
 * The note on the target of handlers that are due: a task that notifies writes it before it changes anything, so that
 * no interruption between a change and its handler loses the handler. Root's is below /var/lib, others' in their home.
 */
const NOTE = `if [ "$(id -u)" -eq 0 ]; then us_note=/var/lib/understudy/due-handlers; else us_note=\${XDG_STATE_HOME:-$HOME/.local/state}/understudy/due-handlers; fi`;

/** The names of the handlers that are due for a playbook. */
export const dueHandlers: FactKind<string, readonly string[]> = {
  name: 'due-handlers',
  scope: 'host',
  id: (playbook) => playbook,
  script: () => `${NOTE}\n[ ! -r "$us_note" ] || cat "$us_note"`,
  parse(stdout, playbooks) {
    const lines = stdout.toString().split('\n');
    return playbooks.map((playbook) => [
      ...new Set(
        lines
          .filter((line) => line.startsWith(`${playbook}\t`))
          .map((line) => line.slice(playbook.length + 1)),
      ),
    ]);
  },
};

/** Script that notes handlers as due; it takes effect before the change that makes them so. */
export function noteHandlers(playbook: string, names: readonly string[]): string {
  const lines = names.map((name) => quote(`${playbook}\t${name}`)).join(' ');
  return [NOTE, `mkdir -p "\${us_note%/*}" && printf '%s\\n' ${lines} >> "$us_note" && sync "$us_note"`].join(
    '\n',
  );
}

/** Script that takes a playbook's handlers off the note; those of other playbooks stay. */
export function clearHandlers(playbook: string): string {
  return [
    NOTE,
    '[ -e "$us_note" ] || exit 0',
    `grep -v ${quote(`^${playbook.replaceAll(/[.[\]*^$\\]/g, String.raw`\$&`)}\t`)} "$us_note" > "$us_note.new" || :`,
    'if [ -s "$us_note.new" ]; then mv -f "$us_note.new" "$us_note"; else rm -f "$us_note" "$us_note.new"; fi',
  ].join('\n');
}
