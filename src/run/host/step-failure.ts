import { explainApt, foldApt } from '../../lib/apt-output.ts';
import type { Step } from '../../steps/step.ts';

/** A step of ours did not succeed; what it said is for the user to read. */
export class StepFailure extends Error {
  readonly status: number;
  /** What it said, whole. */
  readonly output: string;
  /** The same as it is shown: without what the message says already, or what is said again and again. */
  readonly shown: string;

  constructor(description: string, status: number, output: string, speaks?: SpeakerOf) {
    const explained = speaks === 'apt' ? explainApt(output) : undefined;
    super(
      explained === undefined
        ? `${description} failed with exit status ${status}`
        : `${description} failed: ${explained.message}${explained.hint === undefined ? '' : ` (${explained.hint})`}`,
    );
    this.name = 'StepFailure';
    this.status = status;
    this.output = output;
    this.shown = speaks === 'apt' ? foldApt(output) : output;
  }
}

type SpeakerOf = Extract<Step, { kind: 'script' }>['speaks'];
