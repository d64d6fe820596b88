import type { ComponentChildren } from 'preact';

import type { Mark, Tone } from '../model/mark.ts';
import type { Piece } from '../model/text.ts';

/** What each colour means, for who does not see it. */
const WORDS: Readonly<Record<Tone, string>> = {
  good: 'good',
  unknown: 'not known',
  notice: 'to know',
  warning: 'warning',
  critical: 'critical',
};

/** A shape of its own for each tone. `at`: within a drawing. */
export function Sign({ tone, at }: { tone: Tone; at?: { x: number; y: number } }) {
  return (
    <svg
      class={`sign tone-${tone}`}
      {...at}
      width="12"
      height="12"
      viewBox="0 0 12 12"
      role={at ? undefined : 'img'}
      aria-label={at ? undefined : WORDS[tone]}
    >
      {SHAPES[tone]}
    </svg>
  );
}

const SHAPES = {
  good: <circle cx="6" cy="6" r="4.5" />,
  unknown: <circle class="hollow" cx="6" cy="6" r="4" />,
  notice: <path d="M6 .8 11.2 6 6 11.2.8 6z" />,
  warning: <path d="M6 1 11.6 11H.4z" />,
  critical: <path class="hollow thick" d="M2 2l8 8M10 2l-8 8" />,
};

/** How something is: its sign and its words. */
export function Said({ mark, class: extra = '' }: { mark: Mark; class?: string }) {
  return (
    <span class={`said ${extra}`}>
      <Sign tone={mark.tone} />
      <span>{mark.text}</span>
    </span>
  );
}

/** A sentence with what can be typed, and with moments in the reader's own time. */
export function Sentence({ text }: { text: readonly Piece[] }) {
  return text.map(({ kind, text: piece }) => {
    if (kind === 'code') return <code>{piece}</code>;
    return kind === 'time' ? <Moment at={piece} /> : piece;
  });
}

/** A time of today without its day. */
export function Moment({ at }: { at: string | number }) {
  const date = new Date(at);
  const time = date.toLocaleTimeString(undefined, { hour12: false });
  const isToday = date.toDateString() === new Date().toDateString();
  const day = date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  return <time dateTime={date.toISOString()}>{isToday ? time : `${day}, ${time}`}</time>;
}

/** A part of the page with a heading of its own. */
export function Card({
  id,
  title,
  note,
  class: extra = '',
  children,
}: {
  id: string;
  title: string;
  note?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`card ${extra}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note !== undefined && <p class="quiet">{note}</p>}
      </header>
      {children}
    </section>
  );
}
