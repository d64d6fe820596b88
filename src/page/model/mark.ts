/** How something is. Each has a symbol and a word beside its colour. */
export const TONES = ['good', 'unknown', 'notice', 'warning', 'critical'] as const;
export type Tone = (typeof TONES)[number];

/** What is said of something, and how it is. */
export interface Mark {
  readonly tone: Tone;
  readonly text: string;
}

/** The worst of several; good when there is none. */
export function worst(tones: readonly Tone[]): Tone {
  return TONES[Math.max(0, ...tones.map((tone) => TONES.indexOf(tone)))] ?? 'good';
}
