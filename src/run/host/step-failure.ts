/** A step of ours did not succeed; what it said is for the user to read. */
export class StepFailure extends Error {
  readonly status: number;
  readonly output: string;

  constructor(description: string, status: number, output: string) {
    super(`${description} failed with exit status ${status}`);
    this.name = 'StepFailure';
    this.status = status;
    this.output = output;
  }
}
