import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';

/**
 * The notes on the target of handlers that are due: a task that notifies writes one before it changes anything, so that
 * no interruption between a change and its handler loses the handler. Root's are below /var/lib, others' in their home.
 * There is a file for each playbook and host, a handler's name a line.
 */
const NOTES = `if [ "$(id -u)" -eq 0 ]; then us_notes=/var/lib/understudy/due-handlers.d; else us_notes=\${XDG_STATE_HOME:-$HOME/.local/state}/understudy/due-handlers.d; fi`;

/** The names of the handlers that are due, by the name of the note. */
export const dueHandlers: FactKind<string, readonly string[]> = {
  name: 'due-handlers',
  scope: 'host',
  id: (note) => note,
  script: (notes) =>
    [
      NOTES,
      ...notes.map(
        (note) => `[ ! -r "$us_notes"/${fileOf(note)} ] || cat "$us_notes"/${fileOf(note)}; printf '\\0'`,
      ),
    ].join('\n'),
  parse(stdout, notes) {
    const parts = stdout.toString().split('\0');
    return notes.map((_, index) => [
      ...new Set((parts[index] ?? '').split('\n').filter((line) => line !== '')),
    ]);
  },
};

/** Script that notes handlers as due; it takes effect before the change that makes them so. */
export function noteHandlers(note: string, names: readonly string[]): string {
  const lines = names.map((name) => quote(name)).join(' ');
  const file = `"$us_notes"/${fileOf(note)}`;
  return [NOTES, `mkdir -p "$us_notes" && printf '%s\\n' ${lines} >> ${file} && sync ${file}`].join('\n');
}

/** Script that makes a note hold these handlers only; without any it goes. */
export function clearHandlers(note: string, kept: readonly string[] = []): string {
  const file = `"$us_notes"/${fileOf(note)}`;
  if (kept.length === 0) return [NOTES, `rm -f ${file}`].join('\n');
  const lines = kept.map((name) => quote(name)).join(' ');
  return [NOTES, `printf '%s\\n' ${lines} > ${file}.new && mv -f ${file}.new ${file} && sync ${file}`].join(
    '\n',
  );
}

/** A name of any characters as a file's name. */
function fileOf(note: string): string {
  return quote(encodeURIComponent(note));
}
