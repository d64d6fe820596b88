import { styleText } from 'node:util';

import type { TaskStatus } from '../run/events.ts';

/** The few styles that reports use. Without colours each gives its text back. */
export interface Palette {
  readonly ok: Paint;
  readonly changed: Paint;
  readonly failed: Paint;
  readonly quiet: Paint;
  readonly strong: Paint;
  readonly added: Paint;
  readonly removed: Paint;
  readonly place: Paint;
}

type Paint = (text: string) => string;

/** Whether text on this stream may be coloured: https://no-color.org, FORCE_COLOR, and what the terminal is. */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (environment['NO_COLOR']) return false;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && environment['TERM'] !== 'dumb';
}

/** The styles, or plain text. */
export function palette(colour: boolean): Palette {
  const paint =
    (style: Parameters<typeof styleText>[0]): Paint =>
    (text) =>
      colour && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  return {
    ok: paint('green'),
    changed: paint('yellow'),
    failed: paint('red'),
    quiet: paint('dim'),
    strong: paint('bold'),
    added: paint('green'),
    removed: paint('red'),
    place: paint('cyan'),
  };
}

/** The style of a status. */
export function paintStatus(styles: Palette, status: TaskStatus): Paint {
  switch (status) {
    case 'ok':
      return styles.ok;
    case 'changed':
      return styles.changed;
    case 'skipped':
      return styles.quiet;
    case 'failed':
    case 'unreachable':
      return styles.failed;
  }
}
